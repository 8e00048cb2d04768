import { type HourItem, hourKey, hourOf, type MinuteBucket } from '@thingstead/contracts/telemetry-store';
import { addBucket, summarize } from './bucket.ts';
import type { Message, TimedReading } from './message.ts';
import { SeenMessages } from './seen-messages.ts';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** The part of a message that lies in one hour. */
interface HourPart {
  readonly message: Message;
  readonly readings: readonly TimedReading[];
}

/** What a batch has for one hour item, in the order of the stream. */
export interface HourGroup {
  readonly thing: string;
  readonly sensor: string;
  readonly hour: string;
  readonly parts: readonly HourPart[];
}

/** Sorts messages by the item to which they belong; a message that spans hours belongs to several. */
export function groupByHour(messages: readonly Message[]): readonly HourGroup[] {
  const groups = new Map<string, { thing: string; sensor: string; hour: string; parts: HourPart[] }>();
  for (const message of messages) {
    const { thing, sensor } = message;
    for (const [hour, readings] of Map.groupBy(message.readings, ({ time }) => hourOf(time))) {
      const key = JSON.stringify([thing, sensor, hour]);
      const group = groups.get(key) ?? { thing, sensor, hour, parts: [] };
      group.parts.push({ message, readings });
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

/** The hour item with these messages added, each at most once; undefined when all of them are counted already. */
export function addToHour(
  item: HourItem | undefined,
  { thing, sensor, hour, parts }: HourGroup,
  retentionDays: number,
): HourItem | undefined {
  const seen = new SeenMessages(item);
  const fresh = parts.filter(({ message }) => seen.add(message));
  const totals = fresh.reduce((sum, { readings }) => addReadings(sum, readings), item && bucketIn(item));
  if (fresh.length === 0 || !totals) return undefined;
  const minutes = { ...item?.minutes };
  for (const { readings } of fresh) {
    for (const [minute, inMinute] of Map.groupBy(readings, minuteOf)) {
      const bucket = addReadings(minutes[minute], inMinute);
      if (bucket) minutes[minute] = bucket;
    }
  }
  return {
    ...hourKey(thing, sensor, hour),
    thing,
    sensor,
    ...totals,
    minutes,
    ...seen.toColumns(),
    version: (item?.version ?? 0) + 1,
    expiresAt: Date.parse(`${hour}:00:00Z`) / 1000 + HOUR_SECONDS + retentionDays * DAY_SECONDS,
  };
}

function bucketIn({ count, min, max, sum, last, lastTime }: HourItem): MinuteBucket {
  return { count, min, max, sum, last, lastTime };
}

function addReadings(bucket: MinuteBucket | undefined, readings: readonly TimedReading[]): MinuteBucket | undefined {
  const summary = summarize(readings);
  return summary ? addBucket(bucket, summary) : bucket;
}

function minuteOf({ time }: TimedReading): string {
  return new Date(time).toISOString().slice(14, 16);
}
