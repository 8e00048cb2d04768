/** Certificates of the operator's own CA. */
import 'reflect-metadata';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { certificateSignedElsewhere, type SignDigest } from '@thingstead/crypto/certificate-signed-elsewhere';
import { CommandError } from './command-error.ts';

x509.cryptoProvider.set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** A device whose clock is a little slow must not find its certificate "not yet valid". */
const BACKDATED_MS = 3_600_000;

/** Certificate and private key (PKCS #8), in PEM. */
export interface Pair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A new self-signed CA with a key on P-256, which may sign end-entity certificates only. */
export async function createCaPair(name: string, days: number, now: number): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...validity(days, now),
    keys,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, privateKey: await exportKey(keys.privateKey) };
}

/** A self-signed CA whose key is elsewhere, in PEM. @param publicKey SPKI in DER, of P-256. */
export async function createCaCertificate(
  { name, days, now }: { readonly name: string; readonly days: number; readonly now: number },
  publicKey: Uint8Array,
  sign: SignDigest,
): Promise<string> {
  const spki = Uint8Array.from(publicKey);
  const content = {
    serialNumber: serialNumber(),
    subject: [{ CN: [name] }],
    issuer: [{ CN: [name] }],
    ...validity(days, now),
    publicKey: spki,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(spki)),
    ],
  };
  return certificateSignedElsewhere(content, sign);
}

/** A certificate for a device, with a new key. */
export async function issueCertificate(ca: Pair, commonName: string, days: number, now: number): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const publicKey = new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  return {
    certificate: await certify(ca, { commonName, publicKey, days, now }),
    privateKey: await exportKey(keys.privateKey),
  };
}

export interface ToCertify {
  readonly commonName: string;
  /** SPKI in DER. */
  readonly publicKey: Uint8Array;
  readonly days: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A certificate for the key of a device, in PEM: its common name is the thing name, its use is TLS as a client. */
export async function certify(ca: Pair, { commonName, publicKey, days, now }: ToCertify): Promise<string> {
  const issuer = new x509.X509Certificate(ca.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [commonName] }],
    issuer: issuer.subjectName,
    ...validity(days, now, issuer.notAfter),
    publicKey: Uint8Array.from(publicKey),
    signingKey: await importKey(ca.privateKey),
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** What AWS IoT calls the id of a certificate: SHA-256 of its DER. @throws CommandError when it is no PEM certificate. */
export function certificateIdOf(pem: string): string {
  return createHash('sha256').update(parse(pem).raw).digest('hex');
}

/** The common name of a certificate's subject; empty when it has none. */
export function commonNameOf(pem: string): string {
  return (
    parse(pem)
      .subject.split('\n')
      .find((line) => line.startsWith('CN='))
      ?.slice(3) ?? ''
  );
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CommandError('usage', 'This is not a certificate in PEM form.', { cause });
  }
}

function validity(days: number, now: number, latest?: Date): { readonly notBefore: Date; readonly notAfter: Date } {
  const end = now + days * DAY_MS;
  return {
    notBefore: new Date(now - BACKDATED_MS),
    // Never longer than its CA.
    notAfter: new Date(latest ? Math.min(end, latest.getTime()) : end),
  };
}

/** 16 bytes; the leading 01 keeps it positive and its length fixed. */
function serialNumber(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  try {
    return await webcrypto.subtle.importKey('pkcs8', der, P256, false, ['sign']);
  } catch (cause) {
    throw new CommandError('usage', 'The key of the CA is not a P-256 key in PKCS #8 form.', {
      causes: ['it was not made by "thingstead ca create"'],
      cause,
    });
  }
}
