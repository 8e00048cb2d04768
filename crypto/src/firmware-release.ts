/**
 * Whether a device may begin an update. Two parties have to agree, as Uptane has it: the release keys, offline, say what exists; the
 * assignment key, online, says what this device gets now. So a cloud that was taken over can only choose among what was released,
 * and old answers are of no use. https://uptane.org/docs/latest/standard/uptane-standard
 */
import { createHash } from 'node:crypto';
import {
  FirmwareAssignment,
  FirmwareManifest,
  type FirmwareTrust,
  type SignedDocument,
} from '@thingstead/contracts/firmware';
import { assignmentSigners, releaseSigners } from './firmware-trust.ts';
import { type Refused, readSigned, refuse } from './read-signed.ts';

/** A counter that leaps further would use up those of releases to come. */
export const MAX_COUNTER_LEAP = 1_000_000;

export interface AskedGrant {
  readonly thing: string;
  readonly attempt: string;
  /** As the device has sent it; new for each request. */
  readonly nonce: string;
}

export interface FirmwareDevice {
  readonly product: string;
  readonly hardwareRevision: string;
  /** Of what runs; 0 when that is no release. */
  readonly counter: number;
  /** The highest that was ever committed. */
  readonly highestCounter: number;
}

export interface ReleaseCheck {
  readonly trust: FirmwareTrust;
  readonly assignment: SignedDocument;
  readonly release: SignedDocument;
  readonly asked: AskedGrant;
  readonly device: FirmwareDevice;
  /** Epoch milliseconds. Whether the clock can be trusted, the caller knows. */
  readonly now: number;
}

export type ReleaseResult = { readonly ok: true; readonly manifest: FirmwareManifest } | Refused;
type AssignmentResult = { readonly ok: true; readonly assignment: FirmwareAssignment } | Refused;

/**
 * All that can be known before a byte of the image is there: signatures first, then what is signed. Never throws, whatever the
 * documents are; every refusal has the name of the attack that it stops.
 */
export function checkRelease(check: ReleaseCheck): ReleaseResult {
  const assigned = checkAssignment(check);
  if (!assigned.ok) return assigned;
  const read = readRelease(check.trust, check.release);
  if (!read.ok) return read;
  const { assignment } = assigned;
  const { value: manifest, bytes } = read;
  const hash = createHash('sha256').update(bytes).digest('hex');
  const same = hash === assignment.manifestSha256;
  if (!same || manifest.product !== assignment.product || manifest.counter !== assignment.counter) {
    return refuse(
      'mix-and-match',
      `the release ${manifest.product} ${manifest.counter} came with the assignment of ${assignment.product} ${assignment.counter}`,
    );
  }
  return refusal(manifest, check) ?? { ok: true, manifest };
}

/** Whether the cloud says now, to this device and this request, what it gets. Never throws. */
export function checkAssignment({
  trust,
  assignment: signed,
  asked,
  now,
}: Pick<ReleaseCheck, 'trust' | 'assignment' | 'asked' | 'now'>): AssignmentResult {
  const read = readSigned('assignment', signed, assignmentSigners(trust), FirmwareAssignment);
  if (!read.ok) return read;
  const { value: assignment } = read;
  const { thing, attempt, nonce, expiresAt } = assignment;
  if (thing !== asked.thing || attempt !== asked.attempt) {
    return refuse('mix-and-match', `the assignment is for attempt ${attempt} of ${thing}`);
  }
  if (nonce !== asked.nonce) return refuse('freeze', 'the assignment answers another request: an old one was replayed');
  if (expiresAt <= now) return refuse('freeze', `the assignment was good until ${new Date(expiresAt).toISOString()}`);
  return { ok: true, assignment };
}

/**
 * Verifies and reads a release. `arbitrary-software`: signed with the key that may choose among releases and make none. Never throws.
 */
export function readRelease(
  trust: FirmwareTrust,
  signed: SignedDocument,
): ReturnType<typeof readSigned<FirmwareManifest>> {
  const read = readSigned('firmware', signed, releaseSigners(trust), FirmwareManifest);
  if (read.ok || read.failure !== 'unknown-key') return read;
  const byAssigner = signed.signatures.some(({ keyId }) => trust.assignmentKeys.some((key) => key.keyId === keyId));
  return byAssigner ? refuse('arbitrary-software', `${read.reason}; the cloud signs no releases`) : read;
}

/** Why a device must not take what is well signed. */
function refusal(manifest: FirmwareManifest, { device, now }: ReleaseCheck): Refused | undefined {
  const { product, hardwareRevisions, counter, minimumCounter, expiresAt } = manifest;
  if (product !== device.product) return refuse('wrong-product', `is for ${product}, and this is ${device.product}`);
  if (!hardwareRevisions.includes(device.hardwareRevision)) {
    return refuse('wrong-hardware', `is for ${hardwareRevisions.join(', ')}, and this is ${device.hardwareRevision}`);
  }
  if (expiresAt <= now) return refuse('expired', `was good until ${new Date(expiresAt).toISOString()}`);
  const highest = Math.max(device.highestCounter, device.counter);
  if (counter <= highest) return refuse('rollback', `has counter ${counter}, and ${highest} was here`);
  if (counter > highest + MAX_COUNTER_LEAP) {
    return refuse('fast-forward', `has counter ${counter}, too far above ${highest}`);
  }
  // What is from no release came before all of them.
  if (Math.max(device.counter, 1) < minimumCounter) {
    return refuse('not-reachable-from-here', `can be had from ${minimumCounter}, and ${device.counter} runs here`);
  }
  return undefined;
}
