/** Certificates for tests: CAs and device certificates with any name, key and dates, good ones and wrong ones. */
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export interface CertificateAuthority {
  readonly name: string;
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface DeviceCertificate {
  readonly thing: string;
  readonly pem: string;
  readonly keyPem: string;
  /** SHA-256 of the DER in hex: what AWS IoT calls the certificate id. */
  readonly certificateId: string;
  readonly serialNumber: string;
}

interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

function validity({ notBefore, notAfter }: Validity): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + 365 * DAY_MS),
  };
}

function serial(): string {
  // A leading 0x01 keeps the number positive and its length fixed.
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

/** A self-signed CA. Two CAs of one name have different keys. */
export async function createCa(name: string, dates: Validity = {}): Promise<CertificateAuthority> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    ...validity(dates),
    keys,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { name, pem: certificate.toString('pem'), keys };
}

/** A key pair on P-256. */
export function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
}

/** A certificate of this CA with the common name `thing`, and with a key of its own unless `keys` are given. */
export async function issue(
  ca: CertificateAuthority,
  thing: string,
  {
    subject = `CN=${thing}`,
    keys: given,
    ...dates
  }: Validity & { readonly subject?: string; readonly keys?: webcrypto.CryptoKeyPair | undefined } = {},
): Promise<DeviceCertificate> {
  const keys = given ?? (await createKeys());
  const serialNumber = serial();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    subject,
    issuer: `CN=${ca.name}`,
    ...validity(dates),
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    signingAlgorithm: P256,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    thing,
    pem: certificate.toString('pem'),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`,
    certificateId: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
    serialNumber,
  };
}

/** Writes certificate and key into a new folder, for clients that take files. */
export function writeFiles(device: DeviceCertificate): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-device-'));
  const cert = path.join(folder, 'certificate.crt');
  const key = path.join(folder, 'private.key');
  writeFileSync(cert, device.pem);
  writeFileSync(key, device.keyPem, { mode: 0o600 });
  return { cert, key };
}
