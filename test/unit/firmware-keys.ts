/** Key pairs, and documents signed with them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { FirmwareTrust, SignedDocument } from '@thingstead/contracts/firmware';
import { bytesToSign, keyIdOf } from '@thingstead/crypto/signed-document';
import { documentBytes } from '@thingstead/crypto/strict-json';

export interface Pair {
  /** As it stands in a trust document. */
  readonly publicKey: { readonly keyId: string; readonly spki: string };
  readonly privateKey: KeyObject;
}

export function keyPair(namedCurve = 'P-256'): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return { publicKey: { keyId: keyIdOf(der), spki: der.toString('base64') }, privateKey };
}

/** Signs bytes as they are; an object as documents are written. */
export function signed(type: string, document: object | Buffer, ...pairs: readonly Pair[]): SignedDocument {
  const bytes = Buffer.isBuffer(document) ? document : documentBytes(document);
  return {
    document: bytes.toString('base64'),
    signatures: pairs.map(({ publicKey, privateKey }) => ({
      keyId: publicKey.keyId,
      signature: sign('sha256', bytesToSign(type, bytes), privateKey).toString('base64'),
    })),
  };
}

export function trustOf(
  version: number,
  threshold: number,
  releaseKeys: readonly Pair[],
  assignmentKeys: readonly Pair[],
): FirmwareTrust {
  const publicKeys = (pairs: readonly Pair[]) => pairs.map(({ publicKey }) => publicKey);
  return {
    type: 'trust',
    version,
    releaseKeys: publicKeys(releaseKeys),
    threshold,
    assignmentKeys: publicKeys(assignmentKeys),
  };
}
