import type {
  DeleteStreamCommandInput,
  DescribeStreamCommandInput,
  DescribeStreamSummaryCommandInput,
  ListShardsCommandInput,
  ListShardsCommandOutput,
  ListStreamsCommandInput,
  ListStreamsCommandOutput,
  Shard as ShardDescription,
  StreamDescription,
  StreamDescriptionSummary,
} from '@aws-sdk/client-kinesis';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Shard } from '../shard.ts';
import type { Stream } from '../stream.ts';
import { invalidArgument, type Streams } from '../streams.ts';

function describeShard(shard: Shard): ShardDescription {
  return {
    ShardId: shard.id,
    HashKeyRange: {
      StartingHashKey: shard.startingHashKey.toString(),
      EndingHashKey: shard.endingHashKey.toString(),
    },
    SequenceNumberRange: { StartingSequenceNumber: shard.startingSequenceNumber },
  };
}

function common({ name, arn, createdAt, settings }: Stream): Omit<StreamDescription, 'Shards' | 'HasMoreShards'> {
  return {
    StreamName: name,
    StreamARN: arn,
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: settings.mode },
    RetentionPeriodHours: settings.retentionHours,
    StreamCreationTimestamp: new Date(createdAt),
    EnhancedMonitoring: [],
    EncryptionType: settings.keyId === undefined ? 'NONE' : 'KMS',
    ...(settings.keyId !== undefined && { KeyId: settings.keyId }),
  };
}

/** DescribeStream, with at most 100 shards per answer. */
export function describeStream(streams: Streams): AnyOperation {
  return operation<DescribeStreamCommandInput, { StreamDescription: StreamDescription }>({
    permissions: (input) => [streams.permission('DescribeStream', input)],
    run(input) {
      const stream = streams.get(input);
      const start = input.ExclusiveStartShardId;
      const left = stream.shards.filter(({ id }) => start === undefined || id > start);
      const page = left.slice(0, input.Limit ?? 100);
      return {
        StreamDescription: {
          ...common(stream),
          Shards: page.map(describeShard),
          HasMoreShards: left.length > page.length,
        },
      };
    },
  });
}

/** DescribeStreamSummary. */
export function describeStreamSummary(streams: Streams): AnyOperation {
  return operation<DescribeStreamSummaryCommandInput, { StreamDescriptionSummary: StreamDescriptionSummary }>({
    permissions: (input) => [streams.permission('DescribeStreamSummary', input)],
    run(input) {
      const stream = streams.get(input);
      return {
        StreamDescriptionSummary: {
          ...common(stream),
          OpenShardCount: stream.shards.length,
          ConsumerCount: 0,
          MaxRecordSizeInKiB: stream.settings.maxRecordKib,
        },
      };
    },
  });
}

/** ListShards. All shards are open: nothing here splits or merges them. */
export function listShards(streams: Streams): AnyOperation {
  const tokenOf = (name: string, after: string) => Buffer.from(JSON.stringify([name, after])).toString('base64');
  const addressOf = (input: ListShardsCommandInput) => {
    if (input.NextToken === undefined) return { address: input, after: input.ExclusiveStartShardId };
    if (input.StreamName !== undefined || input.ExclusiveStartShardId !== undefined) {
      throw invalidArgument('NextToken cannot be combined with StreamName or ExclusiveStartShardId');
    }
    try {
      const [name, after] = JSON.parse(Buffer.from(input.NextToken, 'base64').toString()) as [string, string];
      return { address: { StreamName: name }, after };
    } catch {
      throw invalidArgument('NextToken is not one that ListShards gave');
    }
  };
  return operation<ListShardsCommandInput, Pick<ListShardsCommandOutput, 'Shards' | 'NextToken'>>({
    permissions: (input) => [streams.permission('ListShards', addressOf(input).address)],
    run(input) {
      const { address, after } = addressOf(input);
      const stream = streams.get(address);
      const left = stream.shards.filter(({ id }) => after === undefined || id > after);
      const page = left.slice(0, input.MaxResults ?? 1000);
      const last = page.at(-1);
      return {
        Shards: page.map(describeShard),
        ...(left.length > page.length && last && { NextToken: tokenOf(stream.name, last.id) }),
      };
    },
  });
}

/** ListStreams, 100 per answer. */
export function listStreams(streams: Streams): AnyOperation {
  return operation<ListStreamsCommandInput, Omit<ListStreamsCommandOutput, '$metadata'>>({
    permissions: () => [{ action: 'kinesis:ListStreams', resource: '*' }],
    run({ Limit = 100, ExclusiveStartStreamName, NextToken }) {
      const start = NextToken ?? ExclusiveStartStreamName;
      const left = streams.names.filter((name) => start === undefined || name > start);
      const page = left.slice(0, Limit);
      const last = page.at(-1);
      const more = left.length > page.length;
      return {
        StreamNames: page,
        StreamSummaries: page.map((name) => {
          const { arn, createdAt, settings } = streams.get({ StreamName: name });
          return {
            StreamName: name,
            StreamARN: arn,
            StreamStatus: 'ACTIVE',
            StreamModeDetails: { StreamMode: settings.mode },
            StreamCreationTimestamp: new Date(createdAt),
          };
        }),
        HasMoreStreams: more,
        ...(more && last !== undefined && { NextToken: last }),
      };
    },
  });
}

/** DeleteStream. */
export function deleteStream(streams: Streams): AnyOperation {
  return operation<DeleteStreamCommandInput, object>({
    permissions: (input) => [streams.permission('DeleteStream', input)],
    run(input) {
      streams.delete(streams.get(input));
      return {};
    },
  });
}
