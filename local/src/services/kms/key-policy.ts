/** Key policies: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html. */
import { checkResourcePolicy } from '../../iam/check-resource-policy.ts';
import type { PolicyDocument } from '../../iam/policy-document.ts';
import { AwsError } from '../../kernel/errors.ts';

const MAX_BYTES = 32 * 1024;

/** Condition keys of KMS that requests here have, or rightly lack. */
const CONDITION_KEYS = new Set(
  [
    'BypassPolicyLockoutSafetyCheck',
    'CallerAccount',
    'DataKeyPairSpec',
    'EncryptionAlgorithm',
    'EncryptionContextKeys',
    'GrantConstraintType',
    'GranteePrincipal',
    'GrantIsForAWSResource',
    'GrantOperations',
    'KeyOrigin',
    'KeySpec',
    'KeyUsage',
    'MacAlgorithm',
    'MessageType',
    'MultiRegion',
    'ReEncryptOnSameKey',
    'RequestAlias',
    'ResourceAliases',
    'RetiringPrincipal',
    'ScheduleKeyDeletionPendingWindowInDays',
    'SigningAlgorithm',
    'ViaService',
  ].map((name) => `kms:${name.toLowerCase()}`),
);

export interface KeyPolicy {
  readonly text: string;
  readonly document: PolicyDocument;
}

function malformed(detail: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', `The policy of the key is malformed: ${detail}.`);
}

function requireKnownKeys(document: PolicyDocument): void {
  for (const { Condition = {} } of [document.Statement].flat()) {
    for (const key of Object.values(Condition).flatMap((keys) => Object.keys(keys))) {
      const name = key.toLowerCase();
      if (!name.startsWith('kms:') || name.startsWith('kms:encryptioncontext:') || CONDITION_KEYS.has(name)) continue;
      throw new AwsError('NotEmulated', `The local runtime does not emulate the condition key ${key}.`, 501);
    }
  }
}

/**
 * Reads a key policy.
 *
 * @throws AwsError MalformedPolicyDocumentException, LimitExceededException, NotEmulated for an unknown condition key
 */
export function parseKeyPolicy(text: string): KeyPolicy {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new AwsError('LimitExceededException', `The policy of a key has at most ${MAX_BYTES} bytes.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || !('Statement' in value)) throw malformed('it has no Statement');
  const document = value as PolicyDocument;
  checkResourcePolicy(document, malformed);
  requireKnownKeys(document);
  return { text, document };
}

/** The policy of a key made without one: it leaves the decision to the account's IAM policies. */
export function defaultKeyPolicy(accountId: string): KeyPolicy {
  const Principal = { AWS: `arn:aws:iam::${accountId}:root` };
  const Statement = [
    { Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' },
  ];
  return parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Id: 'key-default-1', Statement }));
}

/** The policy of an AWS managed key: everybody of the account, but through the service only. */
export function managedKeyPolicy(service: string, region: string, accountId: string): KeyPolicy {
  const statements = [
    {
      Sid: `Allow access through ${service} for all principals in the account that are authorized to use ${service}`,
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
      Condition: {
        StringEquals: { 'kms:CallerAccount': accountId, 'kms:ViaService': `${service}.${region}.amazonaws.com` },
      },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
      Resource: '*',
    },
  ];
  return parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Id: `auto-${service}`, Statement: statements }));
}
