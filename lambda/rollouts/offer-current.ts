import type { FirmwareRequest } from '@thingstead/contracts/firmware';
import type { RolloutRelease } from '@thingstead/contracts/rollout-store';
import { ABANDONED_MS, isHeld } from './candidates.ts';
import { desiredOf } from './device-steps.ts';
import type { FirmwareShadows, Offers } from './ports.ts';

type Running = Extract<FirmwareRequest, { readonly type: 'running' }>;

export interface CurrentPorts {
  readonly offers: Pick<Offers, 'read' | 'offerLate'>;
  readonly shadows: FirmwareShadows;
  /** The release that devices of a product get which are in no rollout; undefined: none. */
  current(product: string): Promise<RolloutRelease | undefined>;
  /** A new ULID. */
  newId(now: number): string;
  /** Epoch milliseconds. */
  now(): number;
}

/**
 * A device says what it runs: if it is in no rollout and there is a current release of its product that is newer, it is offered that,
 * outside of all waves. Not again after it has failed with it. True when it was offered something.
 */
export async function offerCurrent(thing: string, running: Running, ports: CurrentPorts): Promise<boolean> {
  const { product, hardwareRevision, counter } = running;
  if (product === undefined) return false;
  const [release, offer] = await Promise.all([ports.current(product), ports.offers.read(thing)]);
  if (!release || counter >= release.counter || Math.max(counter, 1) < release.minimumCounter) return false;
  const now = ports.now();
  if (release.expiresAt <= now) return false;
  if (hardwareRevision !== undefined && !release.hardwareRevisions.includes(hardwareRevision)) return false;
  const isSame = offer?.counter === release.counter && offer.rollout === undefined;
  // It may never have heard of it: whoever offered it may have died before the shadow was written.
  if (isSame && offer.attempt !== undefined && offer.state === 'OFFERED') return tell(offer.attempt);
  if (offer && (isHeld(offer, now) || (offer.counter === release.counter && offer.state === 'ENDED'))) return false;
  const attempt = ports.newId(now);
  if (!(await ports.offers.offerLate({ thing, attempt, release, at: now }, now - ABANDONED_MS))) return false;
  return tell(attempt);

  function tell(which: string): Promise<boolean> {
    // The release is there: the function is called after the check above.
    return ports.shadows.desire(thing, desiredOf({ release: release as RolloutRelease }, which));
  }
}
