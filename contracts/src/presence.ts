/** Presence: what the rules put on the presence queue, what the function puts on its own, and the state in the thing's row. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const ThingName = v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name'));
const EpochMilliseconds = v.pipe(v.number(), v.safeInteger());
const Version = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Text = v.pipe(v.string(), v.maxLength(256));

/** `clientToken` of the update that a last will becomes; a rejection that carries it was of a will. */
export const LAST_WILL_TOKEN = 'last-will';

/** What the device sends as its last will, and what it reports in its shadow's `reported` on every connect. */
export const LastWill = v.object({
  /** New for every CONNECT. */
  session: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
});
export type LastWill = v.InferOutput<typeof LastWill>;

/**
 * `$aws/events/presence/+/+` as the rule hands it on. It may come twice, late, out of order, or not at all:
 * https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html
 */
const LifeCycleEvent = v.object({
  kind: v.literal('life-cycle'),
  thing: ThingName,
  eventType: v.picklist(['connected', 'disconnected']),
  /** AWS IoT's own id of the connection; it does not sort. */
  session: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  /** Rises with every connection of a client id, and begins at 0 again when it was away for about an hour. */
  version: Version,
  at: EpochMilliseconds,
  reason: v.optional(Text),
  ipAddress: v.optional(Text),
});
export type LifeCycleEvent = v.InferOutput<typeof LifeCycleEvent>;

/** Whatever a device writes into its shadow: it may not end in the dead-letter queue. */
const SessionOfDevice = v.pipe(
  v.unknown(),
  v.transform((value) => (typeof value === 'string' && value.length <= 256 ? value : undefined)),
);

/** A shadow update that changed `reported.connected` or `reported.session`. Versions of a shadow order its updates. */
const ShadowReport = v.object({
  kind: v.literal('shadow'),
  thing: ThingName,
  connected: v.boolean(),
  session: v.optional(SessionOfDevice),
  version: Version,
  at: EpochMilliseconds,
});
export type ShadowReport = v.InferOutput<typeof ShadowReport>;

/** The update that a last will became was refused: mostly because the shadow was changed in the meantime. */
const WillRejected = v.object({ kind: v.literal('will-rejected'), thing: ThingName });

const Observation = v.variant('kind', [LifeCycleEvent, ShadowReport, WillRejected]);
export type Observation = v.InferOutput<typeof Observation>;

/** Look again: at the connection, at the shadow, and at what is pending. Says what to look at, never what is true. */
const CheckThing = v.object({
  kind: v.literal('check'),
  thing: ThingName,
  /** Epoch milliseconds. A delay of more than SQS can do is passed on until then. */
  dueAt: EpochMilliseconds,
  /** What is pending: the id of the outage or of the return that this check is about. Without one, it compares and repairs only. */
  about: v.optional(v.string()),
});
export type CheckThing = v.InferOutput<typeof CheckThing>;

/** Has a thing that sleeps been silent for too long? */
const CheckSilence = v.object({ kind: v.literal('silence'), thing: ThingName });

/** Comes every minute: find things that are overdue. */
const Sweep = v.object({ kind: v.literal('sweep') });

const Check = v.variant('kind', [CheckThing, CheckSilence, Sweep]);
export type Check = v.InferOutput<typeof Check>;

/** What may be on the two queues. */
export const PresenceMessage = v.variant('kind', [Observation, Check]);
export type PresenceMessage = v.InferOutput<typeof PresenceMessage>;

const Outage = v.object({
  id: v.string(),
  since: EpochMilliseconds,
  /** When a notice may go out. */
  dueAt: EpochMilliseconds,
  /** The notice that went out about it. */
  notice: v.optional(v.string()),
  /** How many things that notice was about. */
  noticeCount: v.optional(Version),
});

/** The member `presence` of a thing's row. */
export const PresenceState = v.object({
  connected: v.boolean(),
  since: EpochMilliseconds,
  reason: v.optional(Text),
  ipAddress: v.optional(Text),
  /** The last life-cycle event that counts. */
  lifeCycle: v.optional(
    v.object({ connected: v.boolean(), session: v.string(), version: Version, at: EpochMilliseconds }),
  ),
  /** The last report in the shadow that was seen. */
  shadow: v.optional(
    v.object({ connected: v.boolean(), session: v.optional(v.string()), version: Version, at: EpochMilliseconds }),
  ),
  /** What the message broker last answered, and when it was asked. */
  broker: v.optional(v.object({ connected: v.boolean(), at: EpochMilliseconds })),
  /** Present from the moment it is offline until it is back. */
  outage: v.optional(Outage),
  /** It is back, and a notice had said, or was about to say, that it was gone: the notice that says so is pending. */
  returned: v.optional(
    v.object({
      id: v.string(),
      at: EpochMilliseconds,
      dueAt: EpochMilliseconds,
      /** The outage that is over. */
      outage: v.string(),
      /** False: whether a notice named that outage has to be looked up. */
      noticed: v.boolean(),
    }),
  ),
  /** Grows with every write; writers that lose a race start again. */
  revision: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});
export type PresenceState = v.InferOutput<typeof PresenceState>;

/** What the presence function reads of a thing's row. */
export const PresenceRow = v.object({
  presence: v.optional(PresenceState),
  thingType: v.optional(v.string()),
  /** The thing through which this one speaks. */
  gateway: v.optional(ThingName),
  /** Maintenance: until then no notice goes out. */
  mutedUntil: v.optional(EpochMilliseconds),
  dueAt: v.optional(EpochMilliseconds),
});
export type PresenceRow = v.InferOutput<typeof PresenceRow>;

/** Settings of the function, as JSON in its environment. Times in seconds. */
const PresenceTimes = {
  offlineDelaySeconds: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Set for things that sleep: silence beyond it is their outage, not a disconnection. */
  expectedIntervalSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60))),
};
export const PresenceSettings = v.object({
  ...PresenceTimes,
  /** Outages of one group that become due within so long of each other are one notice. */
  groupWindowSeconds: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** By thing type. */
  thingTypes: v.record(v.string(), v.partial(v.object(PresenceTimes))),
});
export type PresenceSettings = v.InferOutput<typeof PresenceSettings>;
