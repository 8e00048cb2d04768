import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { TableStream } from './table-stream.ts';
import type { TableStreams } from './table-streams.ts';

const MAX_PAGE = 100;

interface ListStreamsInput {
  readonly TableName?: string;
  readonly Limit?: number;
  readonly ExclusiveStartStreamArn?: string;
}

interface ListStreamsOutput {
  readonly Streams: readonly {
    readonly StreamArn: string;
    readonly StreamLabel: string;
    readonly TableName: string;
  }[];
  readonly LastEvaluatedStreamArn?: string;
}

function checkLimit(limit: number | undefined): number {
  if (limit === undefined) return MAX_PAGE;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw invalid(
    `1 validation error detected: Value '${limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and ${MAX_PAGE}`,
  );
}

/**
 * ListStreams: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_ListStreams.html. It needs
 * the permission on all streams of the table that it asks for, or of every table.
 */
export function listStreams(streams: TableStreams): AnyOperation {
  return operation<ListStreamsInput, ListStreamsOutput>({
    permissions: ({ TableName = '*' }) => [
      streams.permission('ListStreams', streams.kernel.arn('dynamodb', `table/${TableName}/stream/*`)),
    ],
    run({ TableName, Limit, ExclusiveStartStreamArn: start }) {
      const limit = checkLimit(Limit);
      const found = streams.all.filter(
        ({ arn, options }) =>
          (TableName === undefined || options.tableName === TableName) && (start === undefined || arn > start),
      );
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        Streams: page.map(({ arn, label, options }) => ({
          StreamArn: arn,
          StreamLabel: label,
          TableName: options.tableName,
        })),
        ...(found.length > page.length && last !== undefined && { LastEvaluatedStreamArn: last.arn }),
      };
    },
  });
}

interface DescribeStreamInput {
  readonly StreamArn?: string;
  readonly Limit?: number;
  readonly ExclusiveStartShardId?: string;
  readonly ShardFilter?: { readonly Type?: string; readonly ShardId?: string };
}

function describe(stream: TableStream, shards: boolean) {
  const { options, arn, label, shardId, disabledAt } = stream;
  const EndingSequenceNumber = disabledAt === undefined ? undefined : String(stream.lastSequenceNumber);
  const StartingSequenceNumber = String(stream.startingSequenceNumber);
  return {
    StreamArn: arn,
    StreamLabel: label,
    StreamStatus: disabledAt === undefined ? 'ENABLED' : 'DISABLED',
    StreamViewType: options.viewType,
    CreationRequestDateTime: new Date(options.createdAt),
    TableName: options.tableName,
    KeySchema: options.keySchema,
    Shards: shards ? [{ ShardId: shardId, SequenceNumberRange: { StartingSequenceNumber, EndingSequenceNumber } }] : [],
  };
}

/**
 * DescribeStream: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_DescribeStream.html. A
 * stream has one shard here, which ends when the stream is disabled and has no children.
 */
export function describeStream(streams: TableStreams): AnyOperation {
  return operation<DescribeStreamInput, { readonly StreamDescription: ReturnType<typeof describe> }>({
    permissions: ({ StreamArn }) => [streams.permission('DescribeStream', StreamArn)],
    run({ StreamArn, Limit, ExclusiveStartShardId, ShardFilter }) {
      checkLimit(Limit);
      const isFirst = ExclusiveStartShardId === undefined && ShardFilter === undefined;
      return { StreamDescription: describe(streams.get(StreamArn), isFirst) };
    },
  });
}
