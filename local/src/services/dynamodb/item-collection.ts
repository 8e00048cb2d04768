/**
 * The items of a table or of one of its indexes, by partition key and in order of the sort key. In memory, synchronous:
 * an operation sees and leaves a consistent state, which makes conditions and transactions atomic.
 */
import { createHash } from 'node:crypto';
import { type Item, sortable } from './attribute-value.ts';

export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N' | 'B';
}

export interface Entry {
  /** The sort key in sortable form; empty without a sort key. */
  readonly sort: string;
  /** The primary key of the table, which tells items of an index with equal keys apart; empty in the table itself. */
  readonly tie: string;
  readonly item: Item;
}

interface Partition {
  /** Where the partition stands in a scan: DynamoDB orders partitions by a hash of their key. */
  readonly hash: number;
  readonly key: string;
  readonly entries: Entry[];
}

/** Where to go on: the partition and the entry after which reading starts. */
export interface Position {
  readonly partition: string;
  readonly sort: string;
  readonly tie: string;
}

/** Limits of a sort key: each tells whether a key lies before the range, or still within its upper end. */
export interface SortRange {
  readonly before: (sort: string) => boolean;
  readonly within: (sort: string) => boolean;
}

const HASH_RANGE = 2 ** 32;

/** The first index whose entry is not `before`: entries are sorted so that those before come first. */
function firstNot(entries: readonly Entry[], before: (entry: Entry) => boolean): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && before(entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(entry: Entry, sort: string, tie: string): boolean {
  return entry.sort < sort || (entry.sort === sort && entry.tie < tie);
}

export class ItemCollection {
  readonly hashKey: KeyAttribute;
  readonly sortKey: KeyAttribute | undefined;
  readonly #partitions = new Map<string, Partition>();
  #inScanOrder: Partition[] | undefined;
  #count = 0;

  constructor(hashKey: KeyAttribute, sortKey: KeyAttribute | undefined) {
    this.hashKey = hashKey;
    this.sortKey = sortKey;
  }

  get count(): number {
    return this.#count;
  }

  /** Where an item stands; undefined when it lacks a key attribute, which keeps it out of an index. */
  positionOf(item: Item, tie = ''): Position | undefined {
    const hash = item[this.hashKey.name];
    const sort = this.sortKey === undefined ? undefined : item[this.sortKey.name];
    if (hash === undefined || (this.sortKey !== undefined && sort === undefined)) return undefined;
    const partition = sortable(hash);
    const sortText = sort === undefined ? '' : sortable(sort);
    return partition === undefined || sortText === undefined ? undefined : { partition, sort: sortText, tie };
  }

  get({ partition, sort, tie }: Position): Item | undefined {
    const entries = this.#partitions.get(partition)?.entries;
    if (entries === undefined) return undefined;
    const entry = entries[firstNot(entries, (each) => isBefore(each, sort, tie))];
    return entry?.sort === sort && entry.tie === tie ? entry.item : undefined;
  }

  put({ partition, sort, tie }: Position, item: Item): void {
    const { entries } = this.#partition(partition);
    const entry = { sort, tie, item };
    const last = entries.at(-1);
    // Telemetry arrives in the order of its sort key: most items go to the end.
    if (last === undefined || isBefore(last, sort, tie)) {
      entries.push(entry);
      this.#count += 1;
      return;
    }
    const index = firstNot(entries, (each) => isBefore(each, sort, tie));
    const found = entries[index];
    const replaces = found?.sort === sort && found.tie === tie;
    entries.splice(index, replaces ? 1 : 0, entry);
    if (!replaces) this.#count += 1;
  }

  delete({ partition, sort, tie }: Position): void {
    const found = this.#partitions.get(partition);
    if (found === undefined) return;
    const index = firstNot(found.entries, (each) => isBefore(each, sort, tie));
    const entry = found.entries[index];
    if (entry?.sort !== sort || entry.tie !== tie) return;
    found.entries.splice(index, 1);
    this.#count -= 1;
    if (found.entries.length === 0) {
      this.#partitions.delete(partition);
      this.#inScanOrder = undefined;
    }
  }

  /** Entries of one partition within a range of the sort key, in either direction, from after `start`. Read it at once. */
  *query(partition: string, range: SortRange, forward: boolean, start: Position | undefined): Generator<Entry> {
    const entries = this.#partitions.get(partition)?.entries ?? [];
    let low = firstNot(entries, ({ sort }) => range.before(sort));
    let high = firstNot(entries, ({ sort }) => range.before(sort) || range.within(sort));
    if (start !== undefined && forward) {
      low = Math.max(
        low,
        firstNot(
          entries,
          (each) => isBefore(each, start.sort, start.tie) || (each.sort === start.sort && each.tie === start.tie),
        ),
      );
    } else if (start !== undefined) {
      high = Math.min(
        high,
        firstNot(entries, (each) => isBefore(each, start.sort, start.tie)),
      );
    }
    for (let index = forward ? low : high - 1; index >= low && index < high; index += forward ? 1 : -1) {
      const entry = entries[index];
      if (entry !== undefined) yield entry;
    }
  }

  /** Everything, in no particular order, each entry with its partition. */
  *entries(): Generator<readonly [partition: string, entry: Entry]> {
    for (const { key, entries } of this.#partitions.values()) for (const entry of entries) yield [key, entry];
  }

  /** All entries of one of `total` segments, partition by partition, from after `start`. Read it at once. */
  *scan(segment: number, total: number, start: Position | undefined): Generator<Entry> {
    const [from, to] = [(segment * HASH_RANGE) / total, ((segment + 1) * HASH_RANGE) / total];
    const startHash = start === undefined ? 0 : hashOf(start.partition);
    for (const { hash, key, entries } of this.#scanOrder()) {
      if (hash < from || hash >= to) continue;
      if (start === undefined) yield* entries;
      else if (hash > startHash || (hash === startHash && key > start.partition)) yield* entries;
      else if (key === start.partition) {
        yield* entries.filter(
          (each) => !isBefore(each, start.sort, start.tie) && !(each.sort === start.sort && each.tie === start.tie),
        );
      }
    }
  }

  #partition(key: string): Partition {
    const found = this.#partitions.get(key);
    if (found !== undefined) return found;
    const partition: Partition = { hash: hashOf(key), key, entries: [] };
    this.#partitions.set(key, partition);
    this.#inScanOrder = undefined;
    return partition;
  }

  #scanOrder(): readonly Partition[] {
    this.#inScanOrder ??= [...this.#partitions.values()].sort(
      (a, b) => a.hash - b.hash || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    );
    return this.#inScanOrder;
  }
}

function hashOf(key: string): number {
  return createHash('md5').update(key).digest().readUInt32BE(0);
}
