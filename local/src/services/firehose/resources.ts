import type { ResourceHandler } from '../../template/resource-handler.ts';

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
      EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: 'declared' }, NoEncryptionConfig: 'declared' },
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
    const { BufferingHints: hints, ...destination } = given.ExtendedS3DestinationConfiguration ?? {};
    const { DeliveryStreamARN } = await kernel.call<{ DeliveryStreamARN: string }>(
      'firehose',
      'CreateDeliveryStream',
      {
        ...given,
        DeliveryStreamName,
        ExtendedS3DestinationConfiguration: given.ExtendedS3DestinationConfiguration && {
          ...destination,
          BufferingHints: {
            ...(hints?.IntervalInSeconds !== undefined && { IntervalInSeconds: Number(hints.IntervalInSeconds) }),
            ...(hints?.SizeInMBs !== undefined && { SizeInMBs: Number(hints.SizeInMBs) }),
          },
        },
      },
      caller,
    );
    return { ref: DeliveryStreamName, attributes: { Arn: DeliveryStreamARN } };
  },
};

export const firehoseResources: readonly ResourceHandler[] = [deliveryStream];
