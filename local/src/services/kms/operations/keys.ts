import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidState } from '../errors.ts';
import type { Key } from '../key.ts';
import { defaultKeyPolicy, parseKeyPolicy } from '../key-policy.ts';
import { keySpecOf } from '../key-specs.ts';
import type { Keys } from '../keys.ts';

const DAY_MS = 86_400_000;
const MIN_WINDOW_DAYS = 7;
const MAX_WINDOW_DAYS = 30;

interface Tag {
  readonly TagKey?: string;
  readonly TagValue?: string;
}

interface CreateKeyInput {
  readonly Description?: string;
  readonly KeySpec?: string;
  readonly CustomerMasterKeySpec?: string;
  readonly KeyUsage?: string;
  readonly MultiRegion?: boolean;
  readonly Origin?: string;
  readonly Policy?: string;
  readonly Tags?: readonly Tag[];
}

interface KeyInput {
  readonly KeyId?: string;
}

/** CreateKey: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html */
function createKey(keys: Keys): AnyOperation {
  return operation<CreateKeyInput, { KeyMetadata: object }>({
    permissions: () => [{ action: 'kms:CreateKey', resource: '*' }],
    run(input) {
      if (input.MultiRegion === true || (input.Origin ?? 'AWS_KMS') !== 'AWS_KMS') {
        throw new AwsError('NotEmulated', 'The local runtime makes keys of one region, with material of its own.', 501);
      }
      const spec = keySpecOf(input.KeySpec ?? input.CustomerMasterKeySpec, input.KeyUsage);
      const { accountId } = keys.kernel;
      const policy = input.Policy === undefined ? defaultKeyPolicy(accountId) : parseKeyPolicy(input.Policy);
      const key = keys.create(spec, policy);
      key.description = input.Description ?? '';
      for (const { TagKey = '', TagValue = '' } of input.Tags ?? []) key.tags.set(TagKey, TagValue);
      return { KeyMetadata: key.metadata };
    },
  });
}

/** An operation on one key, named by its id or ARN. */
function onKey<Input extends KeyInput>(
  keys: Keys,
  action: string,
  run: (key: Key, input: Input) => object,
): AnyOperation {
  return operation<Input, object>({
    permissions: ({ KeyId }) => [keys.permission(action, keys.get(KeyId), {}, KeyId)],
    run: (input) => run(keys.get(input.KeyId), input),
  });
}

/** An operation that changes one key; keys that AWS manages and keys about to go do not change. */
function changeKey<Input extends KeyInput>(
  keys: Keys,
  action: string,
  run: (key: Key, input: Input) => object,
): AnyOperation {
  return onKey<Input>(keys, action, (key, input) => {
    if (key.manager === 'AWS') {
      throw new AwsError('AccessDeniedException', `${key.arn} is managed by AWS; ${action} is not for such keys.`);
    }
    key.requireNotPendingDeletion();
    return run(key, input);
  });
}

function scheduleDeletion(keys: Keys, key: Key, days: number): object {
  if (!Number.isInteger(days) || days < MIN_WINDOW_DAYS || days > MAX_WINDOW_DAYS) {
    throw invalid(`PendingWindowInDays is ${days}; it is ${MIN_WINDOW_DAYS} to ${MAX_WINDOW_DAYS}.`);
  }
  const deletionAt = keys.kernel.clock.now() + days * DAY_MS;
  key.state = 'PendingDeletion';
  key.deletionAt = deletionAt;
  keys.charge(key);
  keys.deleteAt(key, deletionAt);
  return { KeyId: key.arn, DeletionDate: new Date(deletionAt), KeyState: key.state, PendingWindowInDays: days };
}

function requireSymmetric(key: Key): void {
  if (key.spec.name === 'SYMMETRIC_DEFAULT') return;
  throw new AwsError('UnsupportedOperationException', `${key.arn} is no symmetric encryption key; only those rotate.`);
}

/** The operations on keys themselves: state, policy, tags, deletion. */
export function keyOperations(keys: Keys): Readonly<Record<string, AnyOperation>> {
  return {
    CreateKey: createKey(keys),
    DescribeKey: operation<KeyInput, { KeyMetadata: object }>({
      permissions: ({ KeyId }) => [keys.permission('DescribeKey', keys.resolve(KeyId), {}, KeyId)],
      run: ({ KeyId }) => ({ KeyMetadata: keys.resolve(KeyId).metadata }),
    }),
    ListKeys: operation<object, object>({
      permissions: () => [{ action: 'kms:ListKeys', resource: '*' }],
      run: () => ({ Keys: keys.all.map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })), Truncated: false }),
    }),
    EnableKey: changeKey(keys, 'EnableKey', (key) => {
      key.state = 'Enabled';
      return {};
    }),
    DisableKey: changeKey(keys, 'DisableKey', (key) => {
      key.state = 'Disabled';
      return {};
    }),
    UpdateKeyDescription: changeKey<KeyInput & { readonly Description?: string }>(
      keys,
      'UpdateKeyDescription',
      (key, { Description = '' }) => {
        key.description = Description;
        return {};
      },
    ),
    ScheduleKeyDeletion: changeKey<KeyInput & { readonly PendingWindowInDays?: number }>(
      keys,
      'ScheduleKeyDeletion',
      (key, { PendingWindowInDays = MAX_WINDOW_DAYS }) => scheduleDeletion(keys, key, PendingWindowInDays),
    ),
    CancelKeyDeletion: onKey(keys, 'CancelKeyDeletion', (key) => {
      if (key.state !== 'PendingDeletion') throw invalidState(key.arn, 'is not pending deletion.');
      key.state = 'Disabled';
      key.deletionAt = undefined;
      keys.charge(key);
      return { KeyId: key.arn };
    }),
    GetKeyPolicy: onKey(keys, 'GetKeyPolicy', (key) => ({ Policy: key.policy.text, PolicyName: 'default' })),
    ListKeyPolicies: onKey(keys, 'ListKeyPolicies', () => ({ PolicyNames: ['default'], Truncated: false })),
    PutKeyPolicy: changeKey<KeyInput & { readonly Policy?: string }>(keys, 'PutKeyPolicy', (key, { Policy = '' }) => {
      key.policy = parseKeyPolicy(Policy);
      return {};
    }),
    EnableKeyRotation: changeKey(keys, 'EnableKeyRotation', (key) => {
      requireSymmetric(key);
      key.rotated = true;
      return {};
    }),
    DisableKeyRotation: changeKey(keys, 'DisableKeyRotation', (key) => {
      requireSymmetric(key);
      key.rotated = false;
      return {};
    }),
    GetKeyRotationStatus: onKey(keys, 'GetKeyRotationStatus', (key) => ({
      KeyId: key.arn,
      KeyRotationEnabled: key.rotated,
    })),
    TagResource: changeKey<KeyInput & { readonly Tags?: readonly Tag[] }>(keys, 'TagResource', (key, { Tags = [] }) => {
      for (const { TagKey = '', TagValue = '' } of Tags) key.tags.set(TagKey, TagValue);
      return {};
    }),
    UntagResource: changeKey<KeyInput & { readonly TagKeys?: readonly string[] }>(
      keys,
      'UntagResource',
      (key, { TagKeys = [] }) => {
        for (const each of TagKeys) key.tags.delete(each);
        return {};
      },
    ),
    ListResourceTags: onKey(keys, 'ListResourceTags', (key) => ({
      Tags: [...key.tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      Truncated: false,
    })),
  };
}
