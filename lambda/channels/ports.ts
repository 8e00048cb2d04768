import type { ChannelRow, Preferences, ProfileRow, Target, TokenRow } from '@thingstead/contracts/notifications';

/** Everything that is kept of a person. */
export interface PersonRecord {
  readonly profile: ProfileRow;
  readonly channels: readonly ChannelRow[];
  readonly things: Readonly<Record<string, Preferences>>;
}

/** The notifications table, read consistently. Every write may be repeated. */
export interface Records {
  person(id: string): Promise<PersonRecord>;
  channel(person: string, id: string): Promise<ChannelRow | undefined>;
  putTopic(person: string, topicArn: string): Promise<void>;
  putChannel(person: string, row: ChannelRow): Promise<void>;
  deleteChannel(person: string, id: string): Promise<void>;
  /** Replaces those for all things, or for one. */
  putPreferences(person: string, thing: string | undefined, preferences: Preferences): Promise<void>;
  watch(target: Target, person: string): Promise<void>;
  unwatch(target: Target, person: string): Promise<void>;
  tokenOwner(tokenHash: string): Promise<TokenRow | undefined>;
  /** Removes all rows of a person, the profile last. */
  forget(person: string): Promise<void>;
  /** Removes the token if it is this person's. */
  dropToken(tokenHash: string, person: string): Promise<void>;
  /** Takes a token over from `from`. False when somebody else was faster. */
  takeToken(tokenHash: string, owner: TokenRow, from: TokenRow | undefined): Promise<boolean>;
}

export type Protocol = 'email' | 'sms' | 'https' | 'application';

/** What SNS makes of a request that it can refuse; `reason` is what it says. */
export type Accepted = { readonly ok: true; readonly arn: string } | { readonly ok: false; readonly reason: string };

/** Topics of people and their subscriptions. */
export interface Topics {
  /** Creates the person's topic, or finds it. Gives the ARN. */
  create(person: string): Promise<string>;
  /** Deletes a topic with all its subscriptions, confirmed or not; nothing when it is gone. */
  delete(topicArn: string): Promise<void>;
  /** The same endpoint twice is one subscription. */
  subscribe(topicArn: string, protocol: Protocol, endpoint: string): Promise<Accepted>;
  /** `pending`: SNS does not end what is not confirmed. What is not there is ended. */
  unsubscribe(subscriptionArn: string): Promise<'ended' | 'pending'>;
  /** Whether it is confirmed, by `<protocol> <endpoint>`; those that were ended are not in it. */
  subscriptions(topicArn: string): Promise<ReadonlyMap<string, 'active' | 'pending'>>;
}

/** Telephones in SNS: https://docs.aws.amazon.com/sns/latest/dg/mobile-platform-endpoint.html */
export interface Endpoints {
  /** Gives the one that exists when the token is registered already, whatever its attributes. */
  create(applicationArn: string, token: string): Promise<Accepted>;
  /** Undefined when it was deleted. */
  attributes(endpointArn: string): Promise<{ readonly token: string; readonly enabled: boolean } | undefined>;
  /** Sets the token and enables it. */
  renew(endpointArn: string, token: string): Promise<Accepted>;
  delete(endpointArn: string): Promise<void>;
}

/** The rows of things. */
export interface Maintenance {
  /** Until then nobody is told about the thing; undefined ends it. False when there is no such thing. */
  mute(thing: string, until: number | undefined, by: string): Promise<boolean>;
}

export interface Ports {
  readonly records: Records;
  readonly topics: Topics;
  readonly endpoints: Endpoints;
  readonly maintenance: Maintenance;
  /** ARNs of platform applications; undefined where there is none. */
  readonly applications: { readonly apns: string | undefined; readonly fcm: string | undefined };
}
