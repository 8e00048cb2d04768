import { imageKey, type ReleaseRow } from '@thingstead/contracts/firmware-store';
import { type Refusal, refusal } from '../http/request.ts';
import type { Ports } from './ports.ts';

export interface ReleaseOf {
  readonly product: string;
  readonly counter: number;
  readonly by: string;
}

type Completed = { readonly ok: true; readonly row: ReleaseRow } | Refusal;

/**
 * Ends the upload of an image: the version that lies in the bucket now, with the hash and size that were signed, is the one that
 * devices get, whatever is put there later. Again it is the same.
 */
export async function completeRelease({ product, counter, by }: ReleaseOf, ports: Ports): Promise<Completed> {
  const row = await ports.releases.read(product, counter);
  if (!row) return noSuchRelease({ product, counter });
  if (row.state === 'PUBLISHED') return { ok: true, row };
  if (row.state === 'YANKED') return refusal(409, `${product} ${counter} is yanked: ${row.reason}`);
  const stored = await ports.images.find(imageKey(product, counter));
  if (!stored) return refusal(409, 'the image is not there yet');
  const { size, sha256 } = row.manifest;
  if (stored.size !== size) return refusal(409, `the image has ${stored.size} bytes, and ${size} were signed`);
  if (stored.sha256 !== sha256) {
    return refusal(409, `the image has the SHA-256 ${stored.sha256 ?? '(none)'}, and ${sha256} was signed`);
  }
  const { versionId, etag } = stored;
  const done = await ports.releases.publish(product, counter, { image: { versionId, etag }, at: ports.now() });
  if (done) ports.reports.released({ product, counter, step: 'published', by });
  const now = await ports.releases.read(product, counter);
  if (now?.state === 'PUBLISHED') return { ok: true, row: now };
  return refusal(409, `${product} ${counter} was yanked just now`);
}

export function noSuchRelease({ product, counter }: Omit<ReleaseOf, 'by'>): Refusal {
  return refusal(404, `there is no release ${counter} of ${product}`);
}
