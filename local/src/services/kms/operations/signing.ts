import { createHmac, timingSafeEqual } from 'node:crypto';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import type { Key } from '../key.ts';
import type { Keys } from '../keys.ts';
import { digestOf, isSignedWith, signWith } from '../signatures.ts';
import { checkDryRun } from './encryption.ts';
import { bytesOf } from './input.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_SIGNATURE_BYTES = 6144;

interface SignInput {
  readonly KeyId?: string;
  readonly Message?: Uint8Array;
  readonly MessageType?: string;
  readonly SigningAlgorithm?: string;
  readonly Signature?: Uint8Array;
  readonly DryRun?: boolean;
}

interface MacInput {
  readonly KeyId?: string;
  readonly Message?: Uint8Array;
  readonly MacAlgorithm?: string;
  readonly Mac?: Uint8Array;
  readonly DryRun?: boolean;
}

function signPermission(keys: Keys, action: string, input: SignInput): readonly Permission[] {
  const { SigningAlgorithm = '', MessageType = 'RAW' } = input;
  const more = { 'kms:SigningAlgorithm': SigningAlgorithm, 'kms:MessageType': MessageType };
  return [keys.permission(action, keys.resolve(input.KeyId), more, input.KeyId)];
}

function prepare(keys: Keys, name: string, input: SignInput) {
  const key = keys.resolve(input.KeyId);
  key.requireUsable('SIGN_VERIFY', name);
  const algorithm = key.requireAlgorithm(input.SigningAlgorithm);
  const type = input.MessageType ?? 'RAW';
  if (type !== 'RAW' && type !== 'DIGEST') throw invalid(`MessageType is ${type}; it is RAW or DIGEST.`);
  const digest = digestOf(algorithm, bytesOf(input.Message, 'Message', MAX_MESSAGE_BYTES), type);
  return { key, algorithm, digest };
}

function macOf(key: Key, algorithm: string, input: MacInput): Buffer {
  const message = bytesOf(input.Message, 'Message', MAX_MESSAGE_BYTES);
  return createHmac(`sha${algorithm.slice(-3)}`, key.secret)
    .update(message)
    .digest();
}

function macOperation(keys: Keys, name: string, run: (key: Key, algorithm: string, input: MacInput) => object) {
  return operation<MacInput, object>({
    permissions: ({ KeyId, MacAlgorithm = '' }) => [
      keys.permission(name, keys.resolve(KeyId), { 'kms:MacAlgorithm': MacAlgorithm }, KeyId),
    ],
    run(input) {
      const key = keys.resolve(input.KeyId);
      key.requireUsable('GENERATE_VERIFY_MAC', name);
      const MacAlgorithm = key.requireAlgorithm(input.MacAlgorithm);
      const answer = run(key, MacAlgorithm, input);
      checkDryRun(input.DryRun);
      return { KeyId: key.arn, MacAlgorithm, ...answer };
    },
  });
}

/** Signatures of asymmetric keys and codes of HMAC keys. */
export function signingOperations(keys: Keys): Readonly<Record<string, AnyOperation>> {
  return {
    Sign: operation<SignInput, object>({
      permissions: (input) => signPermission(keys, 'Sign', input),
      run(input) {
        const { key, algorithm, digest } = prepare(keys, 'Sign', input);
        checkDryRun(input.DryRun);
        return { KeyId: key.arn, Signature: signWith(algorithm, key.pair, digest), SigningAlgorithm: algorithm };
      },
    }),
    Verify: operation<SignInput, object>({
      permissions: (input) => signPermission(keys, 'Verify', input),
      run(input) {
        const { key, algorithm, digest } = prepare(keys, 'Verify', input);
        const signature = bytesOf(input.Signature, 'Signature', MAX_SIGNATURE_BYTES);
        if (!isSignedWith(algorithm, key.pair, digest, signature)) {
          throw new AwsError('KMSInvalidSignatureException', 'The signature is not one of this key and message.');
        }
        checkDryRun(input.DryRun);
        return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: algorithm };
      },
    }),
    GetPublicKey: operation<SignInput, object>({
      permissions: ({ KeyId }) => [keys.permission('GetPublicKey', keys.resolve(KeyId), {}, KeyId)],
      run({ KeyId }) {
        const key = keys.resolve(KeyId);
        const { publicKey } = key.pair;
        key.requireUsable(key.spec.usage, 'GetPublicKey');
        return {
          KeyId: key.arn,
          PublicKey: publicKey.export({ format: 'der', type: 'spki' }),
          CustomerMasterKeySpec: key.spec.name,
          KeySpec: key.spec.name,
          KeyUsage: key.spec.usage,
          ...key.algorithmMembers,
        };
      },
    }),
    GenerateMac: macOperation(keys, 'GenerateMac', (key, algorithm, input) => ({ Mac: macOf(key, algorithm, input) })),
    VerifyMac: macOperation(keys, 'VerifyMac', (key, algorithm, input) => {
      const expected = macOf(key, algorithm, input);
      const given = bytesOf(input.Mac, 'Mac', MAX_SIGNATURE_BYTES);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new AwsError('KMSInvalidMacException', 'The code is not one of this key and message.');
      }
      return { MacValid: true };
    }),
  };
}
