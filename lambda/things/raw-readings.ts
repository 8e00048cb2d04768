import { MAX_BATCH_SPAN_MS } from '@thingstead/contracts/telemetry-store';
import * as v from 'valibot';
import type { KeyRange, Readings, StoredMessage, StoredPage } from './ports.ts';
import { keyOfTime, type PlacedReading, readingsOf, timeOfKey } from './stored-message.ts';
import type { Series } from './telemetry.ts';

/** Messages that one page reads at most; each query counts as this many at least. */
const MAX_MESSAGES = 2_000;
const MESSAGES_PER_QUERY = 100;

/** Where a page ended. */
export const RawPosition = v.object({
  /** The key of the first message that may have readings which were not shown. */
  resume: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
  /** The last reading that was shown: its order, key and index. */
  after: v.optional(v.tuple([v.number(), v.pipe(v.string(), v.maxLength(512)), v.number()])),
});
export type RawPosition = v.InferOutput<typeof RawPosition>;

export interface RawPage {
  readonly readings: { value: number | boolean | string; unit: string | undefined; time: number }[];
  readonly next: RawPosition | undefined;
}

/**
 * Readings by time. Messages lie in the order of their first readings, and those of a batch reach further: so the search begins
 * MAX_BATCH_SPAN_MS early, and a reading is shown when no message that is still unread can come before it.
 */
export async function rawReadings(
  series: Series,
  position: RawPosition | undefined,
  readings: Readings,
): Promise<RawPage> {
  const { limit } = series;
  const { after } = position ?? {};
  const waiting: PlacedReading[] = [];
  const shown: PlacedReading[] = [];
  const start = position?.resume ?? keyOfTime(series.from - MAX_BATCH_SPAN_MS);
  let unread: string | undefined = start < keyOfTime(series.to) ? start : undefined;
  for await (const { items, rest } of pages(series, start, readings)) {
    for (const message of items) waiting.push(...visibleReadings(message, series, after));
    waiting.sort(inOrder);
    const unsettled = rest ? waiting.findIndex(({ order }) => order > timeOfKey(rest.from)) : -1;
    const settled = unsettled === -1 ? waiting.length : unsettled;
    shown.push(...waiting.splice(0, Math.min(settled, limit - shown.length)));
    unread = rest?.from;
    if (shown.length === limit) break;
  }
  const resume = [...waiting.map(({ sk }) => sk), ...(unread === undefined ? [] : [unread])].sort()[0];
  const last = shown.at(-1);
  const reached = last ? ([last.order, last.sk, last.index] as const) : after;
  return {
    readings: shown.map(({ value, unit, time }) => ({ value, unit, time })),
    next: resume === undefined ? undefined : { resume, ...(reached && { after: [...reached] }) },
  };
}

/** `from` must be before `to`. First the batches that began before `from`, then all messages; each page with what is left to read after it. */
async function* pages(
  { thing, sensor, from, to, limit }: Series,
  start: string,
  readings: Readings,
): AsyncGenerator<StoredPage<StoredMessage>> {
  const [first, end] = [keyOfTime(from), keyOfTime(to)];
  let left: KeyRange | undefined = { from: start, to: end };
  // A batch has many readings, so few messages may do; it is more each time.
  let size = Math.min(limit + 1, 25);
  for (let read = 0; left && left.from < end && read < MAX_MESSAGES; ) {
    const early: boolean = left.from < first;
    const range: KeyRange = early ? { from: left.from, to: first } : left;
    const options = early ? { batchesOnly: true } : { limit: size };
    const page: StoredPage<StoredMessage> = await readings.messages(thing, sensor, range, options);
    left = page.rest ? { from: page.rest.from, to: end } : early ? { from: range.to, to: end } : undefined;
    if (left && left.from >= end) left = undefined;
    yield { items: page.items, rest: left };
    read += Math.max(page.items.length, MESSAGES_PER_QUERY);
    if (!early) size = Math.min(size * 4, limit + 1);
  }
}

function visibleReadings(
  message: StoredMessage,
  { from, to, visibleFrom }: Series,
  after: RawPosition['after'],
): readonly PlacedReading[] {
  const { receivedAt, readings } = readingsOf(message);
  // Neither what an earlier owner measured, nor what arrived while it was theirs.
  if (receivedAt < visibleFrom) return [];
  return readings.filter((each) => {
    const { time } = each;
    return time >= from && time < to && time >= visibleFrom && (!after || isAfter(each, after));
  });
}

function isAfter({ order, sk, index }: PlacedReading, after: NonNullable<RawPosition['after']>): boolean {
  return inOrder({ order, sk, index }, { order: after[0], sk: after[1], index: after[2] }) > 0;
}

type Place = Pick<PlacedReading, 'order' | 'sk' | 'index'>;

function inOrder(a: Place, b: Place): number {
  return a.order - b.order || (a.sk < b.sk ? -1 : a.sk > b.sk ? 1 : a.index - b.index);
}
