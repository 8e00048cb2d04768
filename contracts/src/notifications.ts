/** Notifications: what is asked of the channels function, the rows of the notifications table, and what needs a decision. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';
import { Notice } from './notices.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const ThingName = v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name'));
const SiteName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_]{1,63}$/, 'is no site name'));
/** It ends the name of the person's topic: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html */
const PersonId = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,128}$/, 'is no person id'));

/** A person's topic is this and the person's id. */
export const PERSON_TOPIC_PREFIX = 'thingstead-person-';

/** How long a delivery record is kept: a notice that comes again later than this would be published again. SQS keeps it as long. */
export const DELIVERY_RETENTION_DAYS = 14;

/** After so long the holder of a claim is no longer at work. More than the function's time limit, less than the queue's visibility timeout. */
export const CLAIM_LEASE_SECONDS = 90;

/** Limits of one person. SNS has none of these; they bound what one account can cost. */
export const MAX_CHANNELS_PER_PERSON = 20;

// Channels.

const Email = v.object({ type: v.literal('email'), address: v.pipe(v.string(), v.email(), v.maxLength(254)) });
/** E.164, with the plus. */
const Sms = v.object({
  type: v.literal('sms'),
  number: v.pipe(v.string(), v.regex(/^\+[1-9]\d{6,14}$/, 'is no number in E.164 form')),
});
const Webhook = v.object({
  type: v.literal('webhook'),
  url: v.pipe(v.string(), v.maxLength(1024), v.url(), v.startsWith('https://', 'must begin with https://')),
});
/** `device`: the installation of the app, the same for ever; `token`: what the platform calls it at present. */
const Push = v.object({
  type: v.literal('push'),
  platform: v.picklist(['apns', 'fcm']),
  device: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'is no device id')),
  token: v.pipe(v.string(), v.minLength(8), v.maxLength(4096)),
});
const Channel = v.variant('type', [Email, Sms, Webhook, Push]);
export type Channel = v.InferOutput<typeof Channel>;
export type PushChannel = v.InferOutput<typeof Push>;

/** ARNs of platform applications that the operator has made in SNS. */
export const PushApplications = v.strictObject({
  apnsArn: v.optional(
    v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:app\/APNS(?:_SANDBOX)?\/[\w.-]+$/)),
  ),
  fcmArn: v.optional(v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:app\/GCM\/[\w.-]+$/))),
});
export type PushApplications = v.InferOutput<typeof PushApplications>;

// Preferences.

const Kinds = v.array(Notice.entries.kind);

/** What a person wants to be told; of one thing, it is added to what holds for all. */
const Preferences = v.object({
  /** Only notices of these kinds; absent: all. */
  kinds: v.optional(Kinds),
  /** Nothing until then. */
  mutedUntil: v.optional(EpochMilliseconds),
});
export type Preferences = v.InferOutput<typeof Preferences>;

const Target = v.variant('kind', [
  v.object({ kind: v.literal('thing'), name: ThingName }),
  v.object({ kind: v.literal('site'), name: SiteName }),
  /** Everything that speaks through this thing. */
  v.object({ kind: v.literal('gateway'), name: ThingName }),
]);
export type Target = v.InferOutput<typeof Target>;

// Requests.

/**
 * What the channels function is invoked with. It believes `person`: whoever may invoke it has checked who that is, and that
 * they may see what they ask to watch.
 */
export const ChannelsRequest = v.variant('action', [
  v.strictObject({ action: v.literal('put-channel'), person: PersonId, channel: Channel }),
  v.strictObject({
    action: v.literal('delete-channel'),
    person: PersonId,
    id: v.pipe(v.string(), v.maxLength(128)),
  }),
  v.strictObject({ action: v.literal('list-channels'), person: PersonId }),
  /** Replaces them; with `thing` those for that thing. */
  v.strictObject({
    action: v.literal('put-preferences'),
    person: PersonId,
    thing: v.optional(ThingName),
    preferences: Preferences,
  }),
  v.strictObject({ action: v.literal('get-preferences'), person: PersonId }),
  v.strictObject({ action: v.literal('watch'), person: PersonId, target: Target }),
  v.strictObject({ action: v.literal('unwatch'), person: PersonId, target: Target }),
  /** Ends the channels and removes everything that is kept of the person, but not what they watch: that hangs on their grants. */
  v.strictObject({ action: v.literal('forget-person'), person: PersonId }),
  /** Maintenance: nobody gets a notice about the thing until then. Null ends it. */
  v.strictObject({
    action: v.literal('mute-thing'),
    person: PersonId,
    thing: ThingName,
    until: v.nullable(EpochMilliseconds),
  }),
]);
export type ChannelsRequest = v.InferOutput<typeof ChannelsRequest>;

