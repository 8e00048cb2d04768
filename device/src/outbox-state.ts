import { batchLength, batchPayload } from './batching.ts';
import type { BatchEntry, EndEntry, Entry, ReadingEntry, StateEntry } from './journal-format.ts';
import type { OutboxMessage } from './outbox.ts';

interface Waiting {
  readonly order: number;
  readonly ran: number;
  readonly json: string;
  readonly entry: ReadingEntry;
}

/** A message with what is needed to write it down again. */
export interface Batch extends OutboxMessage {
  readonly entry: BatchEntry;
  readonly content: readonly Waiting[];
}

/** What a reading takes in the file besides its JSON, about. */
const READING_OVERHEAD = 90;

/**
 * What the entries of a journal amount to. The running outbox and the recovery both go through `apply`, so that what is
 * recovered is what was. Order is that of the entries; the device's clock has no say in it.
 */
export class OutboxState {
  session: string;
  #sequence = 0;
  #order = 0;
  ran = 0;
  dropped = 0;
  setAside = 0;
  damaged = 0;
  /** Readings that came while the disk did not take them. */
  unkept = 0;
  /** Readings that are waiting or in a batch. */
  size = 0;
  /** Bytes that they take in the file, about. */
  bytes = 0;
  readonly #waiting = new Map<string, Waiting[]>();
  /** Batches without an end, by id, in the order in which they were made. */
  readonly batches = new Map<string, Batch>();

  constructor(session: string) {
    this.session = session;
  }

  /** Gives the batch when the entry made one. */
  apply(entry: Entry): Batch | undefined {
    switch (entry.kind) {
      case 'state':
        this.#restore(entry);
        return undefined;
      case 'reading':
        this.#read(entry);
        return undefined;
      case 'batch':
        return this.#batch(entry);
      case 'end':
        this.#end(entry);
        return undefined;
    }
  }

