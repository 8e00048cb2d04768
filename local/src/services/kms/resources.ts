/** AWS::KMS::Key and AWS::KMS::Alias. */
import type { ResourceHandler } from '../../template/resource-handler.ts';

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
};

const alias: ResourceHandler = {
  type: 'AWS::KMS::Alias',
  properties: { AliasName: 'executed', TargetKeyId: 'executed' },
  async create({ kernel, caller, properties }) {
    const AliasName = String(properties.AliasName);
    await kernel.call('kms', 'CreateAlias', { AliasName, TargetKeyId: properties.TargetKeyId }, caller);
    return { ref: AliasName, attributes: {} };
  },
};

/** What CloudFormation creates in KMS. */
export const kmsResources: readonly ResourceHandler[] = [key, alias];
