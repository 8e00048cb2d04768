import type { DescribeDeliveryStreamCommandOutput } from '@aws-sdk/client-firehose';
import type { ExistingResource, ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

interface DeliveryStreamProperties {
  readonly DeliveryStreamName?: string;
  readonly DeliveryStreamType?: string;
  readonly DeliveryStreamEncryptionConfigurationInput?: { readonly KeyARN?: string; readonly KeyType?: string };
  readonly ExtendedS3DestinationConfiguration?: {
    readonly BufferingHints?: { readonly IntervalInSeconds?: number | string; readonly SizeInMBs?: number | string };
    readonly EncryptionConfiguration?: { readonly KMSEncryptionConfig?: { readonly AWSKMSKeyARN?: string } };
  };
  readonly Tags?: readonly unknown[];
}

const deliveryStream: ResourceHandler = {
  type: 'AWS::KinesisFirehose::DeliveryStream',
  properties: {
    DeliveryStreamEncryptionConfigurationInput: { KeyARN: 'declared', KeyType: 'declared' },
    DeliveryStreamName: 'executed',
    DeliveryStreamType: 'executed',
    ExtendedS3DestinationConfiguration: {
      BucketARN: 'executed',
      BufferingHints: { IntervalInSeconds: 'executed', SizeInMBs: 'executed' },
      CloudWatchLoggingOptions: { Enabled: 'declared', LogGroupName: 'declared', LogStreamName: 'declared' },
      CompressionFormat: 'executed',
      CustomTimeZone: 'executed',
      EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: 'executed' }, NoEncryptionConfig: 'declared' },
      ErrorOutputPrefix: 'executed',
      FileExtension: 'executed',
      Prefix: 'executed',
      ProcessingConfiguration: {
        Enabled: 'executed',
        Processors: [{ Type: 'executed', Parameters: [{ ParameterName: 'executed', ParameterValue: 'executed' }] }],
      },
      RoleARN: 'executed',
      S3BackupMode: 'executed',
    },
    Tags: [{ Key: 'executed', Value: 'executed' }],
  },
  async create({ kernel, caller, generatedName, properties }) {
    // The loader has checked the names of the properties; the operation checks their values.
    const given = properties as DeliveryStreamProperties;
    const DeliveryStreamName = given.DeliveryStreamName ?? generatedName.slice(0, 64);
    const { DeliveryStreamARN } = await kernel.call<{ DeliveryStreamARN: string }>(
      'firehose',
      'CreateDeliveryStream',
      {
        ...given,
        DeliveryStreamName,
        ExtendedS3DestinationConfiguration: destinationOf(given),
      },
      caller,
    );
    return { ref: DeliveryStreamName, attributes: { Arn: DeliveryStreamARN } };
  },
  update: { properties: ['ExtendedS3DestinationConfiguration'], by: updateDestination },
  delete: ({ kernel, caller }, { ref: DeliveryStreamName }) =>
    kernel.call('firehose', 'DeleteDeliveryStream', { DeliveryStreamName }, caller),
};

/** Templates may write numbers as text. */
function destinationOf({ ExtendedS3DestinationConfiguration: given }: DeliveryStreamProperties): object | undefined {
  if (!given) return undefined;
  const { BufferingHints: hints, ...destination } = given;
  return {
    ...destination,
    BufferingHints: {
      ...(hints?.IntervalInSeconds !== undefined && { IntervalInSeconds: Number(hints.IntervalInSeconds) }),
      ...(hints?.SizeInMBs !== undefined && { SizeInMBs: Number(hints.SizeInMBs) }),
    },
  };
}

async function updateDestination({ kernel, caller, properties }: ResourceRequest, before: ExistingResource) {
  const { DeliveryStreamDescription: stream } = await kernel.call<DescribeDeliveryStreamCommandOutput>(
    'firehose',
    'DescribeDeliveryStream',
    { DeliveryStreamName: before.ref },
    caller,
  );
  const input = {
    DeliveryStreamName: before.ref,
    CurrentDeliveryStreamVersionId: stream?.VersionId,
    DestinationId: stream?.Destinations?.[0]?.DestinationId,
    ExtendedS3DestinationUpdate: destinationOf(properties as DeliveryStreamProperties),
  };
  await kernel.call('firehose', 'UpdateDestination', input, caller);
  return before;
}

export const firehoseResources: readonly ResourceHandler[] = [deliveryStream];
