import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import type { ChangeRecord, TableStream, UserIdentity, ViewType } from './table-stream.ts';
import type { TableStreams } from './table-streams.ts';

/** "A shard iterator expires 15 minutes after it is returned to the requester." */
const ITERATOR_MS = 15 * 60_000;
/** "GetRecords can retrieve a maximum of 1 MB of data or 1000 stream records." */
const MAX_RECORDS = 1000;
const MAX_BYTES = 1024 * 1024;

interface ShardIterator {
  readonly stream: string;
  readonly position: number;
  /** Epoch milliseconds, virtual time. */
  readonly issuedAt: number;
}

interface GetShardIteratorInput {
  readonly StreamArn?: string;
  readonly ShardId?: string;
  readonly ShardIteratorType?: string;
  readonly SequenceNumber?: string;
}

interface GetRecordsInput {
  readonly ShardIterator?: string;
  readonly Limit?: number;
}

/** A record as the API answers it; attribute values are in their JSON form. */
export interface StreamRecordShape {
  readonly eventID: string;
  readonly eventName: ChangeRecord['eventName'];
  readonly eventVersion: string;
  readonly eventSource: string;
  readonly awsRegion: string;
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: Date;
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: ViewType;
  };
  readonly userIdentity?: UserIdentity;
}

export interface GetRecordsOutput {
  readonly Records: readonly StreamRecordShape[];
  /** Missing at the end of a shard that takes no more records. */
  readonly NextShardIterator?: string;
}

function encode(stream: TableStream, position: number, issuedAt: number): string {
  const iterator: ShardIterator = { stream: stream.arn, position, issuedAt };
  return `${stream.arn}|1|${Buffer.from(JSON.stringify(iterator)).toString('base64')}`;
}

/** @throws AwsError ValidationException for a text that is no iterator */
function decode(text: string | undefined): ShardIterator {
  try {
    const iterator = JSON.parse(Buffer.from(text?.split('|')[2] ?? '', 'base64').toString()) as ShardIterator;
    if (Number.isInteger(iterator.position)) return iterator;
  } catch {
    // Answered below, as any other text that GetShardIterator did not give.
  }
  throw invalid('Invalid ShardIterator');
}

function trimmed(): AwsError {
  return new AwsError(
    'TrimmedDataAccessException',
    'Attempt to access trimmed data: records are kept for 24 hours. Use TRIM_HORIZON to read from the oldest.',
  );
}

function sequencePosition(stream: TableStream, { SequenceNumber, ShardIteratorType }: GetShardIteratorInput): number {
  if (SequenceNumber === undefined || !/^\d{21,40}$/.test(SequenceNumber)) {
    throw invalid(`ShardIteratorType ${ShardIteratorType} needs a SequenceNumber of 21 to 40 digits`);
  }
  const number = BigInt(SequenceNumber);
  if (number < stream.startingSequenceNumber) throw trimmed();
  if (number > stream.lastSequenceNumber) {
    throw invalid(`The SequenceNumber ${SequenceNumber} is not in shard ${stream.shardId}`);
  }
  return stream.positionOf(number);
}

function startOf(stream: TableStream, input: GetShardIteratorInput): number {
  const horizon = stream.horizon();
  const { ShardIteratorType: type, SequenceNumber } = input;
  const isSequence = type === 'AT_SEQUENCE_NUMBER' || type === 'AFTER_SEQUENCE_NUMBER';
  if (!isSequence && SequenceNumber !== undefined) {
    throw invalid(`SequenceNumber is not for ShardIteratorType ${type}`);
  }
  if (type === 'TRIM_HORIZON') return horizon;
  if (type === 'LATEST') return stream.end;
  if (!isSequence) {
    throw invalid(
      `1 validation error detected: Value '${type}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]`,
    );
  }
  const position = sequencePosition(stream, input);
  // The number that the shard starts with belongs to no record.
  if (position < 0) {
    if (horizon > 0) throw trimmed();
    return 0;
  }
  if (position < horizon) throw trimmed();
  return type === 'AFTER_SEQUENCE_NUMBER' ? position + 1 : position;
}

/** GetShardIterator: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html */
export function getShardIterator(streams: TableStreams): AnyOperation {
  return operation<GetShardIteratorInput, { readonly ShardIterator: string }>({
    permissions: ({ StreamArn }) => [streams.permission('GetShardIterator', StreamArn)],
    run(input) {
      const stream = streams.get(input.StreamArn);
      if (input.ShardId !== stream.shardId) {
        throw new AwsError(
          'ResourceNotFoundException',
          `Requested resource not found: Shard does not exist: ${input.ShardId}`,
        );
      }
      return { ShardIterator: encode(stream, startOf(stream, input), streams.kernel.clock.now()) };
    },
  });
}

function shape(record: ChangeRecord, region: string, viewType: ViewType): StreamRecordShape {
  return {
    eventID: record.eventId,
    eventName: record.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      // "rounded down to the closest second"
      ApproximateCreationDateTime: new Date(Math.floor(record.createdAt / 1000) * 1000),
      Keys: record.keys,
      ...(record.newImage && { NewImage: record.newImage }),
      ...(record.oldImage && { OldImage: record.oldImage }),
      SequenceNumber: String(record.sequenceNumber),
      SizeBytes: record.bytes,
      StreamViewType: viewType,
    },
    ...(record.userIdentity && { userIdentity: record.userIdentity }),
  };
}

/**
 * GetRecords: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html. Each call is a
 * read request unit of the stream, but for those of Lambda, which come from inside.
 */
export function getRecords(streams: TableStreams): AnyOperation {
  return operation<GetRecordsInput, GetRecordsOutput>({
    permissions: ({ ShardIterator }) => [streams.permission('GetRecords', decode(ShardIterator).stream)],
    run({ ShardIterator, Limit = MAX_RECORDS }, { sourceIp }) {
      if (!Number.isInteger(Limit) || Limit < 1 || Limit > MAX_RECORDS) {
        throw invalid(`Limit is ${Limit}; it is a whole number from 1 to ${MAX_RECORDS}`);
      }
      const iterator = decode(ShardIterator);
      const stream = streams.get(iterator.stream);
      const { kernel } = streams;
      const now = kernel.clock.now();
      if (now - iterator.issuedAt > ITERATOR_MS) {
        throw new AwsError('ExpiredIteratorException', 'The shard iterator is older than 15 minutes.');
      }
      if (iterator.position < stream.horizon()) throw trimmed();
      if (sourceIp !== undefined) kernel.meter.add('dynamodbStreamRead', stream.options.tableName);
      const records: ChangeRecord[] = [];
      let [next, bytes] = [iterator.position, 0];
      for (let record = stream.at(next); record !== undefined && records.length < Limit; record = stream.at(next)) {
        bytes += record.bytes;
        if (bytes > MAX_BYTES && records.length > 0) break;
        records.push(record);
        next += 1;
      }
      const isOver = stream.disabledAt !== undefined && next >= stream.end;
      return {
        Records: records.map((record) => shape(record, kernel.region, stream.options.viewType)),
        ...(!isOver && { NextShardIterator: encode(stream, next, now) }),
      };
    },
  });
}
