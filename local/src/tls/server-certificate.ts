/**
 * The certificate of the MQTT and device HTTPS listeners. On AWS devices trust Amazon's root CA; here they trust a root
 * made on this machine. Its private key is thrown away after it has signed the one server certificate, so that trusting
 * it gives nobody power over other names.
 */
import { webcrypto, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ServerCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM, leaf first. */
  readonly cert: string;
  /** The file that clients name as their root CA. */
  readonly rootCaFile: string;
}

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
/** A certificate with less than this left is replaced at the start. */
const RENEW_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Gives the certificate kept in `folder`, making one when there is none or it ends soon. Keys are readable by the owner only. */
export async function serverCertificate(folder: string): Promise<ServerCertificate> {
  const rootCaFile = path.join(folder, 'root-ca.pem');
  const certFile = path.join(folder, 'server.pem');
  const keyFile = path.join(folder, 'server.key');
  if (![rootCaFile, certFile, keyFile].every((file) => existsSync(file)) || endsSoon(certFile)) {
    mkdirSync(folder, { recursive: true });
    const made = await issue();
    writeFileSync(keyFile, made.key, { mode: 0o600 });
    writeFileSync(certFile, made.cert);
    writeFileSync(rootCaFile, made.root);
  }
  return {
    key: readFileSync(keyFile, 'utf8'),
    cert: readFileSync(certFile, 'utf8'),
    rootCaFile: path.resolve(rootCaFile),
  };
}

function endsSoon(certFile: string): boolean {
  const left = new X509Certificate(readFileSync(certFile)).validToDate.getTime() - Date.now();
  return left < RENEW_DAYS * DAY_MS;
}

async function issue(): Promise<{ readonly key: string; readonly cert: string; readonly root: string }> {
  // Loaded only when a certificate is made: it costs 20 MB and a tenth of a second.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  // The Web Crypto types of Node.js and of the DOM library, which x509 is declared with, differ in name only.
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const notBefore = new Date(Date.now() - DAY_MS);
  const notAfter = new Date(Date.now() + VALID_DAYS * DAY_MS);
  const generate = () =>
    webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
  const [rootKeys, serverKeys] = await Promise.all([generate(), generate()]);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Local runtime root CA',
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: rootKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const server = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: root.subject,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    signingKey: rootKeys.privateKey,
    publicKey: serverKeys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(serverKeys.publicKey),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey);
  const key = x509.PemConverter.encode(pkcs8, 'PRIVATE KEY');
  return { key: `${key}\n`, cert: `${server.toString('pem')}\n`, root: `${root.toString('pem')}\n` };
}
