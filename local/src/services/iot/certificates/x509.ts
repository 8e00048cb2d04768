/** Reading X.509 certificates: what AWS IoT accepts, and how it names them. */
import { createHash, X509Certificate } from 'node:crypto';
import { certificateValidation } from '../control/errors.ts';

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const SMALLEST_RSA_BITS = 2048;
/** P-256, P-384 and P-521 as OpenSSL names them. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const EXTENDED_KEY_USAGES_OF_CLIENTS = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

/** The certificate id of AWS IoT: the SHA-256 fingerprint of the DER in lower-case hex. */
export function certificateIdOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex');
}

export interface Validity {
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export function validityOf({ validFromDate, validToDate }: X509Certificate): Validity {
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}

/** Reads one PEM certificate. Throws CertificateValidationException for anything else; `name` is the request's member. */
export function parsePem(pem: string, name: string): X509Certificate {
  const found = pem.match(PEM) ?? [];
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw certificateValidation(`${name} has to hold exactly one certificate in PEM form; it holds ${found.length}`);
  }
  try {
    return new X509Certificate(only);
  } catch {
    throw certificateValidation(`${name} is in PEM form, but what it holds is no X.509 certificate`);
  }
}

/**
 * Why AWS IoT does not take this key or signature, undefined when it does
 * (https://docs.aws.amazon.com/iot/latest/developerguide/x509-client-certs.html, "Supported signing algorithms" and
 * key algorithms).
 */
export function weakness(certificate: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits < SMALLEST_RSA_BITS) return `the RSA key has ${bits} bits; at least ${SMALLEST_RSA_BITS} are needed`;
  } else if (type !== 'ec' || !CURVES.has(details?.namedCurve ?? '')) {
    return `the key is ${type} ${details?.namedCurve ?? ''}; RSA and ECC on P-256, P-384 or P-521 are supported`;
  }
  if (/sha1|md5/i.test(certificate.signatureAlgorithm ?? '')) {
    return `it is signed with ${certificate.signatureAlgorithm}; SHA-256 or better is needed`;
  }
  return undefined;
}

/** True when the certificate may identify a TLS client: no extended key usage, or one that names it. */
export function mayBeClient({ keyUsage }: X509Certificate): boolean {
  // Node.js names `keyUsage` what X.509 calls the extended key usage; its types leave out that it may be absent.
  const usages: readonly string[] | undefined = keyUsage;
  return !usages || usages.some((each) => EXTENDED_KEY_USAGES_OF_CLIENTS.includes(each));
}

/** True when `ca` has issued `certificate`: names, key identifiers and a real check of the signature. */
export function isIssuedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

/** The common names of the subject; an X.509 name may have several. */
export function commonNames(certificate: X509Certificate): readonly string[] {
  const name = certificate.toLegacyObject().subject.CN;
  return name === undefined ? [] : [name].flat();
}
