import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Signer } from './ports.ts';

x509.cryptoProvider.set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface NewCertificate {
  readonly thing: string;
  /** SPKI in DER. */
  readonly publicKey: Buffer;
  /** Hex. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Makes a certificate for a device, in PEM: its common name is the thing name, its use is TLS as a client (RFC 5280). `ca` is PEM. */
export async function issueCertificate(ca: string, subject: NewCertificate, signer: Signer): Promise<string> {
  const issuer = new x509.X509Certificate(ca);
  const { thing, publicKey, ...dates } = subject;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...dates,
      subject: [{ CN: [thing] }],
      issuer: issuer.subjectName,
      publicKey,
      // The library asks this key for its algorithm and hands it to `sign` below.
      signingKey: { algorithm: P256 } as unknown as webcrypto.CryptoKey,
      signingAlgorithm: P256,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ],
    },
    signingWith(signer),
  );
  return `${certificate.toString('pem')}\n`;
}

/** What the library takes for the machine's cryptography: it signs elsewhere. */
function signingWith(signer: Signer): Parameters<typeof x509.X509CertificateGenerator.create>[1] {
  const sign = async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer): Promise<ArrayBuffer> => {
    const der = await signer.sign(createHash('sha256').update(Buffer.from(tbs)).digest());
    // It wants the two numbers one after the other, as WebCrypto gives them.
    const signature = new x509.AsnEcSignatureFormatter().toWebSignature(P256, Uint8Array.from(der));
    if (!signature) throw new TypeError('the signature of the CA is no ECDSA signature in DER');
    return signature;
  };
  return { subtle: { sign } } as unknown as webcrypto.Crypto;
}
