import 'reflect-metadata';
import { createHash, createPublicKey, webcrypto, type X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { isStrongKey } from '../registration/certificate.ts';

x509.cryptoProvider.set(webcrypto);

export type RequestedKey =
  | { readonly ok: true; readonly publicKey: Buffer; readonly keyHash: string }
  | { readonly ok: false; readonly reason: string };

/**
 * The key for which a PKCS#10 request asks a certificate (RFC 2986): SPKI in DER. The request is signed with that key, so whoever made it has
 * it; it is for this thing and no other; the key is as strong as registration wants.
 */
export async function requestedKey(csr: string, thing: string): Promise<RequestedKey> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) return { ok: false, reason: 'the request is not signed with its own key' };
  } catch {
    return { ok: false, reason: 'this is no PKCS#10 request in PEM' };
  }
  const names = request.subjectName.getField('CN');
  if (names.length !== 1 || names[0] !== thing) return { ok: false, reason: `the common name is not ${thing}` };
  return keyOf(Buffer.from(request.publicKey.rawData));
}

/** The key of a certificate, for which there is to be another one. */
export function certifiedKey({ publicKey }: X509Certificate): RequestedKey {
  return keyOf(publicKey.export({ format: 'der', type: 'spki' }));
}

/** A public key, SPKI in DER, with what names it. */
function keyOf(publicKey: Buffer): RequestedKey {
  if (!isStrongKey(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }))) {
    return { ok: false, reason: 'the key is neither RSA of 2048 bits or more nor on P-256, P-384 or P-521' };
  }
  return { ok: true, publicKey, keyHash: createHash('sha256').update(publicKey).digest('hex') };
}