/** Where a channel stands: `pending` waits for the person's confirmation, `gone` was ended by them, `disabled` by the platform. */
export type ChannelState = 'active' | 'pending' | 'gone' | 'disabled';

/** A channel as it is shown: without token. */
export interface ShownChannel {
  readonly id: string;
  readonly type: Channel['type'];
  /** Address, number, URL, or platform and device. */
  readonly to: string;
  readonly state: ChannelState;
}

export type ChannelsError =
  /** The request cannot be read; `reason` names the member. */
  | 'invalid-request'
  /** No platform application is configured for this platform. */
  | 'push-not-configured'
  /** SNS refuses address, number, URL or token; `reason` is what it says. */
  | 'channel-refused'
  /** SNS cannot end a subscription before it is confirmed; it forgets it after two days. */
  | 'channel-pending'
  | 'no-such-channel'
  | 'too-many-channels'
  | 'no-such-thing';

export type ChannelsAnswer =
  | { readonly ok: true; readonly channel: ShownChannel }
  | { readonly ok: true; readonly channels: readonly ShownChannel[] }
  | { readonly ok: true; readonly preferences: Preferences; readonly things: Readonly<Record<string, Preferences>> }
  | { readonly ok: true }
  | { readonly ok: false; readonly error: ChannelsError; readonly reason: string };

// Rows of the notifications table: pk and sk.

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** All rows of a person, which one query reads: profile, channels, preferences by thing, notices per day. */
export function personPartition(person: string): string {
  return `person#${person}`;
}

export function profileKey(person: string): Key {
  return { pk: personPartition(person), sk: 'profile' };
}

/** The person's preferences, and their topic once there was a channel. */
export const ProfileRow = v.object({
  topicArn: v.optional(v.string()),
  preferences: v.optional(Preferences),
});
export type ProfileRow = v.InferOutput<typeof ProfileRow>;

export function channelKey(person: string, id: string): Key {
  return { pk: personPartition(person), sk: `channel#${id}` };
}

export const ChannelRow = v.object({
  id: v.string(),
  channel: Channel,
  subscriptionArn: v.string(),
  /** Of a push channel. */
  endpointArn: v.optional(v.string()),
});
export type ChannelRow = v.InferOutput<typeof ChannelRow>;

export function thingPreferencesKey(person: string, thing: string): Key {
  return { pk: personPartition(person), sk: `thing#${thing}` };
}

export const ThingPreferencesRow = v.object({ preferences: Preferences });

/** How many notices a person has had on a day (UTC): `2026-11-21`. */
export function dayKey(person: string, day: string): Key {
  return { pk: personPartition(person), sk: `day#${day}` };
}

/** Who watches: one row per person. */
export function watcherKey({ kind, name }: Target, person: string): Key {
  return { pk: `${kind}#${name}`, sk: personPartition(person) };
}

/** A telephone belongs to one person at a time: who registered its token last. `tokenHash`: SHA-256, in hex. */
export function tokenKey(tokenHash: string): Key {
  return { pk: `token#${tokenHash}`, sk: 'owner' };
}

export const TokenRow = v.object({ person: v.string(), channelId: v.string() });
export type TokenRow = v.InferOutput<typeof TokenRow>;

/** All deliveries of a notice are one partition. */
export function deliveryKey(noticeId: string, person: string): Key {
  return { pk: `delivery#${noticeId}`, sk: personPartition(person) };
}

/**
 * Exists from before the Publish on. `claimed`: it is being sent, or nobody knows; `sent`; `unconfirmed`: nobody knows, and the
 * queue of failures has it; `over-limit`: the person has had the day's notices.
 */
export const DeliveryRow = v.object({
  noticeId: v.string(),
  person: v.string(),
  status: v.picklist(['claimed', 'sent', 'unconfirmed', 'over-limit']),
  /** Whose claim it is. */
  token: v.string(),
  at: EpochMilliseconds,
  /** Of SNS, once it is sent. */
  messageId: v.optional(v.string()),
});
export type DeliveryRow = v.InferOutput<typeof DeliveryRow>;

/** In the queue of failures: nobody knows whether this person got this notice. It is never published again by itself. */
export interface UnconfirmedDelivery {
  readonly kind: 'unconfirmed-delivery';
  readonly noticeId: string;
  readonly person: string;
  /** When it was begun, epoch milliseconds. */
  readonly at: number;
  readonly reason: string;
}
