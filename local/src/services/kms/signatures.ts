/** Signatures by the algorithms of https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html. */
import { constants, createHash, type KeyObject, privateEncrypt, publicDecrypt } from 'node:crypto';
import { invalid } from '../../kernel/errors.ts';
import { signDigest, verifyDigest } from './ecdsa.ts';
import { checkPss, encodePss } from './pss.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The DER of DigestInfo before the digest (RFC 8017, section 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<string, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

function hashOf(algorithm: string): string {
  return `sha${algorithm.slice(-3)}`;
}

/**
 * The digest that is signed.
 *
 * @throws AwsError ValidationException when a given digest has not the length of the algorithm's
 */
export function digestOf(algorithm: string, message: Uint8Array, type: 'RAW' | 'DIGEST'): Buffer {
  if (type === 'RAW') return createHash(hashOf(algorithm)).update(message).digest();
  const bytes = Number(algorithm.slice(-3)) / 8;
  if (message.length !== bytes) {
    throw invalid(`Digest is invalid length for algorithm ${algorithm}: ${message.length} bytes instead of ${bytes}.`);
  }
  return Buffer.from(message);
}

function digestInfo(algorithm: string, digest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(DIGEST_INFO[hashOf(algorithm)] ?? '', 'hex'), digest]);
}

/** Signs a digest. */
export function signWith(algorithm: string, { privateKey: key }: KeyPair, digest: Buffer): Buffer {
  if (algorithm.startsWith('ECDSA')) return signDigest(key, digest);
  if (algorithm.startsWith('RSASSA_PKCS1')) {
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(algorithm, digest));
  }
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodePss(hashOf(algorithm), digest, bytes));
}

/** Whether a signature of this digest was made with the key. */
export function isSignedWith(algorithm: string, pair: KeyPair, digest: Buffer, signature: Uint8Array): boolean {
  if (algorithm.startsWith('ECDSA')) return verifyDigest(pair.privateKey, digest, signature);
  const key = pair.publicKey;
  const pkcs1 = algorithm.startsWith('RSASSA_PKCS1');
  const padding = pkcs1 ? constants.RSA_PKCS1_PADDING : constants.RSA_NO_PADDING;
  let block: Buffer;
  try {
    block = publicDecrypt({ key, padding }, signature);
  } catch {
    // OpenSSL refuses what cannot be a signature of this key: a wrong length, a wrong padding.
    return false;
  }
  return pkcs1 ? block.equals(digestInfo(algorithm, digest)) : checkPss(hashOf(algorithm), digest, block);
}
