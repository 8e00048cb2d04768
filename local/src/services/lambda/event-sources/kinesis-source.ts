import type {
  _Record,
  DescribeStreamSummaryCommandOutput,
  GetRecordsCommandOutput,
  GetShardIteratorCommandOutput,
  ListShardsCommandOutput,
} from '@aws-sdk/client-kinesis';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { MappingSettings, StreamSettings } from './event-source-mapping.ts';
import { payloadForFilter } from './record-filter.ts';
import type { ShardPage, StreamRecord, StreamSource } from './stream-source.ts';

const RECORDS_PER_READ = 10_000;
const DEFAULT_RETENTION_HOURS = 24;

/** A data stream of Kinesis as an event source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html */
export class KinesisSource implements StreamSource {
  readonly batchInfo = 'KinesisBatchInfo';
  readonly #kernel: Kernel;
  readonly #settings: MappingSettings;
  readonly startedAt: number;
  readonly #start: { readonly ShardIteratorType: string; readonly Timestamp: Date | undefined };

  /** `startedAt`: when an earlier runtime began to read. */
  constructor(kernel: Kernel, settings: MappingSettings, stream: StreamSettings, startedAt?: number) {
    this.#kernel = kernel;
    this.#settings = settings;
    this.startedAt = startedAt ?? kernel.clock.now();
    // LATEST is the moment at which reading begins, also when the first iterator expires unused.
    this.#start =
      stream.startingPosition === 'LATEST'
        ? { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(this.startedAt) }
        : { ShardIteratorType: stream.startingPosition, Timestamp: stream.startingTimestamp };
  }

  async describe() {
    const { StreamDescriptionSummary } = await this.#call<DescribeStreamSummaryCommandOutput>('DescribeStreamSummary');
    const { Shards = [] } = await this.#call<ListShardsCommandOutput>('ListShards');
    const hours = StreamDescriptionSummary?.RetentionPeriodHours ?? DEFAULT_RETENTION_HOURS;
    return { shardIds: Shards.map(({ ShardId = '' }) => ShardId), retentionMs: hours * 3_600_000 };
  }

  iteratorAtStart(ShardId: string): Promise<string> {
    return this.#iterator({ ShardId, ...this.#start });
  }

  iteratorAfter(ShardId: string, StartingSequenceNumber: string): Promise<string> {
    return this.#iterator({ ShardId, ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber });
  }

  async read(shardId: string, ShardIterator: string): Promise<ShardPage> {
    const input = { ShardIterator, Limit: RECORDS_PER_READ };
    const { Records = [], NextShardIterator } = await this.#call<GetRecordsCommandOutput>('GetRecords', input);
    return { records: Records.map((each) => this.#recordOf(each, shardId)), next: NextShardIterator };
  }

  /** Patterns name what is in `kinesis`, with the data decoded. */
  forFilter({ json }: StreamRecord): unknown {
    const { kinesis } = JSON.parse(json) as { readonly kinesis: { readonly data: string } };
    return { ...kinesis, data: payloadForFilter(Buffer.from(kinesis.data, 'base64').toString('utf8')) };
  }

  async #iterator(input: object): Promise<string> {
    const { ShardIterator = '' } = await this.#call<GetShardIteratorCommandOutput>('GetShardIterator', input);
    return ShardIterator;
  }

  #call<Output>(operation: string, input: object = {}): Promise<Output> {
    const { eventSourceArn: StreamARN, fn } = this.#settings;
    return this.#kernel.call('kinesis', operation, { ...input, StreamARN }, fn.assumeRole());
  }

  #recordOf(record: _Record, shardId: string): StreamRecord {
    const { SequenceNumber: sequenceNumber = '', PartitionKey: partitionKey = '' } = record;
    const arrivedAt = record.ApproximateArrivalTimestamp?.getTime() ?? 0;
    const json = JSON.stringify({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey,
        sequenceNumber,
        data: Buffer.from(record.Data ?? []).toString('base64'),
        approximateArrivalTimestamp: arrivedAt / 1000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${shardId}:${sequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: this.#settings.fn.configuration.roleArn,
      awsRegion: this.#kernel.region,
      eventSourceARN: this.#settings.eventSourceArn,
    });
    return { sequenceNumber, key: partitionKey, arrivedAt, json };
  }
}
