import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type CertificatePair, CertificateStore } from './certificates/certificate-store.ts';
import type { AgentConfig } from './config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { checkSecretFile } from './secret-file.ts';

/** What the device proves itself with. */
export interface Identity {
  /** PEM. */
  readonly certificate: string;
  readonly key: FileKey | TokenKey;
  /** PEM. */
  readonly rootCa?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface FileKey {
  readonly kind: 'file';
  readonly pem: string;
}

/** A key that stays in a PKCS#11 token (TPM, secure element, HSM): the agent asks the token to sign. */
export interface TokenKey {
  readonly kind: 'token';
  /** File of the token's PKCS#11 library. */
  readonly library: string;
  readonly pin: string;
  readonly slot?: number | undefined;
  readonly tokenLabel?: string | undefined;
  readonly keyLabel?: string | undefined;
  /** `pkcs11-tool`, or its file. */
  readonly tool: string;
}

/**
 * What the device proves itself with: the pair that it got last from the cloud, unless the configuration names a newer one.
 *
 * @throws ConfigurationError that says what to change.
 */
export function loadIdentity(config: AgentConfig): Identity {
  return newest(config, loadFactoryIdentity(config));
}

/** Of what the configuration names and what was renewed, what was issued last. What cannot be used is passed over. */
export function newest(config: AgentConfig, factory: Identity): Identity {
  const store = certificateStore(config);
  const current = store?.current();
  if (!store || !current) return factory;
  checkSecretFile('outbox.directory', 'private key', store.currentFile);
  try {
    const renewed = identityWith(config.thing, factory, current);
    return renewed.notBefore.getTime() >= factory.notBefore.getTime() ? renewed : factory;
  } catch {
    return factory;
  }
}

/** Where renewed certificates are; undefined without a disk. */
export function certificateStore({ outbox, thing }: AgentConfig): CertificateStore | undefined {
  if (outbox.memory) return undefined;
  const folder = path.join(outbox.directory ?? 'state', thing);
  return new CertificateStore(nodeFileSystem, CertificateStore.folderIn(folder));
}

/**
 * An identity with another certificate, and with its key unless that stays in the token. @throws Error when they are no pair of this thing, or not of the
 * kind that the configuration names.
 */
export function identityWith(thing: string, factory: Identity, { certificate, key }: CertificatePair): Identity {
  const parsed = new X509Certificate(certificate);
  const names = commonNames(parsed);
  if (names.length !== 1 || names[0] !== thing) throw new Error('the certificate belongs to another thing');
  if (!isOfKind(factory, key)) throw new Error('the configuration says that the key is somewhere else');
  const belongs =
    key === undefined
      ? parsed.publicKey.equals(new X509Certificate(factory.certificate).publicKey)
      : parsed.checkPrivateKey(createPrivateKey(key));
  if (!belongs) throw new Error('the key is another one');
  return {
    ...factory,
    certificate,
    ...(key !== undefined && { key: { kind: 'file' as const, pem: key } }),
    notBefore: parsed.validFromDate,
    notAfter: parsed.validToDate,
  };
}

/** Whether a key that was renewed is where the configuration says: beside its certificate, or, when it is absent, in the token. */
export function isOfKind(factory: Identity, key: string | undefined): boolean {
  return (key === undefined) === (factory.key.kind === 'token');
}

/**
 * Reads certificate, key and root CA as the configuration names them, and checks what the cloud would only answer with a closed connection: the
 * common name is the thing name, the key belongs to the certificate, and nobody else can read the key. Of a key in a token
 * it reads the PIN; whether the token takes it shows when TLS is set up.
 *
 * @throws ConfigurationError that says what to change.
 */
export function loadFactoryIdentity(config: AgentConfig): Identity {
  const { thing, certificateFile, rootCaFile } = config;
  const certificate = readText('certificateFile', certificateFile);
  const parsed = parsePem('certificateFile', certificateFile, () => new X509Certificate(certificate));
  const names = commonNames(parsed);
  if (names.length !== 1 || names[0] !== thing) {
    throw new ConfigurationError('the certificate belongs to another thing', [
      `thing is "${thing}", but the common name in ${certificateFile} is ${names.map((name) => `"${name}"`).join(' and ') || 'missing'}`,
      'the cloud takes the name from the certificate: change "thing", or ask for a certificate of that name',
    ]);
  }
  return {
    certificate,
    key: loadKey(config, parsed),
    ...(rootCaFile === undefined ? {} : { rootCa: readText('rootCaFile', rootCaFile) }),
    notBefore: parsed.validFromDate,
    notAfter: parsed.validToDate,
  };
}

function loadKey(
  { privateKeyFile, pkcs11, certificateFile }: AgentConfig,
  certificate: X509Certificate,
): Identity['key'] {
  if (pkcs11) {
    const { pinFile, ...token } = pkcs11;
    return { kind: 'token', ...token, pin: readPin(pinFile) };
  }
  // The configuration has one of the two.
  const file = privateKeyFile ?? '';
  checkSecretFile('privateKeyFile', 'private key', file);
  const pem = readText('privateKeyFile', file);
  if (!certificate.checkPrivateKey(parsePem('privateKeyFile', file, () => createPrivateKey(pem)))) {
    throw new ConfigurationError('the private key does not belong to the certificate', [
      `certificateFile: ${certificateFile}`,
      `privateKeyFile: ${file}`,
    ]);
  }
  return { kind: 'file', pem };
}

/** The first line, since editors end a file with a line break. */
function readPin(file: string): string {
  checkSecretFile('pkcs11.pinFile', 'PIN', file);
  const pin = readText('pkcs11.pinFile', file).split(/\r?\n/, 1)[0] ?? '';
  if (pin === '')
    throw new ConfigurationError('pkcs11.pinFile is empty', [`${file} must hold the user PIN of the token`]);
  return pin;
}

function commonNames(certificate: X509Certificate): readonly string[] {
  return certificate.subject
    .split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice('CN='.length));
}

function readText(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`${key} cannot be read`, [messageOf(cause)], { cause });
  }
}

function parsePem<T>(key: string, file: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new ConfigurationError(
      `${key} is not what it should be`,
      [`${file} is not PEM, or of an unknown kind: ${messageOf(cause)}`],
      { cause },
    );
  }
}
