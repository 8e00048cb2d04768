import type {
  GetRecordsCommandInput,
  GetRecordsCommandOutput,
  GetShardIteratorCommandInput,
  GetShardIteratorCommandOutput,
} from '@aws-sdk/client-kinesis';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Shard, StoredRecord } from '../shard.ts';
import type { Stream } from '../stream.ts';
import { invalidArgument, type Streams } from '../streams.ts';

/** "A shard iterator expires 5 minutes after it is returned to the requester." */
const ITERATOR_MS = 5 * 60_000;
const MAX_RECORDS = 10_000;
const MAX_BYTES = 10 * 1024 * 1024;

interface ShardIterator {
  readonly stream: string;
  /** Tells a stream from one of the same name that was deleted. */
  readonly createdAt: number;
  readonly shard: string;
  readonly position: number;
  readonly issuedAt: number;
}

function encode(stream: Stream, shard: Shard, position: number, issuedAt: number): string {
  const iterator: ShardIterator = {
    stream: stream.name,
    createdAt: stream.createdAt,
    shard: shard.id,
    position,
    issuedAt,
  };
  return Buffer.from(JSON.stringify(iterator)).toString('base64');
}

/** @throws AwsError InvalidArgumentException for a text that is no iterator */
function decode(text: string | undefined): ShardIterator {
  try {
    const iterator = JSON.parse(Buffer.from(text ?? '', 'base64').toString()) as ShardIterator;
    if (Number.isInteger(iterator.position)) return iterator;
  } catch {
    // Answered below, as any other text that GetShardIterator did not give.
  }
  throw invalidArgument('Invalid ShardIterator.');
}

function checkSequenceNumber(text: string | undefined, type: string): string {
  if (text !== undefined && /^\d{1,129}$/.test(text)) return text;
  throw invalidArgument(
    `Must either specify a valid StartingSequenceNumber for ShardIteratorType ${type}, got ${text}`,
  );
}

function isBelow(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

function startOf(input: GetShardIteratorCommandInput, shard: Shard, oldest: number): number {
  const from = (before: (record: StoredRecord) => boolean) => Math.max(oldest, shard.firstNot(before));
  switch (input.ShardIteratorType) {
    case 'TRIM_HORIZON':
      return oldest;
    case 'LATEST':
      return shard.end;
    case 'AT_SEQUENCE_NUMBER': {
      const number = checkSequenceNumber(input.StartingSequenceNumber, input.ShardIteratorType);
      return from(({ sequenceNumber }) => isBelow(sequenceNumber, number));
    }
    case 'AFTER_SEQUENCE_NUMBER': {
      const number = checkSequenceNumber(input.StartingSequenceNumber, input.ShardIteratorType);
      return from(({ sequenceNumber }) => !isBelow(number, sequenceNumber));
    }
    case 'AT_TIMESTAMP': {
      if (!(input.Timestamp instanceof Date)) throw invalidArgument('Must specify Timestamp for AT_TIMESTAMP.');
      const time = input.Timestamp.getTime();
      return from(({ arrivedAt }) => arrivedAt < time);
    }
    default:
      throw new AwsError(
        'ValidationException',
        `1 validation error detected: Value '${input.ShardIteratorType}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, AT_SEQUENCE_NUMBER, AT_TIMESTAMP, LATEST, TRIM_HORIZON]`,
      );
  }
}

/** GetShardIterator: where to start reading a shard. */
export function getShardIterator(streams: Streams): AnyOperation {
  return operation<GetShardIteratorCommandInput, Omit<GetShardIteratorCommandOutput, '$metadata'>>({
    permissions: (input) => [streams.permission('GetShardIterator', input)],
    run(input) {
      const stream = streams.get(input);
      const shard = streams.shard(stream, input.ShardId);
      const now = streams.kernel.clock.now();
      const position = startOf(input, shard, shard.trim(stream.horizon(now)));
      return { ShardIterator: encode(stream, shard, position, now) };
    },
  });
}

/** GetRecords: up to 10 000 records or 10 MiB from an iterator on, and the iterator to go on with. */
export function getRecords(streams: Streams): AnyOperation {
  return operation<GetRecordsCommandInput, Omit<GetRecordsCommandOutput, '$metadata'>>({
    permissions: (input) => [
      streams.permission('GetRecords', { StreamName: decode(input.ShardIterator).stream, StreamARN: input.StreamARN }),
    ],
    async run(input, context) {
      const { Limit: limit = MAX_RECORDS } = input;
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RECORDS) {
        throw invalidArgument(`Limit must be between 1 and ${MAX_RECORDS}, got ${limit}`);
      }
      const iterator = decode(input.ShardIterator);
      const stream = streams.get({ StreamName: iterator.stream });
      const shard = streams.shard(stream, iterator.shard);
      const now = streams.kernel.clock.now();
      if (iterator.createdAt !== stream.createdAt) throw invalidArgument('Invalid ShardIterator.');
      if (now - iterator.issuedAt > ITERATOR_MS) {
        throw new AwsError(
          'ExpiredIteratorException',
          `Iterator expired. The iterator was created at time ${new Date(iterator.issuedAt).toUTCString()} while right now it is ${new Date(now).toUTCString()} which is further in the future than the tolerated delay of ${ITERATOR_MS} milliseconds.`,
        );
      }
      await streams.requireKey(stream, 'Decrypt', context);
      const { records, next } = read(shard, Math.max(iterator.position, shard.trim(stream.horizon(now))), limit);
      if (stream.settings.mode === 'ON_DEMAND') {
        const bytes = records.reduce((sum, { data }) => sum + data.length, 0);
        streams.kernel.meter.add('kinesisOut', stream.name, bytes);
      }
      const last = records.at(-1);
      const waiting = shard.at(next);
      const age = waiting === undefined ? 0 : now - (last ?? waiting).arrivedAt;
      measureAge(streams, stream, last === undefined ? 0 : now - last.arrivedAt);
      return {
        Records: records.map(({ sequenceNumber, partitionKey, data, arrivedAt }) => ({
          SequenceNumber: sequenceNumber,
          PartitionKey: partitionKey,
          Data: data,
          ApproximateArrivalTimestamp: new Date(arrivedAt),
          ...(stream.settings.keyId !== undefined && { EncryptionType: 'KMS' as const }),
        })),
        NextShardIterator: encode(stream, shard, next, now),
        MillisBehindLatest: age,
      };
    },
  });
}

function read(shard: Shard, position: number, limit: number): { records: StoredRecord[]; next: number } {
  const records: StoredRecord[] = [];
  let [next, bytes] = [position, 0];
  for (let record = shard.at(next); record !== undefined && records.length < limit; record = shard.at(next)) {
    bytes += record.data.length;
    if (bytes > MAX_BYTES && records.length > 0) break;
    records.push(record);
    next += 1;
  }
  return { records, next };
}

/** AWS/Kinesis GetRecords.IteratorAgeMilliseconds: how old the last record was when it was read. */
function measureAge({ kernel }: Streams, { name, arn }: Stream, age: number): void {
  kernel.activity.track(() =>
    kernel.call(
      'cloudwatch',
      'RecordServiceMetric',
      {
        namespace: 'AWS/Kinesis',
        metricName: 'GetRecords.IteratorAgeMilliseconds',
        dimensions: { StreamName: name },
        value: age,
        unit: 'Milliseconds',
      },
      kernel.serviceCaller('kinesis.amazonaws.com', arn),
    ),
  );
}
