/** Certificates whose issuer's key is elsewhere, in KMS for one. */
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Signs a SHA-256, with a key that is elsewhere: ECDSA on P-256, in DER. */
export type SignDigest = (digest: Uint8Array) => Promise<Uint8Array>;

type Content = Omit<x509.X509CertificateCreateWithKeyParams, 'signingKey' | 'signingAlgorithm'>;

/**
 * Makes a certificate (RFC 5280), in PEM.
 *
 * @throws (rejects) TypeError: what `sign` gives is no ECDSA signature in DER.
 */
export async function certificateSignedElsewhere(content: Content, sign: SignDigest): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...content,
      // The library asks this key for its algorithm and hands it to `sign` below.
      signingKey: { algorithm: P256 } as unknown as webcrypto.CryptoKey,
      signingAlgorithm: P256,
    },
    signingWith(sign),
  );
  return `${certificate.toString('pem')}\n`;
}

/** What the library takes for the machine's cryptography. */
function signingWith(signDigest: SignDigest): webcrypto.Crypto {
  const sign = async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer): Promise<ArrayBuffer> => {
    const der = await signDigest(createHash('sha256').update(Buffer.from(tbs)).digest());
    // It wants the two numbers one after the other, as WebCrypto gives them.
    const signature = new x509.AsnEcSignatureFormatter().toWebSignature(P256, Uint8Array.from(der));
    if (!signature) throw new TypeError('the signature of the CA is no ECDSA signature in DER');
    return signature;
  };
  return { subtle: { sign } } as unknown as webcrypto.Crypto;
}
