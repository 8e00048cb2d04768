/** Rollouts: how a release is brought to devices, a few at first, and what became of it on each. */
import * as v from 'valibot';
import { Product } from './firmware.ts';
import { SiteName, ThingName } from './grants.ts';

/** A ULID; rollouts sort by the time they were made. */
export const RolloutId = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is no id of a rollout'));

const Seconds = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));
const Percent = v.pipe(v.number(), v.minValue(0.01), v.maxValue(100));
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const WEEK = 7 * 86_400;
/** The row of the rollout has all names in it. */
export const MAX_NAMED_THINGS = 500;
export const MAX_WAVES = 10;
/** A tick starts at most 100 devices, and ticks are a second apart. */
export const MAX_STARTS_PER_MINUTE = 5_000;

/**
 * Things of the release's product (their type) to which it goes: all of them, or what is left of them by every member that is
 * given. `percent` takes the same things in each rollout, and more of them when it grows.
 */
export const RolloutTarget = v.pipe(
  v.strictObject({
    things: v.optional(v.pipe(v.array(ThingName), v.minLength(1), v.maxLength(MAX_NAMED_THINGS))),
    site: v.optional(SiteName),
    /** The version they run now. */
    firmware: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/, 'is no firmware version'))),
    connected: v.optional(v.boolean()),
    prefix: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/, 'is no beginning of a thing name'))),
    percent: v.optional(Percent),
  }),
  v.check(
    ({ things, ...others }) => things === undefined || Object.values(others).every((each) => each === undefined),
    'names things, and so nothing else',
  ),
);
export type RolloutTarget = v.InferOutput<typeof RolloutTarget>;

/** How far a wave goes, counted from the first device on: `{count: 5}`, `{percent: 25}`. */
const Wave = v.union([v.strictObject({ count: Count }), v.strictObject({ percent: Percent })]);
export type Wave = v.InferOutput<typeof Wave>;

const PerMinute = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_STARTS_PER_MINUTE));

/**
 * How many devices are started in a minute. The second one begins with `basePerMinute` and multiplies it by `factor` each time
 * that another `every` devices were notified or have succeeded, as AWS IoT Jobs does:
 * https://docs.aws.amazon.com/iot/latest/developerguide/jobs-configurations-details.html
 */
const Rate = v.union([
  v.strictObject({ perMinute: PerMinute }),
  v.strictObject({
    basePerMinute: PerMinute,
    factor: v.pipe(v.number(), v.minValue(1.1), v.maxValue(5)),
    every: Count,
    of: v.picklist(['notified', 'succeeded']),
    maximumPerMinute: v.optional(PerMinute, MAX_STARTS_PER_MINUTE),
  }),
]);
export type Rate = v.InferOutput<typeof Rate>;

/** Every day, from `from` on for so many minutes, on a clock that is so far ahead of UTC. */
const MaintenanceWindow = v.strictObject({
  from: v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is no time of a day such as 02:30')),
  minutes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1439)),
  utcOffsetMinutes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-720), v.maxValue(840)), 0),
});
export type MaintenanceWindow = v.InferOutput<typeof MaintenanceWindow>;

/** What a device that runs the new version has to show for `soakSeconds` before its update counts as a success. */
const Health = v.strictObject({
  soakSeconds: v.optional(Seconds(0, WEEK), 600),
  /** How often it may connect again meanwhile. */
  maxReconnects: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)), 3),
  /** A sensor that says how bad things are: its mean since the update may be higher than before it by `maxErrorIncrease`. */
  errorSensor: v.optional(v.pipe(v.string(), v.regex(/^(?!\.{1,2}$)[a-zA-Z0-9_.-]{1,64}$/, 'is no sensor name'))),
  maxErrorIncrease: v.optional(v.pipe(v.number(), v.minValue(0)), 0),
});
export type Health = v.InferOutput<typeof Health>;

export const RolloutSettings = v.strictObject({
  target: v.optional(RolloutTarget, {}),
  waves: v.optional(
    v.pipe(
      v.array(Wave),
      v.minLength(1),
      v.maxLength(MAX_WAVES),
      v.check((waves) => {
        const last = waves.at(-1);
        return last !== undefined && 'percent' in last && last.percent === 100;
      }, 'must end with {percent: 100}'),
    ),
    [{ count: 5 }, { percent: 25 }, { percent: 100 }],
  ),
  rate: v.optional(Rate, { perMinute: 100 }),
  /** So many percent of a wave have to succeed before the next one begins; those that were never connected do not count. */
  successPercent: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 95),
  /** Ends the rollout as soon as both are reached: failures in percent of all that have failed or run the release, and their number. */
  abort: v.optional(v.strictObject({ failurePercent: Percent, minimumFailures: Count }), {
    failurePercent: 10,
    minimumFailures: 2,
  }),
  /** A device that is connected for so long without a word of its update has failed. */
  answerSeconds: v.optional(Seconds(30, WEEK), 3600),
  /** From its first word to the one that the new version has committed. */
  updateSeconds: v.optional(Seconds(60, WEEK), 7200),
  /** More attempts per device, after a failure that may pass. */
  retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)), 0),
  window: v.optional(MaintenanceWindow),
  health: v.optional(Health, {}),
  /** Things of the product that join later get this release too, once the rollout is complete. By default when it was for all. */
  makeCurrent: v.optional(v.boolean()),
});
export type RolloutSettings = v.InferOutput<typeof RolloutSettings>;

/** What an operator asks for. */
export const NewRollout = v.strictObject({
  /** Chosen by whoever asks, so that a request may be sent again: the same id is the same rollout. */
  id: v.optional(RolloutId),
  product: Product,
  /** Of the release. */
  counter: Count,
  ...RolloutSettings.entries,
});
export type NewRollout = v.InferOutput<typeof NewRollout>;

/** EXPANDING: devices are listed, none has heard of it. ABORTED: no more are started; `endedAt` when the last one has ended. */
export const ROLLOUT_STATES = ['EXPANDING', 'RUNNING', 'PAUSED', 'ABORTED', 'COMPLETED'] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/**
 * One device in a rollout. NOTIFIED: the release is desired. UPDATING: it has answered. SOAKING: the new version has committed.
 * RETRY: it waits for another attempt. UNREACHED: it was never connected; it counts as nothing, and gets the release when it comes.
 * SKIPPED: it had no need of it, or could not take it.
 */
export const ROLLOUT_DEVICE_STATES = [
  'PENDING',
  'RETRY',
  'NOTIFIED',
  'UPDATING',
  'SOAKING',
  'SUCCEEDED',
  'FAILED',
  'ROLLED_BACK',
  'TIMED_OUT',
  'UNREACHED',
  'SKIPPED',
  'CANCELLED',
] as const;
export type RolloutDeviceState = (typeof ROLLOUT_DEVICE_STATES)[number];

/** States in which something is still to come of a device, by itself or by its time. */
export const UNDER_WAY: readonly RolloutDeviceState[] = ['RETRY', 'NOTIFIED', 'UPDATING', 'SOAKING'];
export const FAILURES: readonly RolloutDeviceState[] = ['FAILED', 'ROLLED_BACK', 'TIMED_OUT'];

/** Why a device was left out. */
export const SKIP_REASONS = [
  'no-such-thing',
  'other-product',
  'other-hardware',
  'has-it-already',
  'not-reachable-from-here',
  'in-another-rollout',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** How many devices are started when this wave is full, of so many. */
export function waveEnd(wave: Wave, total: number): number {
  return 'count' in wave ? Math.min(wave.count, total) : Math.ceil((wave.percent / 100) * total);
}
