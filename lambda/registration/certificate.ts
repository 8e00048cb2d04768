import { type KeyObject, X509Certificate } from 'node:crypto';
import { THING_NAME } from '@thingstead/contracts/names';
import type { HeldReason } from '@thingstead/contracts/registration';

/** What a certificate says of its holder, after everything that a certificate alone can show was checked. */
export interface Identity {
  readonly thing: string;
  /** Hex. */
  readonly serialNumber: string;
  /** Epoch milliseconds. */
  readonly notAfter: number;
}

const MIN_RSA_BITS = 2048;
/** OpenSSL's names of P-256, P-384 and P-521. */
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * Reads a device certificate and checks its signature, dates, key and name, in this order.
 * `pem` and `caPem` come from AWS IoT; `now` is in epoch milliseconds.
 */
export function checkCertificate(pem: string, caPem: string, now: number): Identity | HeldReason {
  const certificate = parse(pem);
  const ca = parse(caPem);
  if (!certificate || !ca) return 'certificate-unreadable';
  if (!isWithin(ca, now)) return 'ca-expired';
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return 'signature-invalid';
  if (now < certificate.validFromDate.getTime()) return 'not-yet-valid';
  if (now > certificate.validToDate.getTime()) return 'expired';
  if (!isStrongKey(certificate.publicKey)) return 'key-weak';
  const thing = commonName(certificate);
  if (thing === undefined) return 'name-invalid';
  return { thing, serialNumber: certificate.serialNumber, notAfter: certificate.validToDate.getTime() };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isWithin(certificate: X509Certificate, now: number): boolean {
  return now >= certificate.validFromDate.getTime() && now <= certificate.validToDate.getTime();
}

/** RSA of 2048 bits or more, or on P-256, P-384 or P-521. */
export function isStrongKey(publicKey: KeyObject): boolean {
  const { modulusLength = 0, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  return publicKey.asymmetricKeyType === 'rsa' ? modulusLength >= MIN_RSA_BITS : CURVES.includes(namedCurve);
}

/** The one common name, when it is valid as a thing name. With several, each reader might believe another one. */
export function commonName(certificate: X509Certificate): string | undefined {
  const { CN } = certificate.toLegacyObject().subject;
  return typeof CN === 'string' && THING_NAME.test(CN) ? CN : undefined;
}
