/** What SNS sends: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
import { randomUUID } from 'node:crypto';
import type { Kernel } from '../../kernel/kernel.ts';
import type { MessageAttributes, PublishedMessage } from './message.ts';
import type { MessageSigner } from './message-signer.ts';
import type { Subscription } from './subscription.ts';
import type { Topic } from './topic.ts';

export interface SnsDocument {
  readonly Type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  readonly MessageId: string;
  readonly Token?: string;
  readonly TopicArn: string;
  readonly Subject?: string;
  readonly Message: string;
  readonly SubscribeURL?: string;
  readonly Timestamp: string;
  readonly SignatureVersion: string;
  readonly Signature: string;
  readonly SigningCertURL: string;
  readonly UnsubscribeURL?: string;
  readonly MessageAttributes?: Readonly<Record<string, { readonly Type?: string; readonly Value?: string }>>;
}

type Unsigned = Omit<SnsDocument, 'TopicArn' | 'Timestamp' | 'SignatureVersion' | 'Signature' | 'SigningCertURL'>;

/** Makes the signed documents of one account. */
export class Documents {
  readonly #kernel: Kernel;
  readonly #signer: MessageSigner;

  constructor(kernel: Kernel, signer: MessageSigner) {
    this.#kernel = kernel;
    this.#signer = signer;
  }

  notification(topic: Topic, subscription: Subscription, message: PublishedMessage): Promise<SnsDocument> {
    return this.#sign(topic, {
      Type: 'Notification',
      MessageId: message.id,
      ...(message.subject !== undefined && { Subject: message.subject }),
      Message: message.text(subscription.protocol),
      UnsubscribeURL: this.unsubscribeUrl(subscription),
      ...(message.attributes && { MessageAttributes: shownAttributes(message.attributes) }),
    });
  }

  /** What asks the owner of an endpoint to confirm with the subscription's token. */
  subscriptionConfirmation(topic: Topic, subscription: Subscription): Promise<SnsDocument> {
    return this.#sign(topic, {
      Type: 'SubscriptionConfirmation',
      MessageId: randomUUID(),
      Token: subscription.token,
      Message:
        `You have chosen to subscribe to the topic ${topic.arn}.\n` +
        'To confirm the subscription, visit the SubscribeURL included in this message.',
      SubscribeURL: this.#subscribeUrl(subscription),
    });
  }

  /** What tells the owner of an endpoint that somebody followed the link, with the way back. */
  unsubscribeConfirmation(topic: Topic, subscription: Subscription): Promise<SnsDocument> {
    return this.#sign(topic, {
      Type: 'UnsubscribeConfirmation',
      MessageId: randomUUID(),
      Token: subscription.token,
      Message:
        `You have chosen to deactivate subscription ${subscription.arn}.\n` +
        'To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.',
      SubscribeURL: this.#subscribeUrl(subscription),
    });
  }

  unsubscribeUrl({ arn }: Subscription): string {
    return `${this.#kernel.endpoint}/?Action=Unsubscribe&SubscriptionArn=${arn}`;
  }

  #subscribeUrl({ topicArn, token }: Subscription): string {
    return `${this.#kernel.endpoint}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`;
  }

  async #sign(topic: Topic, document: Unsigned): Promise<SnsDocument> {
    const timed = { ...document, TopicArn: topic.arn, Timestamp: new Date(this.#kernel.clock.now()).toISOString() };
    const SignatureVersion = topic.attributes.get('SignatureVersion') ?? '1';
    return {
      ...timed,
      SignatureVersion,
      Signature: await this.#signer.sign(timed, SignatureVersion),
      SigningCertURL: `${this.#kernel.endpoint}${this.#signer.path}`,
    };
  }
}

/** Attributes as documents show them. */
export function shownAttributes(attributes: MessageAttributes): NonNullable<SnsDocument['MessageAttributes']> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(DataType !== undefined && { Type: DataType }),
        Value: BinaryValue ? Buffer.from(BinaryValue).toString('base64') : (StringValue ?? ''),
      },
    ]),
  );
}
