import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import type { AgentConfig } from './config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';

/** What the device proves itself with, in PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
  readonly rootCa?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Reads certificate, key and root CA, and checks what the cloud would only answer with a closed connection: the
 * common name is the thing name, the key belongs to the certificate, and nobody else can read the key.
 *
 * @throws ConfigurationError that says what to change.
 */
export function loadIdentity(config: AgentConfig): Identity {
  const { thing, certificateFile, privateKeyFile, rootCaFile } = config;
  checkKeyFile(privateKeyFile);
  const certificate = read('certificateFile', certificateFile);
  const privateKey = read('privateKeyFile', privateKeyFile);
  const parsed = parse('certificateFile', certificateFile, () => new X509Certificate(certificate));
  const key: KeyObject = parse('privateKeyFile', privateKeyFile, () => createPrivateKey(privateKey));
  const names = commonNames(parsed);
  if (names.length !== 1 || names[0] !== thing) {
    throw new ConfigurationError('the certificate belongs to another thing', [
      `thing is "${thing}", but the common name in ${certificateFile} is ${names.map((name) => `"${name}"`).join(' and ') || 'missing'}`,
      'the cloud takes the name from the certificate: change "thing", or ask for a certificate of that name',
    ]);
  }
  if (!parsed.checkPrivateKey(key)) {
    throw new ConfigurationError('the private key does not belong to the certificate', [
      `certificateFile: ${certificateFile}`,
      `privateKeyFile: ${privateKeyFile}`,
    ]);
  }
  return {
    certificate,
    privateKey,
    ...(rootCaFile === undefined ? {} : { rootCa: read('rootCaFile', rootCaFile) }),
    notBefore: parsed.validFromDate,
    notAfter: parsed.validToDate,
  };
}

function commonNames(certificate: X509Certificate): readonly string[] {
  return certificate.subject
    .split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice('CN='.length));
}

function checkKeyFile(file: string): void {
  let stats: Stats;
  try {
    stats = statSync(file);
  } catch (cause) {
    throw new ConfigurationError('privateKeyFile cannot be read', [messageOf(cause)], { cause });
  }
  const user = process.getuid?.();
  if (user !== undefined && stats.uid !== user) {
    throw new ConfigurationError('the private key belongs to another user', [
      `${file} is owned by user ${stats.uid}, the agent runs as user ${user}`,
      `run: sudo chown ${user} ${file}`,
    ]);
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new ConfigurationError('other users of this machine can read the private key', [
      `${file} has mode ${(stats.mode & 0o777).toString(8).padStart(4, '0')}; it must be 0600 or 0400`,
      `run: chmod 600 ${file}`,
    ]);
  }
}

function read(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`${key} cannot be read`, [messageOf(cause)], { cause });
  }
}

function parse<T>(key: string, file: string, run: () => T): T {
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
