import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { parseArn } from '../../kernel/arn.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { recordMetrics, type ServiceMetric } from '../cloudwatch/record-metrics.ts';
import type { Outbox } from './outbox.ts';
import type { Subscription, Topic } from './topic.ts';

export interface PublishedMessage {
  readonly id: string;
  readonly subject: string | undefined;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>> | undefined;
  /** The text for one protocol. */
  text(protocol: string): string;
}

/** Sends a message to everybody who subscribed, in the background; queues and functions decide by their own policies. */
export function deliverToAll(kernel: Kernel, outbox: Outbox, topic: Topic, message: PublishedMessage): void {
  for (const subscription of topic.subscriptions.values()) {
    kernel.activity.track(async () => {
      const delivered = await deliver(kernel, outbox, topic, subscription, message);
      await record(kernel, topic, delivered ? 'NumberOfNotificationsDelivered' : 'NumberOfNotificationsFailed');
    });
  }
  kernel.activity.track(() => record(kernel, topic, 'NumberOfMessagesPublished'));
}

async function deliver(
  kernel: Kernel,
  outbox: Outbox,
  topic: Topic,
  subscription: Subscription,
  message: PublishedMessage,
): Promise<boolean> {
  const service = kernel.serviceCaller('sns.amazonaws.com', topic.arn);
  try {
    if (subscription.protocol === 'sqs') {
      await kernel.call('sqs', 'SendMessage', toQueueInput(kernel, subscription, topic, message), service);
    } else if (subscription.protocol === 'lambda') {
      const Payload = Buffer.from(JSON.stringify(toLambdaEvent(kernel, subscription, topic, message)));
      const input = { FunctionName: subscription.endpoint, InvocationType: 'Event', Payload };
      await kernel.call('lambda', 'Invoke', input, service);
    } else {
      if (subscription.protocol.startsWith('email')) kernel.meter.add('snsEmail', topic.name);
      if (subscription.protocol.startsWith('http')) kernel.meter.add('snsHttp', topic.name);
      outbox.add({
        Protocol: subscription.protocol,
        Endpoint: subscription.endpoint,
        TopicArn: topic.arn,
        Subject: message.subject,
        Message: message.text(subscription.protocol),
        Timestamp: new Date(kernel.clock.now()),
      });
    }
    return true;
  } catch (error) {
    kernel.log.warn('SNS could not deliver a message', { topic: topic.arn, endpoint: subscription.endpoint, error });
    await sendToDeadLetterQueue(kernel, subscription, topic, message);
    return false;
  }
}

async function sendToDeadLetterQueue(
  kernel: Kernel,
  subscription: Subscription,
  topic: Topic,
  message: PublishedMessage,
): Promise<void> {
  const { deadLetterArn } = subscription;
  if (deadLetterArn === undefined) return;
  const MessageBody = JSON.stringify(envelope(kernel, subscription, topic, message));
  const service = kernel.serviceCaller('sns.amazonaws.com', topic.arn);
  try {
    await kernel.call('sqs', 'SendMessage', { QueueUrl: queueUrl(kernel, deadLetterArn), MessageBody }, service);
  } catch (error) {
    kernel.log.error('SNS lost a message', { topic: topic.arn, deadLetterQueue: deadLetterArn, error });
  }
}

function queueUrl(kernel: Kernel, arn: string): string {
  const queue = parseArn(arn);
  return `${kernel.endpoint}/${queue?.accountId}/${queue?.resource}`;
}

function toQueueInput(kernel: Kernel, subscription: Subscription, topic: Topic, message: PublishedMessage) {
  const QueueUrl = queueUrl(kernel, subscription.endpoint);
  if (!subscription.rawMessageDelivery) {
    return { QueueUrl, MessageBody: JSON.stringify(envelope(kernel, subscription, topic, message)) };
  }
  return { QueueUrl, MessageBody: message.text('sqs'), MessageAttributes: message.attributes };
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html; nothing here signs it. */
function envelope(kernel: Kernel, subscription: Subscription, topic: Topic, message: PublishedMessage) {
  return {
    Type: 'Notification',
    MessageId: message.id,
    TopicArn: topic.arn,
    ...(message.subject !== undefined && { Subject: message.subject }),
    Message: message.text(subscription.protocol),
    Timestamp: new Date(kernel.clock.now()).toISOString(),
    SignatureVersion: '1',
    Signature: '',
    SigningCertURL: `${kernel.endpoint}/SimpleNotificationService.pem`,
    UnsubscribeURL: `${kernel.endpoint}/?Action=Unsubscribe&SubscriptionArn=${subscription.arn}`,
    ...(message.attributes && { MessageAttributes: shownAttributes(message.attributes) }),
  };
}

function shownAttributes(attributes: Readonly<Record<string, MessageAttributeValue>>) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: BinaryValue ? Buffer.from(BinaryValue).toString('base64') : StringValue },
    ]),
  );
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html */
function toLambdaEvent(kernel: Kernel, subscription: Subscription, topic: Topic, message: PublishedMessage) {
  const { SigningCertURL, UnsubscribeURL, ...rest } = envelope(kernel, subscription, topic, message);
  const Sns = {
    ...rest,
    Subject: message.subject ?? null,
    SigningCertUrl: SigningCertURL,
    UnsubscribeUrl: UnsubscribeURL,
    MessageAttributes: shownAttributes(message.attributes ?? {}),
  };
  return {
    Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscription.arn, Sns }],
  };
}

function record(kernel: Kernel, topic: Topic, metricName: string): Promise<void> {
  const metric: ServiceMetric = {
    namespace: 'AWS/SNS',
    metricName,
    dimensions: { TopicName: topic.name },
    value: 1,
    unit: 'Count',
  };
  return recordMetrics(kernel, kernel.serviceCaller('sns.amazonaws.com', topic.arn), [metric]);
}
