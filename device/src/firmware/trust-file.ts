import { readFileSync } from 'node:fs';
import type { FirmwareTrust } from '@thingstead/contracts/firmware';
import { readTrust } from '@thingstead/crypto/firmware-trust';
import { ConfigurationError, messageOf } from '../configuration-error.ts';

export interface TrustFile {
  /** As it was signed. */
  readonly document: unknown;
  readonly trust: FirmwareTrust;
}

/**
 * Reads the first trust document of a device.
 *
 * @param file `firmware.trustFile`.
 * @throws ConfigurationError: it is not there, or is none.
 */
export function readTrustFile(file: string): TrustFile {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ConfigurationError('firmware.trustFile cannot be read', [`${file}: ${messageOf(cause)}`], { cause });
  }
  const read = readTrust(document);
  if (read.ok) return { document, trust: read.trust };
  const problem = `${file}: the first trust document is ${read.failure}: ${read.reason}`;
  throw new ConfigurationError('firmware.trustFile is not good', [problem, 'thingstead firmware trust init makes one']);
}
