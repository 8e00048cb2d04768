/** What the telemetry rule writes, and the rows of the aggregates table, with their keys. */
import * as v from 'valibot';
import { SENSOR_NAME, THING_NAME } from './names.ts';
import { ReadingValue } from './telemetry.ts';

/** A device clock that is further ahead of the time of arrival than this is wrong. */
export const CLOCK_AHEAD_MS = 10 * 60 * 1000;

/**
 * A message is stored under the time of its first reading. Readings that are further from it are not found by their time in
 * the history; roll-ups have them.
 */
export const MAX_BATCH_SPAN_MS = 60 * 60 * 1000;

/** What the rule adds to a message. These replace members of the same name, so they are not part of what a device sent. */
export const RULE_COLUMNS = [
  'pk',
  'sk',
  'thing',
  'sensor',
  'receivedAt',
  'messageId',
  'expiresAt',
  'clockAhead',
  'clockBehind',
] as const;

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger());
const ThingName = v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name'));
const SensorName = v.pipe(v.string(), v.regex(SENSOR_NAME, 'is no sensor name'));

/** The columns that the rule takes from the topic and from the clock of AWS IoT, never from the payload. */
export const TelemetryEnvelope = v.looseObject({
  /** Empty when the topic is below a sensor's topic. */
  pk: v.pipe(v.string(), v.minLength(1, 'the topic is not device/{thing}/sensor/{sensor}/v1')),
  thing: ThingName,
  sensor: SensorName,
  receivedAt: EpochMilliseconds,
});
export type TelemetryEnvelope = v.InferOutput<typeof TelemetryEnvelope>;

/** The device's clock was wrong: `time` is the time of arrival, `deviceTime` what the device said. */
const ClockMark = v.picklist(['ahead', 'behind']);
export type ClockMark = v.InferOutput<typeof ClockMark>;

/** The newest value of a sensor: pk `{thing}`, sk `latest#{sensor}`. */
export const LatestItem = v.object({
  pk: v.string(),
  sk: v.string(),
  thing: ThingName,
  sensor: SensorName,
  value: ReadingValue,
  unit: v.optional(v.string()),
  /** Device time, or time of arrival when the device gave none or an absurd one. */
  time: EpochMilliseconds,
  receivedAt: EpochMilliseconds,
  messageId: v.string(),
  clock: v.optional(ClockMark),
  deviceTime: v.optional(EpochMilliseconds),
});
export type LatestItem = v.InferOutput<typeof LatestItem>;

const Totals = {
  /** Readings. */
  count: v.pipe(v.number(), v.integer()),
  /** Of numbers, and of booleans as 0 and 1; absent when there was neither. Double precision. */
  min: v.optional(v.number()),
  max: v.optional(v.number()),
  sum: v.optional(v.number()),
  /** The value with the latest time; of several with that time, the greatest. */
  last: ReadingValue,
  lastTime: EpochMilliseconds,
};

export const MinuteBucket = v.object(Totals);
export type MinuteBucket = v.InferOutput<typeof MinuteBucket>;

/**
 * A bucket as it is stored, since an hour's item is charged for its size with each write: value and millisecond of the minute
 * of the last reading, and, where there are several, count, sum, least and greatest (null where there is no number).
 */
const StoredBucket = v.union([
  v.strictTuple([ReadingValue, v.number()]),
  v.strictTuple([
    ReadingValue,
    v.number(),
    v.number(),
    v.nullable(v.number()),
    v.nullable(v.number()),
    v.nullable(v.number()),
  ]),
]);
type StoredBucket = v.InferOutput<typeof StoredBucket>;

/** Roll-up of a sensor's hour: pk `{thing}#{sensor}`, sk `hour#2026-11-21T10` (UTC). */
export const HourItem = v.object({
  pk: v.string(),
  sk: v.string(),
  thing: ThingName,
  sensor: SensorName,
  ...Totals,
  /** By minute of the hour, `00` to `59`; minutes without readings are absent. */
  minutes: v.record(v.string(), MinuteBucket),
  /** Numbered messages that are counted, newest session last: what `decodeSequences` reads. */
  sessions: v.array(v.object({ session: v.string(), seen: v.string() })),
  /** Other ids of messages that are counted, newest last. */
  ids: v.array(v.string()),
  /** The highest sequence number that is counted, by shard of the stream. */
  shards: v.record(v.string(), v.string()),
  /** Grows with every write; writers that lose a race start again. */
  version: v.pipe(v.number(), v.integer()),
  /** Epoch seconds. */
  expiresAt: v.pipe(v.number(), v.integer()),
});
export type HourItem = v.InferOutput<typeof HourItem>;

