import { createHash } from 'node:crypto';
import { Shard, type StoredRecord } from './shard.ts';

const HASH_KEYS = 2n ** 128n;
const HOUR_MS = 3_600_000;

export interface StreamSettings {
  mode: 'PROVISIONED' | 'ON_DEMAND';
  retentionHours: number;
  /** The key that records are encrypted with; undefined for none. Nothing is encrypted on this machine. */
  keyId: string | undefined;
  maxRecordKib: number;
}

/** A data stream: equal ranges of hash keys, one per shard. */
export class Stream {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly settings: StreamSettings;
  readonly shards: readonly Shard[];
  readonly tags = new Map<string, string>();

  constructor(name: string, arn: string, createdAt: number, shardCount: number, settings: StreamSettings) {
    this.name = name;
    this.arn = arn;
    this.createdAt = createdAt;
    this.settings = settings;
    const width = HASH_KEYS / BigInt(shardCount);
    this.shards = Array.from({ length: shardCount }, (_, index) => {
      const from = BigInt(index) * width;
      const to = index === shardCount - 1 ? HASH_KEYS - 1n : from + width - 1n;
      return new Shard(index, [from, to], createdAt);
    });
  }

  /** The time before which records are no longer readable. */
  horizon(now: number): number {
    return now - this.settings.retentionHours * HOUR_MS;
  }

  /** Adds a record to the shard of its hash key, which is the MD5 of the partition key unless one is given. */
  add(
    partitionKey: string,
    data: Buffer,
    explicitHashKey: bigint | undefined,
    now: number,
  ): { readonly shard: Shard; readonly record: StoredRecord } {
    const shard = this.#shardFor(partitionKey, explicitHashKey);
    shard.trim(this.horizon(now));
    return { shard, record: shard.add(partitionKey, data, now) };
  }

  #shardFor(partitionKey: string, explicitHashKey: bigint | undefined): Shard {
    const [only, ...others] = this.shards;
    if (only === undefined) throw new Error(`stream ${this.name} has no shard`);
    if (others.length === 0) return only;
    const hashKey = explicitHashKey ?? BigInt(`0x${createHash('md5').update(partitionKey, 'utf8').digest('hex')}`);
    return this.shards.find(({ endingHashKey }) => hashKey <= endingHashKey) ?? only;
  }
}
