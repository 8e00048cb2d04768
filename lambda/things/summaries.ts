import type { Summary } from '@thingstead/contracts/routes/things';
import { CLOCK_AHEAD_MS, type HourItem, hourOf, type MinuteBucket } from '@thingstead/contracts/telemetry-store';
import * as v from 'valibot';
import { addBucket } from '../telemetry/bucket.ts';
import type { KeyRange, Readings } from './ports.ts';
import { keyOfTime } from './stored-message.ts';
import type { Series } from './telemetry.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Items of hours that one page reads at most. */
const MAX_HOURS = 400;
const HOURS_AT_A_TIME = 100;

/** Summaries that begin before it have been shown. Epoch milliseconds. */
export const SummaryPosition = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export interface SummaryPage {
  readonly summaries: Summary[];
  readonly next: number | undefined;
}

/**
 * Minutes, or hours, that begin in the time that is asked for. Roll-ups do not keep when a reading arrived, and a device's clock may be
 * ahead by CLOCK_AHEAD_MS: so the first minute is that much later than what the caller may see, and an hour with earlier minutes is
 * summed up without them.
 */
export async function summaries(
  { thing, sensor, from, to, visibleFrom, limit, resolution }: Series & { readonly resolution: 'minute' | 'hour' },
  position: number | undefined,
  readings: Readings,
): Promise<SummaryPage> {
  const start = Math.max(from, position ?? from);
  const visible = visibleFrom === 0 ? 0 : visibleFrom + CLOCK_AHEAD_MS;
  const summed: Summary[] = [];
  const range = { from: hourKeyOf(Math.max(start, visible - HOUR_MS)), to: hourKeyAfter(to) };
  // All that is asked for may be of an earlier owner. DynamoDB takes no range that ends before it begins.
  let left: KeyRange | undefined = range.from <= range.to ? range : undefined;
  let done = start;
  for (let read = 0; left && read < MAX_HOURS; ) {
    const size = resolution === 'hour' ? limit - summed.length : Math.ceil((limit - summed.length) / 60) + 1;
    const page: Awaited<ReturnType<Readings['hours']>> = await readings.hours(
      ...([thing, sensor, left, Math.min(size, HOURS_AT_A_TIME)] as const),
    );
    for (const item of page.items) {
      done = Math.max(start, timeOfHourKey(item.sk) + HOUR_MS);
      const minutes = visibleMinutes(item, visible);
      const found = resolution === 'hour' ? hourOfMinutes(item, minutes) : minutes.map(summaryOf);
      summed.push(...found.filter(({ time }) => time >= start && time < to));
    }
    left = page.rest;
    read += Math.max(page.items.length, 10);
    if (summed.length >= limit) break;
  }
  const next = summed[limit]?.time ?? (left && done);
  return { summaries: summed.slice(0, limit), next: next === undefined || next >= to ? undefined : next };
}

type Minute = readonly [time: number, bucket: MinuteBucket];

/** In their order. */
function visibleMinutes({ sk, minutes }: HourItem, visible: number): readonly Minute[] {
  const hour = timeOfHourKey(sk);
  return Object.entries(minutes)
    .map(([minute, bucket]): Minute => [hour + Number(minute) * MINUTE_MS, bucket])
    .filter(([time]) => time >= visible)
    .sort(([a], [b]) => a - b);
}

function hourOfMinutes({ sk, ...item }: HourItem, minutes: readonly Minute[]): Summary[] {
  if (minutes.length === 0) return [];
  const all = minutes.length === Object.keys(item.minutes).length;
  const totals = all ? item : minutes.map(([, bucket]) => bucket).reduce(addBucket);
  return [summaryOf([timeOfHourKey(sk), totals])];
}

function summaryOf([time, { count, min, max, sum, last }]: readonly [number, MinuteBucket]): Summary {
  return { time, count, min, max, mean: sum === undefined ? undefined : sum / count, last };
}

function hourKeyOf(time: number): string {
  return `hour#${hourOf(Date.parse(keyOfTime(time)))}`;
}

/** Beyond the key of the hour in which the last millisecond before `to` lies. */
function hourKeyAfter(to: number): string {
  return `${hourKeyOf(to - 1)}~`;
}

/** NaN never comes: keys of hours are ours. */
function timeOfHourKey(sk: string): number {
  return Date.parse(`${sk.slice('hour#'.length, 'hour#2026-11-21T10'.length)}:00:00.000Z`);
}
