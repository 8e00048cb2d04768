import { type RolloutDeviceRow, type RolloutRow, rolloutDueShard } from '@thingstead/contracts/rollout-store';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { ABANDONED_MS, isHeld } from '../rollouts/candidates.ts';
import { changed, desiredOf, ended, failed } from '../rollouts/device-steps.ts';
import type { TickPorts } from '../rollouts/ports.ts';

const CONCURRENCY = 10;

/**
 * Starts the next devices in their order and gives the rollout as it is then. INVARIANT: the cursor moves past a device only when
 * its shadow is written, so a tick that died begins again where it began; who was started by it is told once more.
 */
export async function startNext(rollout: RolloutRow, limit: number, ports: TickPorts): Promise<RolloutRow> {
  const page = await ports.devices.page(rollout.id, rollout.cursor, limit);
  const last = page.at(-1);
  if (!last) return rollout;
  const started = await mapConcurrent(page, CONCURRENCY, (device) => start(device, rollout, ports));
  return {
    ...rollout,
    cursor: `${last.order}#${last.thing}`,
    started: rollout.started + started.filter((each) => each).length,
  };
}

/** False: it was passed over. */
async function start(device: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<boolean> {
  let row: RolloutDeviceRow | undefined = device;
  if (device.state === 'PENDING') {
    row = await offer(device, rollout, ports);
    row ??= await ports.devices.find(rollout.id, device.order, device.thing);
  }
  if (row?.state === 'NOTIFIED') await tell(row, rollout, ports);
  return row?.state !== 'SKIPPED' && row?.state !== 'PENDING';
}

/** Begins another attempt of a device. */
export async function startAgain(device: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<void> {
  const row = await offer(device, rollout, ports);
  if (row?.state === 'NOTIFIED') await tell(row, rollout, ports);
}

/** The row as it is then; undefined when somebody else was faster. */
async function offer(
  device: RolloutDeviceRow,
  rollout: RolloutRow,
  ports: TickPorts,
): Promise<RolloutDeviceRow | undefined> {
  const { devices, reports, newId } = ports;
  const now = ports.now();
  const again = device.state === 'RETRY';
  const next = changed(
    device,
    {
      state: 'NOTIFIED',
      wave: device.wave ?? rollout.wave,
      ...{ attempt: newId(now), attempts: device.attempts + 1, startedAt: now },
      ...{ said: undefined, failure: undefined, reason: undefined, committedAt: undefined, late: undefined },
      // Of those that are started in their order the cursor knows; the others have to be found if nobody gets to tell them.
      ...(again && { untold: true }),
      dueShard: rolloutDueShard(rollout.id),
      dueAt: again ? now : now + rollout.settings.answerSeconds * 1000,
    },
    now,
  );
  const take = { take: rollout.release, previous: device.attempt, abandonedBefore: now - ABANDONED_MS };
  const written = await devices.write(device, next, take);
  if (written === 'raced') return undefined;
  if (written === 'written') {
    reports.changed(next, 'NOTIFIED');
    return next;
  }
  const skipped = await passOver(device, ports);
  if ((await devices.write(device, skipped)) !== 'written') return undefined;
  reports.changed(skipped, skipped.state);
  return skipped;
}

/** What it is offered already is not given up for this; or it runs what is newer. */
async function passOver(device: RolloutDeviceRow, { offers, now }: TickPorts): Promise<RolloutDeviceRow> {
  const held = await offers.read(device.thing);
  const reason = held && isHeld(held, now()) ? 'in-another-rollout' : 'has-it-already';
  // One that was started before stays among those that were.
  if (device.state === 'RETRY') return ended(device, 'CANCELLED', { reason }, now()).next;
  return changed(device, { state: 'SKIPPED', reason }, now());
}

/** Writes the release into the device's shadow, as often as it is called. */
export async function tell(device: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<void> {
  const { devices, shadows, reports, now } = ports;
  if (device.attempt === undefined) return;
  const isTold = await shadows.desire(device.thing, desiredOf(rollout, device.attempt));
  if (isTold && !device.untold) return;
  const dueAt = now() + rollout.settings.answerSeconds * 1000;
  const { next, offer: change } = isTold
    ? { next: changed(device, { untold: undefined, dueAt }, now()), offer: undefined }
    : failed(device, rollout, { state: 'FAILED', failure: 'malformed', reason: 'AWS IoT refuses its shadow' }, now());
  // Whoever was faster knows more: the device has answered, or it was told once more.
  if ((await devices.write(device, next, change)) === 'written' && next.state !== device.state) {
    reports.changed(next, next.state);
  }
}
