import type { ReleaseRow } from '@thingstead/contracts/firmware-store';
import type { Refusal } from '../http/request.ts';
import { noSuchRelease, type ReleaseOf } from './complete-release.ts';
import type { Ports } from './ports.ts';

/**
 * Withdraws a release for good. From then on no grant is given for it; its rollouts see it at their next tick and end. What devices
 * have downloaded already, they may still install. The first reason stays.
 */
export async function yankRelease(
  { product, counter, by, reason }: ReleaseOf & { readonly reason: string },
  { releases, reports, now }: Ports,
): Promise<{ readonly ok: true; readonly row: ReleaseRow } | Refusal> {
  const done = await releases.yank(product, counter, { by, reason, at: now() });
  const row = await releases.read(product, counter);
  if (!row) return noSuchRelease({ product, counter });
  // After the release: who makes it current in between is refused, and who did it before is undone here.
  await releases.unsetCurrent(product, counter);
  if (done) reports.released({ product, counter, step: 'yanked', by });
  return { ok: true, row };
}
