import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid, notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { seal } from '../ciphertext.ts';
import { checkEncryptionContext, type EncryptionContext } from '../encryption-context.ts';
import type { Keys } from '../keys.ts';
import { checkDryRun, encryptionKeys } from './encryption.ts';

const MAX_BYTES = 1024;
const BYTES_BY_SPEC: Readonly<Record<string, number>> = { AES_128: 16, AES_256: 32 };

interface DataKeyInput {
  readonly KeyId?: string;
  readonly KeySpec?: string;
  readonly KeyPairSpec?: string;
  readonly NumberOfBytes?: number;
  readonly EncryptionContext?: EncryptionContext;
  readonly Recipient?: unknown;
  readonly DryRun?: boolean;
}

function checkLength(bytes: number | undefined): number {
  if (bytes !== undefined && Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_BYTES) return bytes;
  throw invalid(`NumberOfBytes is ${bytes}; it is 1 to ${MAX_BYTES}.`);
}

function lengthOf({ KeySpec, NumberOfBytes }: DataKeyInput): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw invalid('Please specify either number of bytes or key spec.');
  }
  if (KeySpec === undefined) return checkLength(NumberOfBytes);
  const bytes = BYTES_BY_SPEC[KeySpec];
  if (bytes === undefined) throw invalid(`KeySpec is ${KeySpec}; it is AES_128 or AES_256.`);
  return bytes;
}

function makePair(spec: string | undefined): { readonly privateKey: Buffer; readonly publicKey: Buffer } {
  const curve = { ECC_NIST_P256: 'prime256v1', ECC_NIST_P384: 'secp384r1', ECC_NIST_P521: 'secp521r1' }[spec ?? ''];
  const modulusLength = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 }[spec ?? ''];
  if (curve === undefined && modulusLength === undefined) {
    throw new AwsError('NotEmulated', `The local runtime does not emulate data key pairs of spec ${spec}.`, 501);
  }
  const pair =
    curve === undefined
      ? generateKeyPairSync('rsa', { modulusLength: modulusLength ?? 0 })
      : generateKeyPairSync('ec', { namedCurve: curve });
  return {
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }),
  };
}

type Wrap = (plaintext: Buffer) => Buffer;

/** An operation that makes something and encrypts it under a key for the caller to keep. */
function generate(
  keys: Keys,
  name: string,
  make: (input: DataKeyInput, wrap: Wrap) => Readonly<Record<string, unknown>>,
): AnyOperation {
  return operation<DataKeyInput, object>({
    permissions: ({ KeyId, EncryptionContext: context, KeyPairSpec }) => [
      keys.permission(
        name,
        keys.resolve(KeyId),
        { ...encryptionKeys(context), ...(KeyPairSpec !== undefined && { 'kms:DataKeyPairSpec': KeyPairSpec }) },
        KeyId,
      ),
    ],
    run(input) {
      if (input.Recipient !== undefined) throw notEmulated('kms', `${name} with Recipient`);
      const key = keys.resolve(input.KeyId);
      key.requireUsable('ENCRYPT_DECRYPT', name);
      const context = checkEncryptionContext(input.EncryptionContext);
      const made = make(input, (plaintext) => seal(key.id, key.secret, plaintext, context));
      checkDryRun(input.DryRun);
      return { KeyId: key.arn, ...made };
    },
  });
}

/** Data keys, data key pairs and random bytes. */
export function dataKeyOperations(keys: Keys): Readonly<Record<string, AnyOperation>> {
  return {
    GenerateDataKey: generate(keys, 'GenerateDataKey', (input, wrap) => {
      const Plaintext = randomBytes(lengthOf(input));
      return { Plaintext, CiphertextBlob: wrap(Plaintext) };
    }),
    GenerateDataKeyWithoutPlaintext: generate(keys, 'GenerateDataKeyWithoutPlaintext', (input, wrap) => ({
      CiphertextBlob: wrap(randomBytes(input.KeySpec || input.NumberOfBytes ? lengthOf(input) : 32)),
    })),
    GenerateDataKeyPair: generate(keys, 'GenerateDataKeyPair', ({ KeyPairSpec }, wrap) => {
      const { privateKey, publicKey } = makePair(KeyPairSpec);
      return {
        KeyPairSpec,
        PublicKey: publicKey,
        PrivateKeyPlaintext: privateKey,
        PrivateKeyCiphertextBlob: wrap(privateKey),
      };
    }),
    GenerateDataKeyPairWithoutPlaintext: generate(
      keys,
      'GenerateDataKeyPairWithoutPlaintext',
      ({ KeyPairSpec }, wrap) => {
        const { privateKey, publicKey } = makePair(KeyPairSpec);
        return { KeyPairSpec, PublicKey: publicKey, PrivateKeyCiphertextBlob: wrap(privateKey) };
      },
    ),
    GenerateRandom: operation<DataKeyInput, object>({
      permissions: () => [{ action: 'kms:GenerateRandom', resource: '*' }],
      run: ({ NumberOfBytes }) => ({ Plaintext: randomBytes(checkLength(NumberOfBytes)) }),
    }),
  };
}
