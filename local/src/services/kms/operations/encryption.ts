import { operation } from '../../../kernel/define.ts';
import { AwsError, notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { keyIdOf, open, seal } from '../ciphertext.ts';
import { checkEncryptionContext, contextConditionKeys, type EncryptionContext } from '../encryption-context.ts';
import { invalidCiphertext } from '../errors.ts';
import type { Key } from '../key.ts';
import type { Keys } from '../keys.ts';
import { bytesOf } from './input.ts';

const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;
const ALGORITHM = { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };

interface EncryptInput {
  readonly KeyId?: string;
  readonly Plaintext?: Uint8Array;
  readonly EncryptionContext?: EncryptionContext;
  readonly EncryptionAlgorithm?: string;
  readonly DryRun?: boolean;
}

interface DecryptInput {
  readonly KeyId?: string;
  readonly CiphertextBlob?: Uint8Array;
  readonly EncryptionContext?: EncryptionContext;
  readonly EncryptionAlgorithm?: string;
  readonly Recipient?: unknown;
  readonly DryRun?: boolean;
}

interface ReEncryptInput {
  readonly CiphertextBlob?: Uint8Array;
  readonly SourceKeyId?: string;
  readonly SourceEncryptionContext?: EncryptionContext;
  readonly SourceEncryptionAlgorithm?: string;
  readonly DestinationKeyId?: string;
  readonly DestinationEncryptionContext?: EncryptionContext;
  readonly DestinationEncryptionAlgorithm?: string;
  readonly DryRun?: boolean;
}

/**
 * The keys that policies may ask about in a request to encrypt or decrypt.
 *
 * @throws AwsError ValidationException
 */
export function encryptionKeys(context: unknown) {
  return {
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    ...contextConditionKeys(checkEncryptionContext(context)),
  };
}

/** @throws AwsError DryRunOperationException, which is how AWS says that a request would have succeeded */
export function checkDryRun(dryRun: boolean | undefined): void {
  if (dryRun !== true) return;
  throw new AwsError(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
    412,
  );
}

/** The key of a ciphertext, which is the one the request names if it names one. */
function keyOf(keys: Keys, ciphertext: unknown, named: string | undefined): Key {
  const id = keyIdOf(bytesOf(ciphertext, 'CiphertextBlob', MAX_CIPHERTEXT_BYTES));
  if (named !== undefined) return keys.resolve(named);
  const key = keys.all.find((each) => each.id === id);
  if (!key) throw invalidCiphertext();
  return key;
}

function decryptWith(key: Key, blob: unknown, context: unknown): Buffer {
  const ciphertext = bytesOf(blob, 'CiphertextBlob', MAX_CIPHERTEXT_BYTES);
  if (keyIdOf(ciphertext) !== key.id) {
    throw new AwsError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a KMS key that can perform this operation.',
    );
  }
  return open(key.secret, ciphertext, checkEncryptionContext(context));
}

function encrypt(keys: Keys): AnyOperation {
  return operation<EncryptInput, object>({
    permissions: ({ KeyId, EncryptionContext: context }) => [
      keys.permission('Encrypt', keys.resolve(KeyId), encryptionKeys(context), KeyId),
    ],
    run(input) {
      const key = keys.resolve(input.KeyId);
      key.requireUsable('ENCRYPT_DECRYPT', 'Encrypt');
      key.requireAlgorithm(input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT');
      const plaintext = bytesOf(input.Plaintext, 'Plaintext', MAX_PLAINTEXT_BYTES);
      const context = checkEncryptionContext(input.EncryptionContext);
      checkDryRun(input.DryRun);
      return { KeyId: key.arn, CiphertextBlob: seal(key.id, key.secret, plaintext, context), ...ALGORITHM };
    },
  });
}

function decrypt(keys: Keys): AnyOperation {
  return operation<DecryptInput, object>({
    permissions: ({ CiphertextBlob, KeyId, EncryptionContext: context }) => [
      keys.permission('Decrypt', keyOf(keys, CiphertextBlob, KeyId), encryptionKeys(context), KeyId),
    ],
    run(input) {
      if (input.Recipient !== undefined) throw notEmulated('kms', 'Decrypt with Recipient');
      const key = keyOf(keys, input.CiphertextBlob, input.KeyId);
      key.requireUsable('ENCRYPT_DECRYPT', 'Decrypt');
      key.requireAlgorithm(input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT');
      const Plaintext = decryptWith(key, input.CiphertextBlob, input.EncryptionContext);
      checkDryRun(input.DryRun);
      return { KeyId: key.arn, Plaintext, ...ALGORITHM };
    },
  });
}

/** ReEncrypt: "kms:ReEncryptFrom permission on the source KMS key, kms:ReEncryptTo permission on the destination". */
function reEncrypt(keys: Keys): AnyOperation {
  return operation<ReEncryptInput, object>({
    permissions(input) {
      const source = keyOf(keys, input.CiphertextBlob, input.SourceKeyId);
      const target = keys.resolve(input.DestinationKeyId);
      const same = { 'kms:ReEncryptOnSameKey': String(source === target) };
      const from = { ...encryptionKeys(input.SourceEncryptionContext), ...same };
      const to = { ...encryptionKeys(input.DestinationEncryptionContext), ...same };
      return [
        keys.permission('ReEncryptFrom', source, from, input.SourceKeyId),
        keys.permission('ReEncryptTo', target, to, input.DestinationKeyId),
      ];
    },
    run(input) {
      const source = keyOf(keys, input.CiphertextBlob, input.SourceKeyId);
      const target = keys.resolve(input.DestinationKeyId);
      for (const key of [source, target]) key.requireUsable('ENCRYPT_DECRYPT', 'ReEncrypt');
      source.requireAlgorithm(input.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT');
      target.requireAlgorithm(input.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT');
      const plaintext = decryptWith(source, input.CiphertextBlob, input.SourceEncryptionContext);
      const context = checkEncryptionContext(input.DestinationEncryptionContext);
      checkDryRun(input.DryRun);
      return {
        CiphertextBlob: seal(target.id, target.secret, plaintext, context),
        SourceKeyId: source.arn,
        KeyId: target.arn,
        SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    },
  });
}

/** Encrypt, Decrypt and ReEncrypt under symmetric keys. */
export function encryptionOperations(keys: Keys): Readonly<Record<string, AnyOperation>> {
  return { Encrypt: encrypt(keys), Decrypt: decrypt(keys), ReEncrypt: reEncrypt(keys) };
}
