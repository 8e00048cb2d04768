import {
  CreateTopicCommand,
  DeleteTopicCommand,
  InvalidParameterException,
  NotFoundException,
  paginateListSubscriptionsByTopic,
  type SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { PERSON_TOPIC_PREFIX } from '@thingstead/contracts/notifications';
import type { Accepted, Protocol, Topics } from '../channels/ports.ts';

/** People's topics in SNS, with a subscription for each channel. */
export class Subscriptions implements Topics {
  readonly #client: SNSClient;

  constructor(client: SNSClient) {
    this.#client = client;
  }

  /** Webhooks are signed with SHA-256: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
  async create(person: string): Promise<string> {
    const topic = { Name: `${PERSON_TOPIC_PREFIX}${person}`, Attributes: { SignatureVersion: '2' } };
    const { TopicArn } = await this.#client.send(new CreateTopicCommand(topic));
    if (!TopicArn) throw new Error('CreateTopic answered without an ARN');
    return TopicArn;
  }

  async delete(TopicArn: string): Promise<void> {
    await this.#client.send(new DeleteTopicCommand({ TopicArn }));
  }

  async subscribe(TopicArn: string, protocol: Protocol, Endpoint: string): Promise<Accepted> {
    const input = { TopicArn, Protocol: protocol, Endpoint, ReturnSubscriptionArn: true };
    try {
      const { SubscriptionArn = '' } = await this.#client.send(new SubscribeCommand(input));
      return { ok: true, arn: SubscriptionArn };
    } catch (error) {
      if (error instanceof InvalidParameterException) return { ok: false, reason: error.message };
      throw error;
    }
  }

  async unsubscribe(SubscriptionArn: string): Promise<'ended' | 'pending'> {
    try {
      await this.#client.send(new UnsubscribeCommand({ SubscriptionArn }));
    } catch (error) {
      if (error instanceof InvalidParameterException) return 'pending';
      if (!(error instanceof NotFoundException)) throw error;
    }
    return 'ended';
  }

  async subscriptions(TopicArn: string): Promise<ReadonlyMap<string, 'active' | 'pending'>> {
    const found = new Map<string, 'active' | 'pending'>();
    for await (const page of paginateListSubscriptionsByTopic({ client: this.#client }, { TopicArn })) {
      for (const { Protocol: protocol, Endpoint, SubscriptionArn } of page.Subscriptions ?? []) {
        // SNS lists what was ended through the link in a mail for some time.
        if (SubscriptionArn === 'Deleted') continue;
        found.set(`${protocol} ${Endpoint}`, SubscriptionArn === 'PendingConfirmation' ? 'pending' : 'active');
      }
    }
    return found;
  }
}
