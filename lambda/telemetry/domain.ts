import { type HourItem, hourOf, type RateItem } from '@thingstead/contracts/telemetry-store';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { newestOf } from './latest.ts';
import { type ParsedRecord, parseRecord, type StreamRecord } from './message.ts';
import type { Aggregates, Ports } from './ports.ts';
import { type Arrival, addToRate, groupByRate, type RateGroup } from './rate.ts';
import { addToHour, groupByHour, type HourGroup } from './roll-up.ts';
import { earliest } from './sequence-number.ts';

/** Writes to DynamoDB under way at a time. */
const CONCURRENCY = 16;
/** How often a write starts again that lost a race; after that the stream brings the records again. */
const MAX_ATTEMPTS = 5;

/** Another writer was faster several times on end. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
}

/** One write, with the records that must come again when it fails. */
interface Task {
  readonly what: string;
  readonly sequenceNumbers: readonly string[];
  run(): Promise<void>;
}

/**
 * Processes a batch of one shard, in the order of the stream. Gives the sequence number from which it must come again;
 * undefined when everything is done. INVARIANTS:
 * - each item is written once per batch, and remembers in the same write what it has counted: a repetition changes nothing;
 * - a failed write leaves the others alone; its records come again, and what was counted already is not counted twice;
 * - a message that is no reading goes to quarantine and fails nothing.
 */
export async function processBatch(records: readonly StreamRecord[], ports: Ports): Promise<string | undefined> {
  const { aggregates, quarantine, reports, settings } = ports;
  const parsed = records.map((record) => parseRecord(record, settings.maxBackfillMs));
  const messages = parsed.flatMap((each) => (each.kind === 'message' ? [each.message] : []));
  const malformed = parsed.flatMap((each) => (each.kind === 'malformed' ? [each.quarantined] : []));

  const tasks: Task[] = [
    ...malformed.map((message) => ({
      what: 'quarantine',
      sequenceNumbers: [message.sequenceNumber],
      run: async () => {
        await quarantine.send(message);
        reports.quarantined(message);
      },
    })),
    ...groupByHour(messages).map((group) => ({
      what: `hour ${group.hour} of ${group.thing}#${group.sensor}`,
      sequenceNumbers: group.parts.map(({ message }) => message.sequenceNumber),
      run: () => rollUp(group, ports),
    })),
    ...newestOf(messages).map(({ item, sequenceNumbers }) => ({
      what: `latest value of ${item.thing}#${item.sensor}`,
      sequenceNumbers,
      run: () => aggregates.putLatest(item),
    })),
    ...groupByRate(parsed.flatMap(arrivalOf)).map((group) => ({
      what: `rate of ${group.thing}`,
      sequenceNumbers: group.arrivals.map(({ sequenceNumber }) => sequenceNumber),
      run: () => count(group, ports),
    })),
  ];
  const failed = await mapConcurrent(tasks, CONCURRENCY, async ({ what, sequenceNumbers, run }) => {
    try {
      await run();
      return [];
    } catch (error) {
      reports.failed(what, error);
      return sequenceNumbers;
    }
  });
  return earliest(failed.flat());
}

async function rollUp(group: HourGroup, { aggregates, settings }: Ports): Promise<void> {
  const read = () => aggregates.hour(group.thing, group.sensor, group.hour);
  await update(aggregates, read, (item) => addToHour(item, group, settings.aggregatesRetentionDays));
}

/** Nothing when not even the thing is known. */
function arrivalOf(record: ParsedRecord): readonly Arrival[] {
  if (record.kind === 'message') {
    const { message } = record;
    return [{ ...message, hours: new Set(message.readings.map(({ time }) => hourOf(time))).size }];
  }
  const { thing, receivedAt, shardId, sequenceNumber } = record.quarantined;
  return thing === null || receivedAt === undefined ? [] : [{ thing, receivedAt, shardId, sequenceNumber }];
}

/** Counts messages of a thing. The operator is told before it is recorded that he was: at least once. */
async function count(group: RateGroup, { aggregates, reports, settings }: Ports): Promise<void> {
  const { thing, hour } = group;
  const read = () => aggregates.rate(thing, hour);
  const isNews = (item: RateItem | undefined) =>
    item !== undefined && !item.reported && item.messages > settings.expectedMessagesPerHour;
  const item = await update(aggregates, read, (found) => addToRate(found, group));
  if (!item || !isNews(item)) return;
  reports.overExpectedRate({ thing, hour, messages: item.messages });
  await update(aggregates, read, (found) =>
    found && isNews(found) ? { ...found, reported: true, version: found.version + 1 } : undefined,
  );
}

/** Reads, changes and writes an item; again when another writer was faster. Gives what is there then. @throws ContentionError */
async function update<Item extends HourItem | RateItem>(
  aggregates: Aggregates,
  read: () => Promise<Item | undefined>,
  change: (item: Item | undefined) => Item | undefined,
): Promise<Item | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const found = await read();
    const changed = change(found);
    if (!changed) return found;
    if (await aggregates.replace(changed)) return changed;
  }
  throw new ContentionError(`an item was changed by others ${MAX_ATTEMPTS} times while it was being updated`);
}
