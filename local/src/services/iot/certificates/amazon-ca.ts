/** The CA with which AWS IoT issues certificates itself. Here it is made on first use and lives as long as the account. */
import { generateKeyPair, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type { PublicKey } from '@peculiar/x509';
import { certificateValidation } from '../control/errors.ts';

const ISSUER = 'OU=Amazon Web Services O\\=Amazon.com Inc. L\\=Seattle ST\\=Washington C\\=US';
const SUBJECT = 'CN=AWS IoT Certificate';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** What AWS IoT gives all its certificates. */
const NOT_AFTER = new Date('2049-12-31T23:59:59Z');
const RSA_BITS = 2048;

export interface IssuedWithKeys {
  readonly x509: X509Certificate;
  /** PEM, as CreateKeysAndCertificate gives them. */
  readonly publicKey: string;
  readonly privateKey: string;
}

export class AmazonCa {
  readonly #now: () => number;
  #keys: Promise<webcrypto.CryptoKeyPair> | undefined;

  /** `now` gives virtual time, epoch milliseconds: a certificate is valid from then on. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new RSA key pair of 2048 bits with its certificate. */
  async createKeysAndCertificate(): Promise<IssuedWithKeys> {
    const pair = await promisify(generateKeyPair)('rsa', {
      modulusLength: RSA_BITS,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    const { PublicKey: Key } = await loadX509();
    return { x509: await this.#issue(SUBJECT, new Key(pair.publicKey)), ...pair };
  }

  /**
   * A certificate for the key of a PKCS #10 request, with its subject.
   *
   * @throws AwsError CertificateValidationException when it cannot be read, or is not signed with its own key
   */
  async certify(csr: string): Promise<X509Certificate> {
    const x509 = await loadX509();
    let request: InstanceType<typeof x509.Pkcs10CertificateRequest>;
    try {
      request = new x509.Pkcs10CertificateRequest(csr);
    } catch {
      throw certificateValidation('certificateSigningRequest has to hold a PKCS #10 request in PEM form');
    }
    if (!(await request.verify())) throw certificateValidation('the request is not signed with the key that it holds');
    return this.#issue(request.subject === '' ? SUBJECT : request.subject, request.publicKey);
  }

  async #issue(subject: string, publicKey: PublicKey): Promise<X509Certificate> {
    const x509 = await loadX509();
    this.#keys ??= webcrypto.subtle.generateKey(ALGORITHM, false, [
      'sign',
      'verify',
    ]) as Promise<webcrypto.CryptoKeyPair>;
    const { privateKey } = await this.#keys;
    const certificate = await x509.X509CertificateGenerator.create({
      // A leading 01 keeps the number positive and its length fixed.
      serialNumber: `01${randomBytes(19).toString('hex')}`,
      subject,
      issuer: ISSUER,
      notBefore: new Date(this.#now() - 120_000),
      notAfter: NOT_AFTER,
      signingAlgorithm: ALGORITHM,
      signingKey: privateKey,
      publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ],
    });
    return new X509Certificate(certificate.toString('pem'));
  }
}

/** Loaded only when a certificate is issued: it costs 20 MB and a tenth of a second. */
async function loadX509() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  // The Web Crypto types of Node.js and of the DOM library, which x509 is declared with, differ in name only.
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  return x509;
}