  /** The entry for a new reading. */
  reading(sensor: string, reading: ReadingEntry['reading']): ReadingEntry {
    return { kind: 'reading', order: this.#order + 1, ran: this.ran, sensor, reading };
  }

  /** The entry for the next message: of the sensor with the oldest waiting reading. */
  nextBatch(): BatchEntry | undefined {
    const oldest = this.#oldestQueue();
    if (!oldest) return undefined;
    const [sensor, queue] = oldest;
    const count = batchLength(queue);
    const [first, last] = [queue[0], queue[count - 1]];
    if (!first || !last) return undefined;
    const range = { sensor, first: first.order, last: last.order };
    return { kind: 'batch', session: this.session, sequence: this.#sequence + 1, ...range, count };
  }

  /** The entry with which the oldest goes: a reading, or a whole batch that is not in flight. */
  nextDrop(inFlight: ReadonlySet<string>, olderThan = Number.POSITIVE_INFINITY): EndEntry | undefined {
    const oldest = this.#oldestQueue();
    const reading = oldest?.[1][0];
    let batch: Batch | undefined;
    for (const each of this.batches.values()) {
      if (!inFlight.has(each.id) && each.entry.first < (batch?.entry.first ?? Number.POSITIVE_INFINITY)) batch = each;
    }
    if (batch && batch.entry.first < (reading?.order ?? Number.POSITIVE_INFINITY)) {
      return (batch.content.at(-1)?.ran ?? 0) < olderThan ? endOf(batch, 'dropped') : undefined;
    }
    if (!oldest || !reading || reading.ran >= olderThan) return undefined;
    const range = { sensor: oldest[0], first: reading.order, last: reading.order };
    return { kind: 'end', outcome: 'dropped', ...range };
  }

  /** From here on ids are new ones: what was under the old session may not be known completely. */
  renew(session: string): void {
    this.session = session;
    this.#sequence = 0;
  }

  /** Gives a batch that was never sent an id of the present session. */
  renumber(batch: Batch): Batch {
    this.batches.delete(batch.id);
    this.#sequence += 1;
    const entry = { ...batch.entry, session: this.session, sequence: this.#sequence };
    return this.#addBatch(entry, batch.content);
  }

  /** Entries that amount to this state. */
  snapshot(): Entry[] {
    const { session, ran, dropped, setAside, damaged, unkept } = this;
    const numbers = { sequence: this.#sequence, order: this.#order };
    const entries: Entry[] = [{ kind: 'state', session, ...numbers, ran, dropped, setAside, damaged, unkept }];
    for (const { content, entry } of this.batches.values()) entries.push(...content.map((each) => each.entry), entry);
    const waiting = [...this.#waiting.values()].flat().sort((a, b) => a.order - b.order);
    entries.push(...waiting.map((each) => each.entry));
    return entries;
  }

  #restore({ session, sequence, order, ran, dropped, setAside, damaged, unkept }: StateEntry): void {
    Object.assign(this, { session, ran, dropped, setAside, damaged, unkept });
    this.#sequence = sequence;
    this.#order = order;
  }

  #read(entry: ReadingEntry): void {
    const { order, ran, sensor, reading } = entry;
    const queue = this.#waiting.get(sensor) ?? [];
    this.#waiting.set(sensor, queue);
    const json = JSON.stringify(reading);
    const sorted = (queue.at(-1)?.order ?? 0) < order;
    queue.push({ order, ran, json, entry });
    // Only what a damaged file leaves over can be out of order.
    if (!sorted) queue.sort((a, b) => a.order - b.order);
    this.#order = Math.max(this.#order, order);
    this.ran = Math.max(this.ran, ran);
    this.size += 1;
    this.bytes += json.length + READING_OVERHEAD;
  }

  #batch(entry: BatchEntry): Batch | undefined {
    if (entry.session === this.session) this.#sequence = Math.max(this.#sequence, entry.sequence);
    const content = this.#cut(entry);
    // A part of it is damaged: what is left cannot go under this id, which stands for other bytes.
    if (content.length !== entry.count) {
      this.#putWaiting(entry.sensor, content);
      return undefined;
    }
    return this.#addBatch(entry, content);
  }

  #addBatch(entry: BatchEntry, content: readonly Waiting[]): Batch {
    const id = `${entry.session}-${entry.sequence}`;
    const { sensor, count: readings } = entry;
    const batch = { id, sensor, readings, payload: batchPayload(id, content), entry, content };
    this.batches.set(id, batch);
    return batch;
  }

  #end({ sensor, first, last, outcome }: EndEntry): void {
    const gone = this.#cut({ sensor, first, last });
    for (const batch of this.batches.values()) {
      if (batch.entry.first > last || batch.entry.last < first || batch.sensor !== sensor) continue;
      this.batches.delete(batch.id);
      gone.push(...batch.content);
      break;
    }
    this.size -= gone.length;
    for (const { json } of gone) this.bytes -= json.length + READING_OVERHEAD;
    if (outcome !== 'acknowledged') this[outcome] += gone.length;
  }

  /** Takes readings of a range out of those that wait. */
  #cut({ sensor, first, last }: { readonly sensor: string; readonly first: number; readonly last: number }): Waiting[] {
    const queue = this.#waiting.get(sensor) ?? [];
    const start = queue.findIndex(({ order }) => order >= first);
    if (start === -1) return [];
    const end = queue.findIndex(({ order }) => order > last);
    return queue.splice(start, (end === -1 ? queue.length : end) - start);
  }

  #putWaiting(sensor: string, readings: readonly Waiting[]): void {
    const queue = [...(this.#waiting.get(sensor) ?? []), ...readings];
    this.#waiting.set(
      sensor,
      queue.sort((a, b) => a.order - b.order),
    );
  }

  #oldestQueue(): [string, Waiting[]] | undefined {
    let oldest: [string, Waiting[]] | undefined;
    for (const entry of this.#waiting) {
      const [head] = entry[1];
      if (head && head.order < (oldest?.[1][0]?.order ?? Number.POSITIVE_INFINITY)) oldest = entry;
    }
    return oldest;
  }
}

/** The entry with which a batch leaves. */
export function endOf({ entry: { sensor, first, last } }: Batch, outcome: EndEntry['outcome']): EndEntry {
  return { kind: 'end', outcome, sensor, first, last };
}
