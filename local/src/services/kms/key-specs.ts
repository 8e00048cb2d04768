/** What keys there are: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { AwsError, invalid } from '../../kernel/errors.ts';

export type KeyUsage = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC';

export type Material =
  | { readonly kind: 'secret'; readonly secret: Buffer }
  | { readonly kind: 'pair'; readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** Key material as bytes; a private key in PKCS #8. */
export type KeptMaterial =
  | { readonly kind: 'secret'; readonly secret: Buffer }
  | { readonly kind: 'pair'; readonly privateKey: Buffer };

export function exportMaterial(material: Material): KeptMaterial {
  if (material.kind === 'secret') return material;
  return { kind: 'pair', privateKey: material.privateKey.export({ type: 'pkcs8', format: 'der' }) };
}

export function importMaterial(kept: KeptMaterial): Material {
  if (kept.kind === 'secret') return kept;
  const privateKey = createPrivateKey({ key: kept.privateKey, type: 'pkcs8', format: 'der' });
  return { kind: 'pair', privateKey, publicKey: createPublicKey(privateKey) };
}

export interface KeySpec {
  readonly name: string;
  readonly usage: KeyUsage;
  /** What the key can be used with; the member of DescribeKey that lists it follows from the usage. */
  readonly algorithms: readonly string[];
  make(): Material;
}

function secret(bytes: number): () => Material {
  return () => ({ kind: 'secret', secret: randomBytes(bytes) });
}

function curve(namedCurve: string): () => Material {
  return () => ({ kind: 'pair', ...generateKeyPairSync('ec', { namedCurve }) });
}

function rsa(modulusLength: number): () => Material {
  return () => ({ kind: 'pair', ...generateKeyPairSync('rsa', { modulusLength }) });
}

const RSA_SIGNING = [256, 384, 512].flatMap((bits) => [`RSASSA_PSS_SHA_${bits}`, `RSASSA_PKCS1_V1_5_SHA_${bits}`]);

const SPECS: readonly KeySpec[] = [
  { name: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', algorithms: ['SYMMETRIC_DEFAULT'], make: secret(32) },
  { name: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', algorithms: ['ECDSA_SHA_256'], make: curve('prime256v1') },
  { name: 'ECC_NIST_P384', usage: 'SIGN_VERIFY', algorithms: ['ECDSA_SHA_384'], make: curve('secp384r1') },
  { name: 'RSA_2048', usage: 'SIGN_VERIFY', algorithms: RSA_SIGNING, make: rsa(2048) },
  { name: 'RSA_3072', usage: 'SIGN_VERIFY', algorithms: RSA_SIGNING, make: rsa(3072) },
  { name: 'RSA_4096', usage: 'SIGN_VERIFY', algorithms: RSA_SIGNING, make: rsa(4096) },
  { name: 'HMAC_224', usage: 'GENERATE_VERIFY_MAC', algorithms: ['HMAC_SHA_224'], make: secret(28) },
  { name: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', algorithms: ['HMAC_SHA_256'], make: secret(32) },
  { name: 'HMAC_384', usage: 'GENERATE_VERIFY_MAC', algorithms: ['HMAC_SHA_384'], make: secret(48) },
  { name: 'HMAC_512', usage: 'GENERATE_VERIFY_MAC', algorithms: ['HMAC_SHA_512'], make: secret(64) },
];

/** Uses that AWS has and the runtime has not: encryption under RSA, and agreement on a shared secret. */
const OTHER_USES: ReadonlySet<string> = new Set(['ENCRYPT_DECRYPT', 'KEY_AGREEMENT']);

/**
 * The specification of a new key. Asymmetric and HMAC keys name their usage, as on AWS.
 *
 * @throws AwsError ValidationException, NotEmulated
 */
export function keySpecOf(name = 'SYMMETRIC_DEFAULT', usage: string | undefined): KeySpec {
  const spec = SPECS.find((each) => each.name === name);
  if (!spec) {
    const known = SPECS.map((each) => each.name).join(', ');
    throw new AwsError('NotEmulated', `The local runtime does not emulate the key spec ${name}; it has ${known}.`, 501);
  }
  if (usage === spec.usage || (usage === undefined && name === 'SYMMETRIC_DEFAULT')) return spec;
  if (usage === undefined) throw invalid(`You must specify a KeyUsage value for a key with spec ${name}.`);
  if (spec.usage === 'SIGN_VERIFY' && OTHER_USES.has(usage)) {
    throw new AwsError('NotEmulated', `The local runtime does not emulate ${usage} with ${name}.`, 501);
  }
  throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${name}.`);
}
