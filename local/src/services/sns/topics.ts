import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import { notFound } from './errors.ts';
import { type KeptSubscription, Subscription } from './subscription.ts';
import { Topic } from './topic.ts';

interface KeptTopic {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly deletedSubscriptions: number;
  readonly subscriptions: readonly KeptSubscription[];
}

/** The topics of the account. */
export class Topics {
  readonly kernel: Kernel;
  readonly #topics = new Map<string, Topic>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Topic[] {
    return [...this.#topics.values()];
  }

  add(topic: Topic): void {
    this.#topics.set(topic.arn, topic);
  }

  *save(): Generator<KeptRecord> {
    for (const { name, attributes, tags, deletedSubscriptions, subscriptions } of this.#topics.values()) {
      const kept: KeptTopic = {
        ...{ name, attributes, tags, deletedSubscriptions },
        subscriptions: Array.from(subscriptions.values(), (each) => each.kept),
      };
      yield [`topic/${name}`, kept];
    }
  }

  restore(records: KeptRecords): void {
    for (const { name, attributes, tags, deletedSubscriptions, subscriptions } of records.all<KeptTopic>('topic/')) {
      const topic = new Topic(name, this.kernel.arn('sns', name));
      this.add(topic);
      for (const [attribute, value] of attributes) topic.setAttribute(attribute, value);
      for (const [tag, value] of tags) topic.tags.set(tag, value);
      topic.deletedSubscriptions = deletedSubscriptions;
      for (const each of subscriptions) topic.subscriptions.set(each.arn, Subscription.restore(each));
    }
  }

  delete(arn: string): void {
    this.#topics.delete(arn);
  }

  find(arn: string | undefined): Topic | undefined {
    return this.#topics.get(arn ?? '');
  }

  /** @throws AwsError NotFound */
  get(arn: string | undefined): Topic {
    const topic = this.find(arn);
    if (!topic) throw notFound('Topic');
    return topic;
  }

  /** @throws AwsError NotFound */
  getSubscription(arn: string | undefined): Subscription {
    const topic = this.find(arn?.split(':').slice(0, -1).join(':'));
    const subscription = topic && this.subscriptionsOf(topic).find((each) => each.arn === arn);
    if (!subscription) throw notFound('Subscription');
    return subscription;
  }

  /** The subscriptions of a topic, pending ones too. */
  subscriptionsOf(topic: Topic): readonly Subscription[] {
    this.#forgetLapsed(topic);
    return [...topic.subscriptions.values()].filter(({ state }) => state !== 'cancelled');
  }

  /** The subscription that a token confirms or restores. */
  findByToken(topic: Topic, token: string): Subscription | undefined {
    this.#forgetLapsed(topic);
    return [...topic.subscriptions.values()].find((each) => each.token === token);
  }

  #forgetLapsed(topic: Topic): void {
    const now = this.kernel.clock.now();
    for (const each of topic.subscriptions.values()) {
      if (each.hasLapsed(now)) topic.subscriptions.delete(each.arn);
    }
  }

  permission(action: string, arn: string | undefined): Permission {
    return this.get(arn).permission(action);
  }
}
