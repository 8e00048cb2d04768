import { randomUUID } from 'node:crypto';
import { NotLoopback } from '../../http/post.ts';
import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { recordMetrics, type ServiceMetric } from '../cloudwatch/record-metrics.ts';
import { effectivePolicy } from './delivery-policy.ts';
import type { PublishedMessage } from './message.ts';
import { AWS_ENDPOINT_RETRIES, delayBefore, type RetryPolicy } from './retry-policy.ts';
import { type Carrier, type Delivery, HttpFailure, queueMessage, queueUrl, send } from './send.ts';
import type { Topic } from './topic.ts';

/** Sends a message to everybody who subscribed, in the background; queues and functions decide by their own policies. */
export function deliverToAll(carrier: Carrier, topic: Topic, message: PublishedMessage): void {
  const { kernel } = carrier;
  for (const subscription of topic.subscriptions.values()) {
    if (subscription.state !== 'confirmed') continue;
    const wanted = subscription.wants(message, subscription.protocol);
    kernel.activity.track(() =>
      wanted
        ? attempt(carrier, { topic, subscription, message })
        : record(kernel, topic, 'NumberOfNotificationsFilteredOut'),
    );
  }
  kernel.activity.track(() => record(kernel, topic, 'NumberOfMessagesPublished'));
}

/**
 * Runs `work` until it succeeds, the policy is exhausted, or trying again cannot help. Waits are virtual time and do
 * not count as activity. `failed` gets the last error.
 */
export async function withRetries(
  kernel: Kernel,
  policy: RetryPolicy,
  work: () => Promise<unknown>,
  failed: (error: unknown) => Promise<void>,
  retry = 0,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const delay = isTemporary(error) ? delayBefore(retry + 1, policy) : undefined;
    if (delay === undefined) return failed(error);
    const again = () => withRetries(kernel, policy, work, failed, retry + 1);
    if (delay === 0) return again();
    kernel.clock.after(delay * 1000, again);
    return undefined;
  }
}

async function attempt(carrier: Carrier, delivery: Delivery): Promise<void> {
  const { kernel } = carrier;
  const { topic, subscription } = delivery;
  const policy = subscription.protocol.startsWith('http')
    ? effectivePolicy(topic.deliveryPolicy, subscription.deliveryPolicy).retries
    : AWS_ENDPOINT_RETRIES;
  const work = async () => {
    // Ended while it was waiting: there is nobody left to tell.
    if (!topic.subscriptions.has(subscription.arn)) return;
    await send(carrier, delivery);
    await record(kernel, topic, 'NumberOfNotificationsDelivered');
  };
  const failed = async (error: unknown) => {
    kernel.log.warn('SNS could not deliver a message', { topic: topic.arn, endpoint: subscription.endpoint, error });
    await record(kernel, topic, 'NumberOfNotificationsFailed');
    await sendToDeadLetterQueue(carrier, delivery, error);
  };
  await withRetries(kernel, policy, work, failed);
}

/** "client-side errors ... Amazon SNS doesn't retry" (sns-dead-letter-queues): denials, missing endpoints, status 4xx. */
function isTemporary(error: unknown): boolean {
  if (error instanceof NotLoopback) return false;
  if (error instanceof HttpFailure) return error.status < 400 || error.status >= 500 || error.status === 429;
  if (error instanceof AwsError) return (error.status >= 500 && error.code !== 'NotEmulated') || error.status === 429;
  return true;
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html */
async function sendToDeadLetterQueue(carrier: Carrier, delivery: Delivery, error: unknown): Promise<void> {
  const { kernel } = carrier;
  const { topic, subscription } = delivery;
  const { deadLetterArn } = subscription;
  if (deadLetterArn === undefined) return;
  const { MessageBody, MessageAttributes } = await queueMessage(carrier, delivery);
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const input = {
    QueueUrl: queueUrl(kernel, deadLetterArn),
    MessageBody,
    MessageAttributes: {
      ...MessageAttributes,
      RequestID: text(randomUUID()),
      ErrorCode: text(codeOf(error)),
      ErrorMessage: text(error instanceof Error ? error.message : String(error)),
    },
  };
  try {
    await kernel.call('sqs', 'SendMessage', input, kernel.serviceCaller('sns.amazonaws.com', topic.arn));
    await record(kernel, topic, 'NumberOfNotificationsRedrivenToDlq');
  } catch (cause) {
    kernel.log.error('SNS lost a message', { topic: topic.arn, deadLetterQueue: deadLetterArn, error: cause });
    await record(kernel, topic, 'NumberOfNotificationsFailedToRedriveToDlq');
  }
}

function codeOf(error: unknown): string {
  if (error instanceof HttpFailure) return String(error.status);
  return error instanceof AwsError ? error.code : 'DeliveryFailure';
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
