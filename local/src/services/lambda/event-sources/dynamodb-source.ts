import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { GetRecordsOutput, StreamRecordShape } from '../../dynamodb/index.ts';
import type { MappingSettings, StreamSettings } from './event-source-mapping.ts';
import type { ShardPage, StreamRecord, StreamSource } from './stream-source.ts';

/** "All data in DynamoDB Streams is subject to a 24-hour lifetime." */
const RETENTION_MS = 24 * 3_600_000;

interface DescribeStreamOutput {
  readonly StreamDescription: { readonly Shards: readonly { readonly ShardId: string }[] };
}

/** The stream of a DynamoDB table as an event source: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html */
export class DynamodbSource implements StreamSource {
  readonly batchInfo = 'DDBStreamBatchInfo';
  readonly #kernel: Kernel;
  readonly #settings: MappingSettings;
  readonly #stream: StreamSettings;
  /** For LATEST: when reading began, in epoch milliseconds; records have the time of their second. */
  #openedAt: number | undefined;

  /** `startedAt`: when an earlier runtime began to read. */
  constructor(kernel: Kernel, settings: MappingSettings, stream: StreamSettings, startedAt?: number) {
    this.#kernel = kernel;
    this.#settings = settings;
    this.#stream = stream;
    this.#openedAt = startedAt;
  }

  get startedAt(): number | undefined {
    return this.#openedAt;
  }

  async describe() {
    const { StreamDescription } = await this.#call<DescribeStreamOutput>('DescribeStream', this.#address());
    return { shardIds: StreamDescription.Shards.map(({ ShardId }) => ShardId), retentionMs: RETENTION_MS };
  }

  iteratorAtStart(shardId: string): Promise<string> {
    const isFirst = this.#openedAt === undefined;
    this.#openedAt ??= Math.floor(this.#kernel.clock.now() / 1000) * 1000;
    // A stream of a table has no position in time: an iterator that expired unused is found again from the oldest record.
    return this.#iterator(shardId, { ShardIteratorType: isFirst ? this.#stream.startingPosition : 'TRIM_HORIZON' });
  }

  async iteratorAfter(shardId: string, SequenceNumber: string): Promise<string> {
    try {
      return await this.#iterator(shardId, { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber });
    } catch (error) {
      // The record that was read last is older than 24 hours: all that are left come after it.
      if (!(error instanceof AwsError && error.code === 'TrimmedDataAccessException')) throw error;
      return this.#iterator(shardId, { ShardIteratorType: 'TRIM_HORIZON' });
    }
  }

  async read(_shardId: string, ShardIterator: string): Promise<ShardPage> {
    const { Records, NextShardIterator } = await this.#call<GetRecordsOutput>('GetRecords', { ShardIterator });
    const from = this.#stream.startingPosition === 'LATEST' ? (this.#openedAt ?? 0) : 0;
    const records = Records.map((each) => this.#recordOf(each)).filter(({ arrivedAt }) => arrivedAt >= from);
    return { records, next: NextShardIterator };
  }

  forFilter({ json }: StreamRecord): unknown {
    return JSON.parse(json);
  }

  async #iterator(ShardId: string, position: object): Promise<string> {
    const input = { ...this.#address(), ShardId, ...position };
    const { ShardIterator } = await this.#call<{ readonly ShardIterator: string }>('GetShardIterator', input);
    return ShardIterator;
  }

  #address() {
    return { StreamArn: this.#settings.eventSourceArn };
  }

  #call<Output>(operation: string, input: object): Promise<Output> {
    return this.#kernel.call('dynamodb', operation, input, this.#settings.fn.assumeRole());
  }

  #recordOf({ dynamodb, userIdentity, ...rest }: StreamRecordShape): StreamRecord {
    const { ApproximateCreationDateTime, ...change } = dynamodb;
    const arrivedAt = ApproximateCreationDateTime.getTime();
    const json = JSON.stringify({
      ...rest,
      dynamodb: { ApproximateCreationDateTime: arrivedAt / 1000, ...change },
      // In lower case in events, unlike in the API.
      ...(userIdentity && { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }),
      eventSourceARN: this.#settings.eventSourceArn,
    });
    return { sequenceNumber: change.SequenceNumber, key: JSON.stringify(change.Keys), arrivedAt, json };
  }
}
