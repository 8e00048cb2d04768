import { randomBytes, randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.ts';
import { AwsError } from '../../kernel/errors.ts';
import { effectivePolicy, type GivenPolicy, readSubscriptionPolicy, shownPolicy } from './delivery-policy.ts';
import { invalidParameter } from './errors.ts';
import { compileFilterPolicy, type FilterPolicyScope, type MessageFilter } from './filter-policy.ts';
import type { Topic } from './topic.ts';

export type SubscriptionProtocol = 'application' | 'email' | 'email-json' | 'http' | 'https' | 'lambda' | 'sms' | 'sqs';

/** Tokens of confirmations are good for two days, and what is not confirmed until then is forgotten. */
const TOKEN_MS = 2 * 86_400_000;
const NEEDS_CONFIRMATION = new Set<SubscriptionProtocol>(['email', 'email-json', 'http', 'https']);
const TAKES_RAW = new Set<SubscriptionProtocol>(['http', 'https', 'sqs']);
/** Attributes of GetSubscriptionAttributes that can be set; the rest of AWS's are refused by name. */
const SETTABLE = ['DeliveryPolicy', 'FilterPolicy', 'FilterPolicyScope', 'RawMessageDelivery', 'RedrivePolicy'];

export interface NewSubscription {
  readonly topicArn: string;
  readonly protocol: SubscriptionProtocol;
  readonly endpoint: string;
  /** ARN of who subscribed. */
  readonly principal: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A subscription as it is kept. */
export interface KeptSubscription
  extends Pick<
    Subscription,
    | 'arn'
    | 'topicArn'
    | 'protocol'
    | 'endpoint'
    | 'principal'
    | 'token'
    | 'state'
    | 'confirmationWasAuthenticated'
    | 'authenticateOnUnsubscribe'
  > {
  readonly tokenEndsAt: number;
  readonly attributes: ReadonlyMap<string, string>;
}

/** One endpoint of a topic. */
export class Subscription {
  arn: string;
  readonly topicArn: string;
  readonly protocol: SubscriptionProtocol;
  readonly endpoint: string;
  readonly principal: string;
  /** What ConfirmSubscription has to name; tokens cannot be guessed. */
  token = newToken();
  state: 'pending' | 'confirmed' | 'cancelled';
  confirmationWasAuthenticated: boolean;
  /** True when only a signed request may end it. */
  authenticateOnUnsubscribe = false;
  #tokenEndsAt: number;
  /** As they were set. */
  readonly #attributes = new Map<string, string>();
  #filter: MessageFilter = () => true;
  #deliveryPolicy: GivenPolicy | undefined;

  constructor({ topicArn, protocol, endpoint, principal, now }: NewSubscription) {
    this.arn = `${topicArn}:${randomUUID()}`;
    this.topicArn = topicArn;
    this.protocol = protocol;
    this.endpoint = endpoint;
    this.principal = principal;
    this.state = NEEDS_CONFIRMATION.has(protocol) ? 'pending' : 'confirmed';
    this.confirmationWasAuthenticated = this.state === 'confirmed';
    this.#tokenEndsAt = now + TOKEN_MS;
  }

  static restore(kept: KeptSubscription): Subscription {
    const { arn, token, state, confirmationWasAuthenticated, authenticateOnUnsubscribe } = kept;
    const subscription = new Subscription({ ...kept, now: 0 });
    Object.assign(subscription, { arn, token, state, confirmationWasAuthenticated, authenticateOnUnsubscribe });
    subscription.#tokenEndsAt = kept.tokenEndsAt;
    for (const [name, value] of kept.attributes) subscription.#attributes.set(name, value);
    for (const [name, value] of kept.attributes) subscription.#apply(name, value);
    return subscription;
  }

  get kept(): KeptSubscription {
    const { arn, topicArn, protocol, endpoint, principal, token, state } = this;
    const { confirmationWasAuthenticated, authenticateOnUnsubscribe } = this;
    return {
      ...{ arn, topicArn, protocol, endpoint, principal, token, state },
      ...{ confirmationWasAuthenticated, authenticateOnUnsubscribe },
      tokenEndsAt: this.#tokenEndsAt,
      attributes: this.#attributes,
    };
  }

  get rawMessageDelivery(): boolean {
    return this.#attributes.get('RawMessageDelivery') === 'true';
  }

  /** ARN of the queue for what cannot be delivered. */
  get deadLetterArn(): string | undefined {
    const text = this.#attributes.get('RedrivePolicy');
    return text === undefined ? undefined : String(JSON.parse(text).deadLetterTargetArn);
  }

  get wants(): MessageFilter {
    return this.#filter;
  }

  get deliveryPolicy(): GivenPolicy | undefined {
    return this.#deliveryPolicy;
  }

  /** True when it was not confirmed in time. */
  hasLapsed(now: number): boolean {
    return this.state !== 'confirmed' && now >= this.#tokenEndsAt;
  }

  renewToken(now: number): void {
    this.token = newToken();
    this.#tokenEndsAt = now + TOKEN_MS;
  }

  /** @throws AwsError InvalidParameter; NotEmulated for attributes that the runtime has not */
  setAttribute(name: string, value: string): void {
    if (!SETTABLE.includes(name)) {
      throw new AwsError('NotEmulated', `The local runtime does not emulate the subscription attribute ${name}.`, 501);
    }
    const before = this.#attributes.get(name);
    if (value === '') this.#attributes.delete(name);
    else this.#attributes.set(name, value);
    try {
      this.#apply(name, value);
    } catch (error) {
      if (before === undefined) this.#attributes.delete(name);
      else this.#attributes.set(name, before);
      throw error;
    }
  }

  /** True when subscribing again with these attributes changes nothing. */
  hasAttributes(given: Readonly<Record<string, string>>): boolean {
    return Object.entries(given).every(([name, value]) => (this.#attributes.get(name) ?? 'false') === value);
  }

  /** As GetSubscriptionAttributes answers. */
  describe(topic: Topic, accountId: string): Record<string, string> {
    return {
      SubscriptionArn: this.arn,
      TopicArn: this.topicArn,
      Owner: accountId,
      Protocol: this.protocol,
      Endpoint: this.endpoint,
      SubscriptionPrincipal: this.principal,
      ConfirmationWasAuthenticated: String(this.confirmationWasAuthenticated),
      PendingConfirmation: String(this.state !== 'confirmed'),
      RawMessageDelivery: 'false',
      ...(this.#attributes.has('FilterPolicy') && { FilterPolicyScope: 'MessageAttributes' }),
      ...Object.fromEntries(this.#attributes),
      ...(this.protocol.startsWith('http') && {
        EffectiveDeliveryPolicy: shownPolicy(effectivePolicy(topic.deliveryPolicy, this.#deliveryPolicy)),
      }),
    };
  }

  #apply(name: string, value: string): void {
    if (name === 'RawMessageDelivery') this.#checkRaw(value);
    else if (name === 'RedrivePolicy') checkRedrivePolicy(value);
    else if (name === 'DeliveryPolicy') {
      if (!this.protocol.startsWith('http')) throw invalidParameter(`DeliveryPolicy is for HTTP, not ${this.protocol}`);
      this.#deliveryPolicy = value === '' ? undefined : readSubscriptionPolicy(value);
    } else {
      const policy = this.#attributes.get('FilterPolicy');
      this.#filter = policy === undefined ? () => true : compileFilterPolicy(policy, this.#scope());
    }
  }

  #scope(): FilterPolicyScope {
    const scope = this.#attributes.get('FilterPolicyScope') ?? 'MessageAttributes';
    if (scope === 'MessageAttributes' || scope === 'MessageBody') return scope;
    throw invalidParameter(`FilterPolicyScope: ${scope}; it is MessageAttributes or MessageBody`);
  }

  #checkRaw(value: string): void {
    if (!['', 'true', 'false'].includes(value)) throw invalidParameter(`RawMessageDelivery: ${value}`);
    if (value !== 'true' || TAKES_RAW.has(this.protocol)) return;
    throw invalidParameter(
      `Attributes Reason: Delivery protocol [${this.protocol}] does not support raw message delivery.`,
    );
  }
}

function newToken(): string {
  return randomBytes(64).toString('hex');
}

function checkRedrivePolicy(text: string): void {
  if (text === '') return;
  let target: unknown;
  try {
    target = Object(JSON.parse(text)).deadLetterTargetArn;
  } catch {
    throw invalidParameter('RedrivePolicy: failed to parse JSON');
  }
  const arn = typeof target === 'string' ? parseArn(target) : undefined;
  if (arn?.service !== 'sqs') throw invalidParameter('RedrivePolicy: deadLetterTargetArn is an invalid arn');
  if (arn.resource.endsWith('.fifo')) throw invalidParameter('RedrivePolicy: must use a standard queue');
}
