import { isDeepStrictEqual } from 'node:util';
import type { SignedDocument } from '@thingstead/contracts/firmware';
import type { TrustRow } from '@thingstead/contracts/firmware-store';
import { acceptTrust, readTrust, type TrustResult } from '@thingstead/crypto/firmware-trust';
import { type Refusal, refusal } from '../http/request.ts';
import type { Ports } from './ports.ts';

/**
 * Adds a trust document as devices will accept it. INVARIANTS:
 * - documents are a chain from version 1 without a gap: a device that has any of them can follow it to the newest;
 * - the key with which the cloud assigns is in the newest one, or devices that have it would refuse every grant;
 * - the same document again is the same.
 */
export async function publishTrust(
  { document, by }: { readonly document: SignedDocument; readonly by: string },
  ports: Ports,
): Promise<{ readonly ok: true; readonly row: TrustRow } | Refusal> {
  const newest = await ports.trust.newest();
  if (newest && isDeepStrictEqual(newest.document, document)) return { ok: true, row: newest };
  const accepted = newest ? acceptTrust(newest.trust, document) : firstTrust(document);
  if (!accepted.ok) {
    ports.reports.refused({ by, failure: accepted.failure, reason: accepted.reason });
    return refusal(409, `${accepted.failure}: ${accepted.reason}`);
  }
  const { trust } = accepted;
  const assigning = await ports.assignmentKeyId();
  if (!trust.assignmentKeys.some(({ keyId }) => keyId === assigning)) {
    return refusal(409, `the key ${assigning}, with which this deployment assigns, is not among its assignment keys`);
  }
  const row: TrustRow = { document, trust, createdAt: ports.now(), createdBy: by };
  if (!(await ports.trust.create(row))) {
    const other = await ports.trust.newest();
    // The answer to an earlier attempt may have been lost.
    if (other && isDeepStrictEqual(other.document, document)) return { ok: true, row: other };
    return refusal(409, `another trust document of version ${trust.version} was added just now`);
  }
  ports.reports.trusted({ version: trust.version, by });
  return { ok: true, row };
}

function firstTrust(document: SignedDocument): TrustResult {
  const read = readTrust(document);
  if (!read.ok || read.trust.version === 1) return read;
  return { ok: false, failure: 'fast-forward', reason: 'the first trust document has version 1' };
}
