import type { MinuteBucket } from '@thingstead/contracts/telemetry-store';
import type { TimedReading } from './message.ts';

type Value = TimedReading['value'];

/** The totals of readings of one message, in the order in which it has them; undefined when there are none. */
export function summarize(readings: readonly TimedReading[]): MinuteBucket | undefined {
  // Of two readings with the same time the one that the device put later is the newer one.
  return readings
    .map(bucketOf)
    .reduce<MinuteBucket | undefined>((sum, each) => merge(sum, each, () => true), undefined);
}

/** Adds the totals of another message. In which order messages are added makes no difference. */
export function addBucket(bucket: MinuteBucket | undefined, addition: MinuteBucket): MinuteBucket {
  // Which of two messages with the same time is the newer one nobody knows; the greater value is a choice that stays.
  return merge(bucket, addition, (last, other) => compare(other, last) > 0);
}

function bucketOf({ value, time }: TimedReading): MinuteBucket {
  const number = typeof value === 'string' ? undefined : Number(value);
  return { count: 1, min: number, max: number, sum: number, last: value, lastTime: time };
}

function merge(
  a: MinuteBucket | undefined,
  b: MinuteBucket,
  prefersSecond: (last: Value, other: Value) => boolean,
): MinuteBucket {
  if (!a) return b;
  const bIsLast = b.lastTime === a.lastTime ? prefersSecond(a.last, b.last) : b.lastTime > a.lastTime;
  const { last, lastTime } = bIsLast ? b : a;
  return {
    count: a.count + b.count,
    min: combine(a.min, b.min, Math.min),
    max: combine(a.max, b.max, Math.max),
    sum: combine(a.sum, b.sum, (x, y) => x + y),
    last,
    lastTime,
  };
}

function combine(
  a: number | undefined,
  b: number | undefined,
  operation: (a: number, b: number) => number,
): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return operation(a, b);
}

function compare(a: Value, b: Value): number {
  if (typeof a !== typeof b) return typeof a > typeof b ? 1 : -1;
  return a === b ? 0 : a > b ? 1 : -1;
}
