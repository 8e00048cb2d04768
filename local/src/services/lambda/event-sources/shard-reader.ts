import type { _Record, GetRecordsCommandOutput, GetShardIteratorCommandOutput } from '@aws-sdk/client-kinesis';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { EventSourceMapping, StreamSettings } from './event-source-mapping.ts';

/** A record with what the reader of a batch needs of it. */
export interface StreamRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
}

/** Reads one shard forward, with the permissions of the function's role. */
export class ShardReader {
  readonly #kernel: Kernel;
  readonly #mapping: EventSourceMapping;
  readonly #shardId: string;
  readonly #start: Pick<StreamSettings, 'startingPosition' | 'startingTimestamp'>;
  #iterator: string | undefined;
  #lastRead: string | undefined;

  constructor(kernel: Kernel, mapping: EventSourceMapping, shardId: string, stream: StreamSettings) {
    this.#kernel = kernel;
    this.#mapping = mapping;
    this.#shardId = shardId;
    // LATEST is the moment at which reading begins, also when the first iterator expires unused.
    this.#start =
      stream.startingPosition === 'LATEST'
        ? { startingPosition: 'AT_TIMESTAMP', startingTimestamp: new Date(kernel.clock.now()) }
        : stream;
  }

  /** The next records, up to `limit`; none when the end of the shard is reached. */
  async read(limit: number): Promise<readonly StreamRecord[]> {
    this.#iterator ??= await this.#newIterator();
    let answer: GetRecordsCommandOutput;
    try {
      answer = await this.#getRecords(this.#iterator, limit);
    } catch (error) {
      if (!(error instanceof AwsError && error.code === 'ExpiredIteratorException')) throw error;
      this.#iterator = await this.#newIterator();
      answer = await this.#getRecords(this.#iterator, limit);
    }
    this.#iterator = answer.NextShardIterator;
    const records = (answer.Records ?? []).map(toStreamRecord);
    this.#lastRead = records.at(-1)?.sequenceNumber ?? this.#lastRead;
    return records;
  }

  /** Takes the position now, so that what comes later is read. */
  async open(): Promise<void> {
    this.#iterator = await this.#newIterator();
  }

  async #newIterator(): Promise<string> {
    const position =
      this.#lastRead === undefined
        ? { ShardIteratorType: this.#start.startingPosition, Timestamp: this.#start.startingTimestamp }
        : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: this.#lastRead };
    const { eventSourceArn: StreamARN, fn } = this.#mapping.settings;
    const input = { StreamARN, ShardId: this.#shardId, ...position };
    const answer = await this.#kernel.call<GetShardIteratorCommandOutput>(
      'kinesis',
      'GetShardIterator',
      input,
      fn.assumeRole(),
    );
    return answer.ShardIterator ?? '';
  }

  #getRecords(ShardIterator: string, Limit: number): Promise<GetRecordsCommandOutput> {
    const { eventSourceArn: StreamARN, fn } = this.#mapping.settings;
    return this.#kernel.call('kinesis', 'GetRecords', { ShardIterator, Limit, StreamARN }, fn.assumeRole());
  }
}

function toStreamRecord({ SequenceNumber, PartitionKey, Data, ApproximateArrivalTimestamp }: _Record): StreamRecord {
  return {
    sequenceNumber: SequenceNumber ?? '',
    partitionKey: PartitionKey ?? '',
    data: Buffer.from(Data ?? []),
    arrivedAt: ApproximateArrivalTimestamp?.getTime() ?? 0,
  };
}
