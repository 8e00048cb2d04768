/** Compares what is in one store with what was sent to it: one line for each difference. */
import { isDeepStrictEqual } from 'node:util';
import { type HourItem, hourOf } from '@thingstead/contracts/telemetry-store';
import type { Row } from '../platform-stores.ts';
import type { SentMessage, SentReading } from './ledger.ts';

/** Every message once, with its readings, and no other. */
export function checkHistory(sent: readonly SentMessage[], rows: readonly Row[]): readonly string[] {
  return checkMessages('history', sent, rows, (times) => times === 1);
}

/** Every message at least once, with its readings, and no other. */
export function checkArchive(sent: readonly SentMessage[], rows: readonly Row[]): readonly string[] {
  return checkMessages('archive', sent, rows, (times) => times >= 1);
}

function checkMessages(
  store: string,
  sent: readonly SentMessage[],
  rows: readonly Row[],
  isRight: (times: number) => boolean,
): readonly string[] {
  const stored = Map.groupBy(rows, ({ messageId }) => String(messageId));
  const known = new Set(sent.map(({ id }) => id));
  const differences = sent.flatMap(({ thing, id, readings }) => {
    const found = stored.get(id) ?? [];
    if (!isRight(found.length)) return [`${store} has message ${id} of ${thing} ${found.length} times`];
    const same = found.every((each) => isDeepStrictEqual(each.readings, readings));
    return same ? [] : [`${store} has other readings in message ${id} of ${thing}`];
  });
  const unknown = [...stored.keys()].filter((id) => !known.has(id));
  return [...differences, ...unknown.map((id) => `${store} has message ${id}, which was not sent`)];
}

/** The reading with the latest time. */
export function checkLatest(sent: readonly SentMessage[], row: Row | undefined): readonly string[] {
  const { time, value } = newestOf(sent.flatMap(({ readings }) => readings));
  if (row?.time === time && row.value === value) return [];
  return [`latest value of ${sent[0]?.thing} is ${row?.value} of ${row?.time}; ${value} of ${time} was sent`];
}

/** Each hour and each minute with the totals of its readings, and no other. */
export function checkHours(sent: readonly SentMessage[], items: readonly HourItem[]): readonly string[] {
  const [{ thing } = { thing: '' }] = sent;
  const readings = sent.flatMap((each) => each.readings);
  const hours = Map.groupBy(readings, ({ time }) => hourOf(time));
  const differences = [...hours].flatMap(([hour, ofHour]) => {
    const item = items.find(({ sk }) => sk === `hour#${hour}`);
    if (!item) return [`there is no roll-up of ${thing} for ${hour}`];
    const expected = totalsOf(ofHour);
    const minutes = Map.groupBy(ofHour, ({ time }) => new Date(time).toISOString().slice(14, 16));
    const sentMinutes = Object.fromEntries([...minutes].map(([minute, each]) => [minute, totalsOf(each)]));
    const stored = Object.entries(item.minutes).map(([minute, each]) => [minute, totalsIn(each)]);
    if (isDeepStrictEqual(totalsIn(item), expected) && isDeepStrictEqual(Object.fromEntries(stored), sentMinutes))
      return [];
    const counts = `${item.count} readings with sum ${item.sum}; ${expected.count} with sum ${expected.sum} were sent`;
    return [`the roll-up of ${thing} for ${hour} has ${counts}`];
  });
  const unknown = items.filter(({ sk }) => !hours.has(String(sk).slice('hour#'.length)));
  return [...differences, ...unknown.map(({ sk }) => `there is a roll-up ${sk} of ${thing}, which sent nothing then`)];
}

interface Totals {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly last: number;
  readonly lastTime: number;
}

function totalsOf(readings: readonly SentReading[]): Totals {
  const values = readings.map(({ value }) => value);
  const { value: last, time: lastTime } = newestOf(readings);
  return {
    count: readings.length,
    min: Math.min(...values),
    max: Math.max(...values),
    sum: values.reduce((sum, each) => sum + each, 0),
    last,
    lastTime,
  };
}

function totalsIn({ count, min, max, sum, last, lastTime }: Row): Row {
  return { count, min, max, sum, last, lastTime };
}

function newestOf(readings: readonly SentReading[]): SentReading {
  return readings.reduce((a, b) => (b.time >= a.time ? b : a));
}
