import type { ExistingResource, ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

interface StreamProperties {
  readonly Name?: string;
  readonly ShardCount?: number;
  readonly StreamModeDetails?: { readonly StreamMode?: string };
  readonly RetentionPeriodHours?: number;
  readonly StreamEncryption?: { readonly EncryptionType?: string; readonly KeyId?: string };
  readonly MaxRecordSizeInKiB?: number;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

const stream: ResourceHandler = {
  type: 'AWS::Kinesis::Stream',
  properties: {
    Name: 'executed',
    ShardCount: 'executed',
    StreamModeDetails: { StreamMode: 'executed' },
    RetentionPeriodHours: 'executed',
    StreamEncryption: { EncryptionType: 'executed', KeyId: 'executed' },
    MaxRecordSizeInKiB: 'executed',
    DesiredShardLevelMetrics: 'declared',
    Tags: [{ Key: 'executed', Value: 'executed' }],
  },
  async create({ kernel, caller, generatedName, properties }) {
    // The loader has checked the names of the properties; the operations check their values.
    const given = properties as StreamProperties;
    const StreamName = given.Name ?? generatedName;
    const mode = given.StreamModeDetails?.StreamMode ?? 'PROVISIONED';
    await kernel.call(
      'kinesis',
      'CreateStream',
      {
        StreamName,
        StreamModeDetails: { StreamMode: mode },
        // CloudFormation creates one shard when the template says nothing.
        ShardCount: given.ShardCount ?? (mode === 'PROVISIONED' ? 1 : undefined),
        MaxRecordSizeInKiB: given.MaxRecordSizeInKiB,
        Tags: given.Tags && Object.fromEntries(given.Tags.map(({ Key, Value }) => [Key, Value])),
      },
      caller,
    );
    const { RetentionPeriodHours, StreamEncryption } = given;
    if (RetentionPeriodHours !== undefined) {
      await kernel.call('kinesis', 'IncreaseStreamRetentionPeriod', { StreamName, RetentionPeriodHours }, caller);
    }
    if (StreamEncryption !== undefined) {
      await kernel.call('kinesis', 'StartStreamEncryption', { StreamName, ...StreamEncryption }, caller);
    }
    return { ref: StreamName, attributes: { Arn: kernel.arn('kinesis', `stream/${StreamName}`) } };
  },
  update: {
    properties: ['DesiredShardLevelMetrics', 'MaxRecordSizeInKiB', 'RetentionPeriodHours', 'StreamEncryption', 'Tags'],
    by: updateStream,
  },
  delete: ({ kernel, caller }, { ref: StreamName }) =>
    kernel.call('kinesis', 'DeleteStream', { StreamName, EnforceConsumerDeletion: true }, caller),
};

async function updateStream({ kernel, caller, properties }: ResourceRequest, before: ExistingResource) {
  const given = properties as StreamProperties;
  const was = before.properties as StreamProperties;
  const StreamName = before.ref;
  const [from, to] = [was.RetentionPeriodHours ?? 24, given.RetentionPeriodHours ?? 24].map(Number) as [number, number];
  if (from !== to) {
    const operation = to > from ? 'IncreaseStreamRetentionPeriod' : 'DecreaseStreamRetentionPeriod';
    await kernel.call('kinesis', operation, { StreamName, RetentionPeriodHours: to }, caller);
  }
  if (given.MaxRecordSizeInKiB !== was.MaxRecordSizeInKiB) {
    const input = { StreamARN: before.attributes.Arn, MaxRecordSizeInKiB: given.MaxRecordSizeInKiB ?? 1024 };
    await kernel.call('kinesis', 'UpdateMaxRecordSize', input, caller);
  }
  if (given.StreamEncryption) {
    await kernel.call('kinesis', 'StartStreamEncryption', { StreamName, ...given.StreamEncryption }, caller);
  } else if (was.StreamEncryption) {
    await kernel.call('kinesis', 'StopStreamEncryption', { StreamName, ...was.StreamEncryption }, caller);
  }
  const TagKeys = (was.Tags ?? []).map(({ Key }) => Key);
  if (TagKeys.length > 0) await kernel.call('kinesis', 'RemoveTagsFromStream', { StreamName, TagKeys }, caller);
  const Tags = Object.fromEntries((given.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  if (given.Tags) await kernel.call('kinesis', 'AddTagsToStream', { StreamName, Tags }, caller);
  return before;
}

export const kinesisResources: readonly ResourceHandler[] = [stream];
