/** One shard: its part of the hash keys, and its records in the order of their sequence numbers. */
export interface StoredRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Epoch milliseconds, virtual time. */
  readonly arrivedAt: number;
}

/** The part of a shard's state that is not its records, as it is kept. */
export interface KeptShard {
  readonly first: number;
  readonly next: bigint;
}

/** Expired records are let go in lots, so that adding a record does not move all others. */
const TRIM_LOT = 1024;

export class Shard {
  readonly index: number;
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
  readonly startingSequenceNumber: string;
  readonly #createdAt: number;
  #records: StoredRecord[] = [];
  /** The position of the first record that is kept; positions count every record the shard ever had. */
  #first = 0;
  #next = 0n;

  constructor(index: number, hashKeys: readonly [from: bigint, to: bigint], createdAt: number) {
    this.index = index;
    [this.startingHashKey, this.endingHashKey] = hashKeys;
    this.#createdAt = createdAt;
    this.startingSequenceNumber = this.#sequenceNumber(createdAt);
  }

  get id(): string {
    return `shardId-${String(this.index).padStart(12, '0')}`;
  }

  /** The position after the newest record. */
  get end(): number {
    return this.#first + this.#records.length;
  }

  add(partitionKey: string, data: Buffer, arrivedAt: number): StoredRecord {
    const record = { sequenceNumber: this.#sequenceNumber(arrivedAt), partitionKey, data, arrivedAt };
    this.#records.push(record);
    return record;
  }

  get kept(): KeptShard {
    return { first: this.#first, next: this.#next };
  }

  /** All records that are there, oldest first. */
  get records(): readonly StoredRecord[] {
    return this.#records;
  }

  /** Takes over a kept shard, its records in their order. */
  restore({ first, next }: KeptShard, records: readonly StoredRecord[]): void {
    this.#first = first;
    this.#next = next;
    this.#records = [...records];
  }

  /** The record at a position; undefined beyond the end, and for what is no longer kept. */
  at(position: number): StoredRecord | undefined {
    return this.#records[position - this.#first];
  }

  /** The position of the first record for which `before` is false: records are in order, those before come first. */
  firstNot(before: (record: StoredRecord) => boolean): number {
    let [low, high] = [0, this.#records.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const record = this.#records[middle];
      if (record !== undefined && before(record)) low = middle + 1;
      else high = middle;
    }
    return this.#first + low;
  }

  /** The position of the oldest record that arrived at `time` or later. Everything before is forgotten, in lots. */
  trim(time: number): number {
    const kept = this.firstNot((record) => record.arrivedAt < time);
    if (kept - this.#first >= TRIM_LOT) {
      this.#records.splice(0, kept - this.#first);
      this.#first = kept;
    }
    return kept;
  }

  /**
   * Decimal text of 56 digits, as AWS's: first what never changes for the shard, then a counter, so that the order of
   * the texts is the order of the records.
   */
  #sequenceNumber(now: number): string {
    const counter = this.#next;
    this.#next += 1n;
    return (
      (2n << 184n) |
      (BigInt(Math.floor(this.#createdAt / 1000)) << 144n) |
      (counter << 80n) |
      (BigInt(Math.floor(now / 1000)) << 44n) |
      (BigInt(this.index) << 4n) |
      2n
    ).toString();
  }
}
