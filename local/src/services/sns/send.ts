/** One attempt to bring a message to an endpoint, by protocol. */

import type { Post } from '../../http/post.ts';
import { parseArn } from '../../kernel/arn.ts';
import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { effectivePolicy } from './delivery-policy.ts';
import { type Documents, type SnsDocument, shownAttributes } from './documents.ts';
import type { PublishedMessage } from './message.ts';
import type { PlatformApplications, PlatformEndpoint } from './platform-applications.ts';
import type { Subscription } from './subscription.ts';
import type { Topic } from './topic.ts';

/** What deliveries need. */
export interface Carrier {
  readonly kernel: Kernel;
  readonly documents: Documents;
  readonly platforms: PlatformApplications;
  readonly post: Post;
}

export interface Delivery {
  readonly topic: Topic;
  readonly subscription: Subscription;
  readonly message: PublishedMessage;
}

/** "your endpoint should respond within 15 seconds" (SendMessageToHttp.prepare) */
const HTTP_TIMEOUT_MS = 15_000;
const USER_AGENT = 'Amazon Simple Notification Service Agent';

/** An HTTP endpoint answered with a status that is no success. */
export class HttpFailure extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the endpoint answered ${status}`);
    this.status = status;
  }
}

/** Rejects with what the other side answers. */
export function send(carrier: Carrier, delivery: Delivery): Promise<unknown> {
  switch (delivery.subscription.protocol) {
    case 'sqs':
      return toQueue(carrier, delivery);
    case 'lambda':
      return toFunction(carrier, delivery);
    case 'http':
    case 'https':
      return toHttp(carrier, delivery);
    case 'application':
      return toEndpoint(carrier, delivery);
    default:
      return toPerson(carrier, delivery);
  }
}

/** Posts a document to an HTTP endpoint. `raw` stands for the document's text in raw deliveries. */
export async function postDocument(
  { kernel, post }: Carrier,
  { topic, subscription }: Pick<Delivery, 'topic' | 'subscription'>,
  document: SnsDocument,
  raw?: string,
): Promise<void> {
  kernel.meter.add('snsHttp', topic.name);
  const status = await post(subscription.endpoint, {
    timeoutMs: HTTP_TIMEOUT_MS,
    body: raw ?? JSON.stringify(document, null, 2),
    headers: {
      'content-type': effectivePolicy(topic.deliveryPolicy, subscription.deliveryPolicy).contentType,
      'user-agent': USER_AGENT,
      'x-amz-sns-message-type': document.Type,
      'x-amz-sns-message-id': document.MessageId,
      'x-amz-sns-topic-arn': topic.arn,
      ...(document.Type !== 'SubscriptionConfirmation' && { 'x-amz-sns-subscription-arn': subscription.arn }),
      ...(raw !== undefined && { 'x-amz-sns-rawdelivery': 'true' }),
    },
  });
  if (status < 200 || status > 299) throw new HttpFailure(status);
}

/** Puts a notification for a telephone into the outbox. Throws EndpointDisabled. */
export function push(
  kernel: Kernel,
  { arn, platform, attributes }: PlatformEndpoint,
  message: PublishedMessage,
  topicArn: string | null,
): void {
  if (attributes.get('Enabled') !== 'true') throw new AwsError('EndpointDisabled', 'Endpoint is disabled');
  kernel.meter.add('snsPush', platform);
  kernel.outbox.add({
    channel: 'push',
    destination: arn,
    topic: topicArn,
    subject: message.subject ?? null,
    message: message.text(platform),
    details: { platform, token: attributes.get('Token') ?? '' },
  });
}

/** The message as it goes into a queue, raw or as a document. */
export async function queueMessage(carrier: Carrier, { topic, subscription, message }: Delivery) {
  if (subscription.rawMessageDelivery) {
    return { MessageBody: message.text(subscription.protocol), MessageAttributes: message.attributes };
  }
  return { MessageBody: JSON.stringify(await carrier.documents.notification(topic, subscription, message)) };
}

export function queueUrl(kernel: Kernel, arn: string): string {
  const queue = parseArn(arn);
  return `${kernel.endpoint}/${queue?.accountId}/${queue?.resource}`;
}

async function toQueue(carrier: Carrier, delivery: Delivery): Promise<unknown> {
  const { kernel } = carrier;
  const QueueUrl = queueUrl(kernel, delivery.subscription.endpoint);
  const input = { QueueUrl, ...(await queueMessage(carrier, delivery)) };
  return kernel.call('sqs', 'SendMessage', input, kernel.serviceCaller('sns.amazonaws.com', delivery.topic.arn));
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html */
async function toFunction({ kernel, documents }: Carrier, { topic, subscription, message }: Delivery) {
  const document = await documents.notification(topic, subscription, message);
  const { SigningCertURL, UnsubscribeURL, ...rest } = document;
  const Sns = {
    ...rest,
    Subject: message.subject ?? null,
    SigningCertUrl: SigningCertURL,
    UnsubscribeUrl: UnsubscribeURL,
    MessageAttributes: shownAttributes(message.attributes ?? {}),
  };
  const event = {
    Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscription.arn, Sns }],
  };
  const Payload = Buffer.from(JSON.stringify(event));
  const input = { FunctionName: subscription.endpoint, InvocationType: 'Event', Payload };
  return kernel.call('lambda', 'Invoke', input, kernel.serviceCaller('sns.amazonaws.com', topic.arn));
}

async function toHttp(carrier: Carrier, delivery: Delivery): Promise<void> {
  const { topic, subscription, message } = delivery;
  const document = await carrier.documents.notification(topic, subscription, message);
  const raw = subscription.rawMessageDelivery ? message.text(subscription.protocol) : undefined;
  await postDocument(carrier, delivery, document, raw);
}

async function toEndpoint({ kernel, platforms }: Carrier, { topic, subscription, message }: Delivery): Promise<void> {
  push(kernel, platforms.getEndpoint(subscription.endpoint), message, topic.arn);
}

async function toPerson({ kernel, documents }: Carrier, { topic, subscription, message }: Delivery): Promise<void> {
  const { protocol, endpoint } = subscription;
  const isMail = protocol !== 'sms';
  if (isMail) kernel.meter.add('snsEmail', topic.name);
  const document = isMail ? await documents.notification(topic, subscription, message) : undefined;
  kernel.outbox.add({
    channel: isMail ? 'email' : 'sms',
    destination: endpoint,
    topic: topic.arn,
    subject: isMail ? (message.subject ?? 'AWS Notification Message') : null,
    message: protocol === 'email-json' ? JSON.stringify(document, null, 2) : message.text(protocol),
    details: { ...(document?.UnsubscribeURL !== undefined && { unsubscribeUrl: document.UnsubscribeURL }) },
  });
}
