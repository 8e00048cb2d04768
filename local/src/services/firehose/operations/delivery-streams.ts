import type {
  DeleteDeliveryStreamCommandInput,
  DeliveryStreamDescription,
  DescribeDeliveryStreamCommandInput,
  ListDeliveryStreamsCommandInput,
  ListDeliveryStreamsCommandOutput,
  ListTagsForDeliveryStreamCommandInput,
  ListTagsForDeliveryStreamCommandOutput,
  TagDeliveryStreamCommandInput,
  UntagDeliveryStreamCommandInput,
} from '@aws-sdk/client-firehose';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { DeliveryStream } from '../delivery-stream.ts';
import type { DeliveryStreams } from '../delivery-streams.ts';

function describe(stream: DeliveryStream): DeliveryStreamDescription {
  const { destination } = stream;
  const s3 = {
    RoleARN: destination.roleArn,
    BucketARN: destination.bucketArn,
    Prefix: destination.prefixText,
    ErrorOutputPrefix: destination.errorPrefixText,
    BufferingHints: { SizeInMBs: destination.sizeMb, IntervalInSeconds: destination.intervalSeconds },
    CompressionFormat: destination.compression,
    EncryptionConfiguration: destination.encryption,
    CloudWatchLoggingOptions: destination.logging,
  };
  return {
    DeliveryStreamName: stream.name,
    DeliveryStreamARN: stream.arn,
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamEncryptionConfiguration: stream.encryption,
    DeliveryStreamType: 'DirectPut',
    VersionId: stream.version,
    CreateTimestamp: new Date(stream.createdAt),
    Destinations: [
      {
        DestinationId: 'destinationId-000000000001',
        S3DestinationDescription: s3,
        ExtendedS3DestinationDescription: {
          ...s3,
          ProcessingConfiguration: destination.processing,
          S3BackupMode: 'Disabled',
        },
      },
    ],
    HasMoreDestinations: false,
  };
}

/** The operations that read, tag and delete delivery streams. */
export function deliveryStreamOperations(streams: DeliveryStreams): Readonly<Record<string, AnyOperation>> {
  return {
    DescribeDeliveryStream: operation<
      DescribeDeliveryStreamCommandInput,
      { DeliveryStreamDescription: DeliveryStreamDescription }
    >({
      permissions: ({ DeliveryStreamName }) => [streams.permission('DescribeDeliveryStream', DeliveryStreamName)],
      run: ({ DeliveryStreamName }) => ({ DeliveryStreamDescription: describe(streams.get(DeliveryStreamName)) }),
    }),
    ListDeliveryStreams: operation<
      ListDeliveryStreamsCommandInput,
      Omit<ListDeliveryStreamsCommandOutput, '$metadata'>
    >({
      permissions: () => [{ action: 'firehose:ListDeliveryStreams', resource: '*' }],
      run({ Limit = 10, ExclusiveStartDeliveryStreamName: start, DeliveryStreamType = 'DirectPut' }) {
        const names = DeliveryStreamType === 'DirectPut' ? streams.names : [];
        const left = names.filter((name) => start === undefined || name > start);
        const page = left.slice(0, Limit);
        return { DeliveryStreamNames: page, HasMoreDeliveryStreams: left.length > page.length };
      },
    }),
    DeleteDeliveryStream: operation<DeleteDeliveryStreamCommandInput, object>({
      permissions: ({ DeliveryStreamName }) => [streams.permission('DeleteDeliveryStream', DeliveryStreamName)],
      run({ DeliveryStreamName }) {
        const stream = streams.get(DeliveryStreamName);
        // What was accepted is still delivered.
        stream.flush();
        streams.delete(stream);
        return {};
      },
    }),
    TagDeliveryStream: operation<TagDeliveryStreamCommandInput, object>({
      permissions: ({ DeliveryStreamName }) => [streams.permission('TagDeliveryStream', DeliveryStreamName)],
      run({ DeliveryStreamName, Tags }) {
        const { tags } = streams.get(DeliveryStreamName);
        for (const { Key, Value } of Tags ?? []) if (Key !== undefined) tags.set(Key, Value ?? '');
        return {};
      },
    }),
    UntagDeliveryStream: operation<UntagDeliveryStreamCommandInput, object>({
      permissions: ({ DeliveryStreamName }) => [streams.permission('UntagDeliveryStream', DeliveryStreamName)],
      run({ DeliveryStreamName, TagKeys }) {
        const { tags } = streams.get(DeliveryStreamName);
        for (const key of TagKeys ?? []) tags.delete(key);
        return {};
      },
    }),
    ListTagsForDeliveryStream: operation<
      ListTagsForDeliveryStreamCommandInput,
      Omit<ListTagsForDeliveryStreamCommandOutput, '$metadata'>
    >({
      permissions: ({ DeliveryStreamName }) => [streams.permission('ListTagsForDeliveryStream', DeliveryStreamName)],
      run: ({ DeliveryStreamName }) => ({
        Tags: Array.from(streams.get(DeliveryStreamName).tags, ([Key, Value]) => ({ Key, Value })),
        HasMoreTags: false,
      }),
    }),
  };
}
