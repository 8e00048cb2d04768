import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { certificateSignedElsewhere } from '@thingstead/crypto/certificate-signed-elsewhere';
import type { Signer } from './ports.ts';

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
  const { thing, ...others } = subject;
  const content = {
    ...others,
    subject: [{ CN: [thing] }],
    issuer: issuer.subjectName,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  };
  return certificateSignedElsewhere(content, (digest) => signer.sign(digest));
}