export const StoredHourItem = v.object({ ...HourItem.entries, minutes: v.record(v.string(), StoredBucket) });
export type StoredHourItem = v.InferOutput<typeof StoredHourItem>;

/** An hour's item as it is stored. */
export function encodeHourItem(item: HourItem): StoredHourItem {
  const minutes = Object.entries(item.minutes).map(([minute, bucket]) => [minute, encodeBucket(bucket)] as const);
  return { ...item, minutes: Object.fromEntries(minutes) };
}

/** An hour's item with its buckets in full. */
export function decodeHourItem(item: StoredHourItem): HourItem {
  const hour = item.sk.slice('hour#'.length);
  const minutes = Object.entries(item.minutes).map(
    ([minute, bucket]) => [minute, decodeBucket(bucket, Date.parse(`${hour}:${minute}:00Z`))] as const,
  );
  return { ...item, minutes: Object.fromEntries(minutes) };
}

const MINUTE_MS = 60_000;

function encodeBucket({ count, min, max, sum, last, lastTime }: MinuteBucket): StoredBucket {
  const millisecond = lastTime % MINUTE_MS;
  return count === 1 ? [last, millisecond] : [last, millisecond, count, sum ?? null, min ?? null, max ?? null];
}

function decodeBucket([last, millisecond, ...totals]: StoredBucket, minute: number): MinuteBucket {
  const number = typeof last === 'string' ? null : Number(last);
  const [count = 1, sum = number, min = number, max = number] = totals;
  return {
    count,
    ...(min !== null && { min }),
    ...(max !== null && { max }),
    ...(sum !== null && { sum }),
    last,
    lastTime: minute + millisecond,
  };
}

/** Messages of a thing in an hour of arrival: pk `{thing}`, sk `rate#2026-11-21T10` (UTC). */
export const RateItem = v.object({
  pk: v.string(),
  sk: v.string(),
  thing: ThingName,
  messages: v.pipe(v.number(), v.integer()),
  shards: v.record(v.string(), v.string()),
  /** The operator was told that the thing sends more than expected. */
  reported: v.boolean(),
  version: v.pipe(v.number(), v.integer()),
  expiresAt: v.pipe(v.number(), v.integer()),
});
export type RateItem = v.InferOutput<typeof RateItem>;

/** The hour that a time lies in, as keys have it: `2026-11-21T10`. */
export function hourOf(time: number): string {
  return new Date(time).toISOString().slice(0, 13);
}

export function historyKey(thing: string, sensor: string): string {
  return `${thing}#${sensor}`;
}

export function latestKey(thing: string, sensor: string): { readonly pk: string; readonly sk: string } {
  return { pk: thing, sk: `latest#${sensor}` };
}

export function hourKey(thing: string, sensor: string, hour: string): { readonly pk: string; readonly sk: string } {
  return { pk: `${thing}#${sensor}`, sk: `hour#${hour}` };
}

export function rateKey(thing: string, hour: string): { readonly pk: string; readonly sk: string } {
  return { pk: thing, sk: `rate#${hour}` };
}

/** A message in the quarantine queue. */
export const QuarantinedMessage = v.object({
  /** From the topic; null when the rule's own columns are damaged. */
  thing: v.nullable(v.string()),
  sensor: v.nullable(v.string()),
  /** Which rule of the contract it breaks, by path. */
  reason: v.string(),
  shardId: v.string(),
  sequenceNumber: v.string(),
  receivedAt: v.optional(v.number()),
  /** What the device sent; AWS IoT hands on a payload that is no JSON in base64. */
  message: v.optional(v.unknown()),
  /** Instead of `message`: what was on the stream, when it is no JSON object at all. */
  base64: v.optional(v.string()),
});
export type QuarantinedMessage = v.InferOutput<typeof QuarantinedMessage>;
