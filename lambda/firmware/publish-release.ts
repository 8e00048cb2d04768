import { isDeepStrictEqual } from 'node:util';
import type { FirmwareManifest, SignedDocument } from '@thingstead/contracts/firmware';
import { imageKey, type ReleaseRow } from '@thingstead/contracts/firmware-store';
import { MAX_COUNTER_LEAP, readRelease } from '@thingstead/crypto/firmware-release';
import { type Refusal, refusal } from '../http/request.ts';
import type { Ports, UploadUrl } from './ports.ts';

type Published = { readonly ok: true; readonly row: ReleaseRow; readonly upload: UploadUrl | undefined } | Refusal;

/**
 * Begins a release. INVARIANTS:
 * - what is stored is for a product that there is: one that is misspelt would stay for ever, and reach nobody;
 * - what is stored was signed by the keys that devices trust, and could be taken by one that has the release before;
 * - what is stored never changes: one counter and one version of a product are one release;
 * - the same document again is the same release, with a new URL while its image is not there. Its signatures become those that came
 *   last: so a release lives on when the keys that signed it are not trusted any more.
 */
export async function publishRelease(
  { release, by }: { readonly release: SignedDocument; readonly by: string },
  ports: Ports,
): Promise<Published> {
  const newest = await ports.trust.newest();
  if (!newest) return refusal(409, 'there is no trust document yet: publish one first');
  const read = readRelease(newest.trust, release);
  if (!read.ok) {
    ports.reports.refused({ by, failure: read.failure, reason: read.reason });
    return refusal(409, `${read.failure}: ${read.reason}`);
  }
  const manifest = read.value;
  const { product, counter } = manifest;
  const before = await ports.releases.read(product, counter);
  if (before) return same(before, release, ports);
  const problem = await problemWith(manifest, ports);
  if (problem !== undefined) return refusal(409, problem);

  const at = ports.now();
  const row: ReleaseRow = { release, manifest, state: 'PUBLISHING', createdAt: at, createdBy: by, changedAt: at };
  if (await ports.releases.create(row)) {
    ports.reports.released({ product, counter, step: 'publishing', by });
    return withUpload(row, ports);
  }
  const other = await ports.releases.read(product, counter);
  if (other) return same(other, release, ports);
  return refusal(409, `version ${manifest.version} of ${product} has another counter`);
}

/** Why no device, or not every one, could take it. */
async function problemWith(
  manifest: FirmwareManifest,
  { releases, thingTypes, now }: Ports,
): Promise<string | undefined> {
  const { product, counter, minimumCounter, expiresAt } = manifest;
  if (expiresAt <= now()) return `it has expired on ${new Date(expiresAt).toISOString()}`;
  if (minimumCounter > 1 && minimumCounter >= counter) return `it can be had only from counter ${minimumCounter} on`;
  const { rows } = await releases.list(product, { before: undefined, limit: 1 });
  const highest = rows[0]?.manifest.counter ?? 0;
  if (counter < highest) return `its counter is ${counter}, and ${highest} is released: a counter rises`;
  if (counter > highest + MAX_COUNTER_LEAP) return `its counter is ${counter}, too far above ${highest} for any device`;
  // One that has releases was there before.
  if (highest === 0 && !(await thingTypes.has(product))) {
    return `there is no thing type ${product}: a product is a thing type, which an operator makes before it is released for (aws iot create-thing-type)`;
  }
  return undefined;
}

async function same(row: ReleaseRow, release: SignedDocument, ports: Ports): Promise<Published> {
  // Signatures differ each time that the same document is signed.
  if (row.release.document !== release.document) {
    return refusal(409, `counter ${row.manifest.counter} of ${row.manifest.product} is another release`);
  }
  const signed = { ...row, release };
  if (!isDeepStrictEqual(row.release, release)) await ports.releases.signAgain(signed);
  return row.state === 'PUBLISHING' ? withUpload(signed, ports) : { ok: true, row: signed, upload: undefined };
}

async function withUpload(row: ReleaseRow, { images }: Ports): Promise<Published> {
  const { product, counter } = row.manifest;
  return { ok: true, row, upload: await images.uploadUrl(imageKey(product, counter), row.manifest) };
}
