/** Whom a device trusts to release firmware, and how that changes: as TUF rotates its root, https://theupdateframework.github.io/specification/latest/#update-root */
import { FirmwareTrust, type SignedDocument } from '@thingstead/contracts/firmware';
import { formOf, type Refused, readDocument, readSigned, refuse, type Signers } from './read-signed.ts';
import { type TrustedKey, trustedKey, verifySignatures } from './signed-document.ts';

export type TrustResult = { readonly ok: true; readonly trust: FirmwareTrust } | Refused;

/** The keys of a trust document that sign releases and the next trust document. @throws Error when one is no key of P-256. */
export function releaseSigners(trust: FirmwareTrust): Signers {
  return { keys: trust.releaseKeys.map(trustedKey), threshold: trust.threshold };
}

/** The keys with which the cloud says which release a device gets: one signature is enough. @throws as `releaseSigners` */
export function assignmentSigners(trust: FirmwareTrust): Signers {
  return { keys: trust.assignmentKeys.map(trustedKey), threshold: 1 };
}

/**
 * Reads a trust document that is trusted because of where it lies: the one installed with the device. It is signed by the threshold
 * of its own keys, so that it is whole and its keys can be used. Never throws.
 */
export function readTrust(signed: unknown): TrustResult {
  const form = formOf(signed);
  if (!form.ok) return refuse('malformed', `the trust: ${form.reason}`);
  const read = readDocument('trust', Buffer.from(form.value.document, 'base64'), FirmwareTrust);
  return read.ok ? ownSigned(form.value, read.value) : read;
}

/**
 * Takes the next trust document: its version is the next one, and it is signed by the threshold of the release keys of the current
 * one and of its own. Never throws. `rollback`: its version is not above the current; `fast-forward`: versions between are missing.
 *
 * Who takes it sets the highest counter of each product back to that of what it runs: a fast-forward attack with stolen keys is
 * undone so.
 */
export function acceptTrust(current: FirmwareTrust, next: SignedDocument): TrustResult {
  const read = readSigned('trust', next, releaseSigners(current), FirmwareTrust);
  if (!read.ok) return read;
  const { version } = read.value;
  if (version <= current.version) {
    return refuse('rollback', `the trust has version ${version}, and ${current.version} is known`);
  }
  if (version !== current.version + 1) {
    return refuse('fast-forward', `the trust has version ${version}, which does not follow ${current.version}`);
  }
  return ownSigned(next, read.value);
}

/** Whether the keys in it can be used, and its threshold of them has signed it. */
function ownSigned(signed: SignedDocument, trust: FirmwareTrust): TrustResult {
  const problem = problemWithKeys(trust);
  if (problem !== undefined) return refuse('malformed', `the trust: ${problem}`);
  const { keys, threshold } = releaseSigners(trust);
  const verified = verifySignatures('trust', signed, keys, threshold);
  if (!verified.ok) return refuse(verified.failure, `the trust, by its own keys, is ${verified.reason}`);
  return { ok: true, trust };
}

function problemWithKeys({ releaseKeys, assignmentKeys, threshold }: FirmwareTrust): string | undefined {
  if (threshold > releaseKeys.length) return `asks for ${threshold} of ${releaseKeys.length} keys`;
  try {
    const points = [...releaseKeys, ...assignmentKeys].map(trustedKey).map(pointOf);
    // The key that is online must not be able to release anything, and one key must not count twice, under two ids either.
    return new Set(points).size < points.length ? 'a key stands twice in it' : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The same for the same key, however its SPKI writes the point on the curve. */
function pointOf({ key }: TrustedKey): string {
  const { x, y } = key.export({ format: 'jwk' });
  return `${x} ${y}`;
}
