/** AWS::KMS::Key and AWS::KMS::Alias. */
import { tagList } from '../../template/property-values.ts';
import type { ExistingResource, ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

interface Created {
  readonly KeyMetadata: { readonly KeyId: string; readonly Arn: string };
}

const key: ResourceHandler = {
  type: 'AWS::KMS::Key',
  properties: {
    Description: 'executed',
    EnableKeyRotation: 'executed',
    Enabled: 'executed',
    KeyPolicy: 'executed',
    KeySpec: 'executed',
    KeyUsage: 'executed',
    MultiRegion: 'executed',
    Origin: 'executed',
    PendingWindowInDays: 'declared',
    RotationPeriodInDays: 'declared',
    Tags: [{ Key: 'executed', Value: 'executed' }],
  },
  async create({ kernel, caller, properties }) {
    const { Description, KeySpec, KeyUsage, MultiRegion, Origin, KeyPolicy } = properties;
    const tags = [properties.Tags ?? []].flat() as readonly { readonly Key?: string; readonly Value?: string }[];
    const input = {
      ...(Description !== undefined && { Description }),
      ...(KeySpec !== undefined && { KeySpec }),
      ...(KeyUsage !== undefined && { KeyUsage }),
      ...(MultiRegion !== undefined && { MultiRegion: String(MultiRegion) === 'true' }),
      ...(Origin !== undefined && { Origin }),
      ...(KeyPolicy !== undefined && { Policy: JSON.stringify(KeyPolicy) }),
      Tags: tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
    };
    const { KeyMetadata } = await kernel.call<Created>('kms', 'CreateKey', input, caller);
    const { KeyId, Arn } = KeyMetadata;
    if (String(properties.EnableKeyRotation) === 'true') {
      await kernel.call('kms', 'EnableKeyRotation', { KeyId }, caller);
    }
    if (String(properties.Enabled) === 'false') await kernel.call('kms', 'DisableKey', { KeyId }, caller);
    return { ref: KeyId, attributes: { Arn, KeyId } };
  },
  update: {
    properties: ['Description', 'EnableKeyRotation', 'Enabled', 'KeyPolicy', 'PendingWindowInDays', 'Tags'],
    by: updateKey,
  },
  delete: ({ kernel, caller, properties }, { ref: KeyId }) => {
    const PendingWindowInDays = Number(properties.PendingWindowInDays ?? 30);
    return kernel.call('kms', 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays }, caller);
  },
};

async function updateKey({ kernel, caller, properties }: ResourceRequest, before: ExistingResource) {
  const { Description, Enabled, EnableKeyRotation, KeyPolicy } = properties;
  const KeyId = before.ref;
  const was = before.properties;
  // A key that is disabled cannot be changed otherwise.
  await kernel.call('kms', 'EnableKey', { KeyId }, caller);
  await kernel.call('kms', 'UpdateKeyDescription', { KeyId, Description: Description ?? '' }, caller);
  if (KeyPolicy !== undefined) {
    await kernel.call('kms', 'PutKeyPolicy', { KeyId, Policy: JSON.stringify(KeyPolicy) }, caller);
  }
  if (String(EnableKeyRotation) !== String(was.EnableKeyRotation)) {
    const operation = String(EnableKeyRotation) === 'true' ? 'EnableKeyRotation' : 'DisableKeyRotation';
    await kernel.call('kms', operation, { KeyId }, caller);
  }
  const TagKeys = tagList(was.Tags).map(({ Key }) => Key);
  if (TagKeys.length > 0) await kernel.call('kms', 'UntagResource', { KeyId, TagKeys }, caller);
  const Tags = tagList(properties.Tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));
  await kernel.call('kms', 'TagResource', { KeyId, Tags }, caller);
  if (String(Enabled) === 'false') await kernel.call('kms', 'DisableKey', { KeyId }, caller);
  return before;
}

const alias: ResourceHandler = {
  type: 'AWS::KMS::Alias',
  properties: { AliasName: 'executed', TargetKeyId: 'executed' },
  async create({ kernel, caller, properties }) {
    const AliasName = String(properties.AliasName);
    await kernel.call('kms', 'CreateAlias', { AliasName, TargetKeyId: properties.TargetKeyId }, caller);
    return { ref: AliasName, attributes: {} };
  },
  update: {
    properties: ['TargetKeyId'],
    async by({ kernel, caller, properties }, before) {
      const input = { AliasName: before.ref, TargetKeyId: properties.TargetKeyId };
      await kernel.call('kms', 'UpdateAlias', input, caller);
      return before;
    },
  },
  delete: ({ kernel, caller }, { ref: AliasName }) => kernel.call('kms', 'DeleteAlias', { AliasName }, caller),
};

/** What CloudFormation creates in KMS. */
export const kmsResources: readonly ResourceHandler[] = [key, alias];
