import { createPrivateKey, X509Certificate } from 'node:crypto';

/** What a certificate is checked against. */
export interface Expected {
  readonly thing: string;
  /** PEM; absent for the key of `present`. */
  readonly key?: string | undefined;
  /** PEM. The certificate in use. */
  readonly present: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What is wrong with a certificate that came from the cloud; undefined when it can be tried. */
export function problemOf(pem: string, { thing, key, present, now }: Expected): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'it is no certificate in PEM';
  }
  const belongs =
    key === undefined
      ? certificate.publicKey.equals(new X509Certificate(present).publicKey)
      : certificate.checkPrivateKey(createPrivateKey(key));
  if (!belongs) return 'it is for another key';
  if (certificate.subject !== `CN=${thing}`) return `its subject is ${certificate.subject}`;
  if (certificate.validToDate.getTime() <= now) return `it has expired at ${certificate.validToDate.toISOString()}`;
  return undefined;
}
