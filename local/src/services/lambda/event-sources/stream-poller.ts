import { createHash } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import { streamSignals } from '../../stream-signals.ts';
import type { Invoker } from '../invoker.ts';
import { DynamodbSource } from './dynamodb-source.ts';
import type { EventSourceMapping, Poller, StreamSettings } from './event-source-mapping.ts';
import { KinesisSource } from './kinesis-source.ts';
import { ShardReader } from './shard-reader.ts';
import { StreamLane } from './stream-lane.ts';
import type { StreamRecord, StreamSource } from './stream-source.ts';

/** Reading stops while this many records of a shard wait. */
const MAX_WAITING = 20_000;
const RETRY_AFTER_PROBLEM_MS = 60_000;

/** How far a mapping has come, as it is kept. */
export interface StreamPosition {
  /** When reading began, which LATEST stands for. */
  readonly startedAt: number | undefined;
  /** By shard: the sequence number up to which all records are done with. */
  readonly shards: ReadonlyMap<string, string>;
}

/** Reads the shards of a stream, of Kinesis or of a table, for a function. */
export class StreamPoller implements Poller {
  readonly #kernel: Kernel;
  readonly #invoker: Invoker;
  readonly #mapping: EventSourceMapping;
  readonly #stream: StreamSettings;
  readonly #from: StreamPosition | undefined;
  #source: StreamSource | undefined;
  #shards: readonly ShardPoller[] | undefined;
  #stopListening: (() => void) | undefined;

  /** `from`: where an earlier runtime was. */
  constructor(
    kernel: Kernel,
    invoker: Invoker,
    mapping: EventSourceMapping,
    stream: StreamSettings,
    from?: StreamPosition,
  ) {
    this.#from = from;
    this.#kernel = kernel;
    this.#invoker = invoker;
    this.#mapping = mapping;
    this.#stream = stream;
  }

  async start(): Promise<void> {
    this.#shards ??= await this.#open();
    this.#stopListening = streamSignals(this.#kernel).onRecords(this.#mapping.settings.eventSourceArn, () => {
      for (const shard of this.#shards ?? []) shard.read();
    });
    for (const shard of this.#shards) shard.resume();
  }

  get position(): StreamPosition | undefined {
    if (!this.#shards) return this.#from;
    const shards = this.#shards.flatMap((each) => {
      const doneUpTo = each.doneUpTo;
      return doneUpTo === undefined ? [] : [[each.shardId, doneUpTo] as const];
    });
    return { startedAt: this.#source?.startedAt, shards: new Map(shards) };
  }

  /** Stops reading; what was read stays, for the next start. */
  stop(): void {
    this.#stopListening?.();
    for (const shard of this.#shards ?? []) shard.stop();
  }

  async #open(): Promise<readonly ShardPoller[]> {
    const source = this.#sourceOf();
    this.#source = source;
    const { shardIds, retentionMs } = await source.describe();
    return Promise.all(
      shardIds.map(async (shardId) => {
        const reader = new ShardReader(source, shardId, this.#from?.shards.get(shardId));
        await reader.open();
        return new ShardPoller(this.#kernel, this.#mapping, source, reader, (onRoom) =>
          Array.from({ length: this.#stream.parallelizationFactor }, () =>
            this.#lane(source, shardId, retentionMs, onRoom),
          ),
        );
      }),
    );
  }

  #sourceOf(): StreamSource {
    const { settings } = this.#mapping;
    const Source = settings.source === 'dynamodb' ? DynamodbSource : KinesisSource;
    return new Source(this.#kernel, settings, this.#stream, this.#from?.startedAt);
  }

  #lane({ batchInfo }: StreamSource, shardId: string, retentionMs: number, onRoom: () => void): StreamLane {
    return new StreamLane({
      kernel: this.#kernel,
      invoker: this.#invoker,
      mapping: this.#mapping,
      stream: this.#stream,
      batchInfo,
      shardId,
      retentionMs,
      onRoom,
    });
  }
}

/** Reads one shard and spreads its records over the lanes, by their keys. */
class ShardPoller {
  readonly #kernel: Kernel;
  readonly #mapping: EventSourceMapping;
  readonly #source: StreamSource;
  readonly #reader: ShardReader;
  readonly #lanes: readonly StreamLane[];
  #reading = false;
  #more = false;
  #stopped = false;

  constructor(
    kernel: Kernel,
    mapping: EventSourceMapping,
    source: StreamSource,
    reader: ShardReader,
    makeLanes: (onRoom: () => void) => readonly StreamLane[],
  ) {
    this.#kernel = kernel;
    this.#mapping = mapping;
    this.#source = source;
    this.#reader = reader;
    this.#lanes = makeLanes(() => {
      if (this.#more) this.read();
    });
  }

  get shardId(): string {
    return this.#reader.shardId;
  }

  /** The number up to which all records are done with; undefined when none is. */
  get doneUpTo(): string | undefined {
    const open = this.#lanes.flatMap(({ oldest }) => (oldest === undefined ? [] : [BigInt(oldest)]));
    const [first] = open.toSorted((a, b) => (a < b ? -1 : 1));
    // The record itself is the next one after the number below its own.
    return first === undefined ? this.#reader.lastRead : String(first - 1n);
  }

  /** There may be new records. */
  read(): void {
    this.#more = true;
    if (this.#reading || this.#stopped) return;
    this.#reading = true;
    this.#kernel.activity.track(async () => {
      try {
        // Once for all records that arrive in this turn of the event loop.
        await new Promise<void>((resolve) => setImmediate(resolve));
        await this.#readAll();
      } catch (error) {
        this.#mapping.failed(error);
        this.#more = false;
        this.#kernel.clock.after(RETRY_AFTER_PROBLEM_MS, () => this.read());
      }
      this.#reading = false;
      // Records may have come between the last look and now.
      if (this.#more && this.#waiting() < MAX_WAITING) this.read();
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes) lane.stop();
  }

  resume(): void {
    this.#stopped = false;
    for (const lane of this.#lanes) lane.resume();
    this.read();
  }

  async #readAll(): Promise<void> {
    while (this.#more && !this.#stopped && this.#waiting() < MAX_WAITING) {
      this.#more = false;
      const records = await this.#reader.read();
      if (records.length > 0) this.#more = true;
      this.#spread(records);
    }
  }

  #waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /** What the filter does not let through is done with. */
  #spread(all: readonly StreamRecord[]): void {
    const { filter } = this.#mapping.settings;
    const records = filter ? all.filter((each) => filter.matches(this.#source.forFilter(each))) : all;
    const lanes = this.#lanes;
    if (lanes.length === 1) {
      lanes[0]?.add(records);
      return;
    }
    const groups = Map.groupBy(records, ({ key }) => laneOf(key, lanes.length));
    for (const [lane, group] of groups) lanes[lane]?.add(group);
  }
}

function laneOf(key: string, lanes: number): number {
  return createHash('md5').update(key).digest().readUInt32BE(12) % lanes;
}
