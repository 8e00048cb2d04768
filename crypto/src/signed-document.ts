/** Documents with signatures over their bytes: what is not verified is not read. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { SignedDocument } from '@thingstead/contracts/firmware';

/** A public key and the SHA-256 of its SPKI, by which signatures name it. */
export interface TrustedKey {
  readonly keyId: string;
  readonly key: KeyObject;
}

export type Verified =
  | { readonly ok: true; readonly bytes: Buffer }
  | {
      readonly ok: false;
      readonly failure: 'unknown-key' | 'wrong-signature' | 'threshold';
      readonly reason: string;
    };

/** SHA-256 of a public key's SPKI in DER, in hex. */
export function keyIdOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('hex');
}

/**
 * Reads a public key: SPKI in DER, in base64. @throws Error when it is no key of P-256, or is not the one of its id.
 */
export function trustedKey({ keyId, spki }: { readonly keyId: string; readonly spki: string }): TrustedKey {
  const der = Buffer.from(spki, 'base64');
  if (keyIdOf(der) !== keyId) throw new Error(`the key ${keyId} is another one than its id says`);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error(`the key ${keyId} is not of P-256`);
  return { keyId, key };
}

/** What is signed: the kind of document stands before it, so that no document can be taken for one of another kind. */
export function bytesToSign(type: string, document: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`thingstead ${type}\n`), document]);
}

/**
 * Whether at least `threshold` different keys of these have signed it: ECDSA with SHA-256, DER. Signatures of other keys do no harm;
 * a wrong one of a trusted key does.
 */
export function verifySignatures(
  type: string,
  { document, signatures }: SignedDocument,
  keys: readonly TrustedKey[],
  threshold: number,
): Verified {
  const bytes = Buffer.from(document, 'base64');
  const signed = bytesToSign(type, bytes);
  const good = new Set<string>();
  for (const { keyId, signature } of signatures) {
    const trusted = keys.find((key) => key.keyId === keyId);
    if (!trusted) continue;
    if (!verify('sha256', signed, { key: trusted.key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'))) {
      return { ok: false, failure: 'wrong-signature', reason: `the signature of key ${keyId} is not over this` };
    }
    good.add(keyId);
  }
  if (good.size === 0) {
    const ids = signatures.map(({ keyId }) => keyId).join(', ');
    return { ok: false, failure: 'unknown-key', reason: `signed by ${ids}, of which none is trusted` };
  }
  if (good.size < threshold) {
    return { ok: false, failure: 'threshold', reason: `signed by ${good.size} of ${threshold} keys` };
  }
  return { ok: true, bytes };
}
