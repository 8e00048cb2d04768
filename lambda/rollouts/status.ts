import {
  type FirmwareAnswer,
  type FirmwareRejection,
  type FirmwareRequest,
  UPDATE_STATES,
  type UpdateState,
} from '@thingstead/contracts/firmware';
import {
  type FirmwareDeviceRow,
  type RolloutDeviceRow,
  type RolloutRow,
  rolloutDueShard,
} from '@thingstead/contracts/rollout-store';
import { changed, type DeviceStep, ended, failed } from './device-steps.ts';
import type { StatusPorts } from './ports.ts';

type Status = Extract<FirmwareRequest, { readonly type: 'status' }>;

/** What a device is answered, on `accepted` or on `rejected`. */
export type StatusAnswer =
  | { readonly ok: true; readonly answer: FirmwareAnswer }
  | { readonly ok: false; readonly answer: FirmwareRejection };

/** Ticks and copies of the message change the same row. There are not so many. */
const ATTEMPTS = 6;
/** States in which a device may still go on with its attempt. */
const OPEN: readonly string[] = ['NOTIFIED', 'UPDATING', 'UNREACHED'];

/** A device's row was changed by others again and again; the message comes again. */
export class ContendedDeviceError extends Error {
  override readonly name = 'ContendedDeviceError';
}

/**
 * Takes what a device says of its update. Messages may come twice, late and in any order: what it said goes forward only, an end is
 * an end, and that it has the new version counts only if the new version says so. It is answered once that is stored, and until
 * then says it again.
 */
export async function onStatus(
  { thing, attempt }: { readonly thing: string; readonly attempt: string },
  status: Status,
  ports: StatusPorts,
): Promise<StatusAnswer> {
  const offer = await ports.offers.read(thing);
  if (!offer || offer.attempt !== attempt) return rejected(thing, attempt, 'unknown-attempt', ports);
  if (status.state === 'COMMITTED' && status.counter !== offer.counter) {
    return rejected(
      thing,
      attempt,
      'wrong-state',
      ports,
      `release ${status.counter} cannot have committed ${offer.counter}`,
    );
  }
  const { rollout, order } = offer;
  const taken =
    rollout === undefined || order === undefined
      ? await takeLate(thing, attempt, offer, status, ports)
      : await take({ rollout, order, thing, attempt }, status, ports);
  if (!taken) return rejected(thing, attempt, 'unknown-attempt', ports);
  return { ok: true, answer: { type: 'status', state: status.state } };
}

interface Place {
  readonly rollout: string;
  readonly order: string;
  readonly thing: string;
  readonly attempt: string;
}

/** False when the attempt is another by now. */
async function take(
  { rollout: id, order, thing, attempt }: Place,
  status: Status,
  ports: StatusPorts,
): Promise<boolean> {
  const { rollouts, devices, presences, reports, now } = ports;
  for (let tries = 0; tries < ATTEMPTS; tries += 1) {
    const [rollout, row] = await Promise.all([rollouts.read(id), devices.find(id, order, thing)]);
    if (!rollout || row?.attempt !== attempt) return false;
    const connections = status.state === 'COMMITTED' ? (await presences.find(thing))?.connections : undefined;
    const isRefused = status.failure === 'no-grant' && (await isYanked(rollout, ports));
    const step = stepOf(row, status, { rollout, connections, isRefused, now: now() });
    if (!step) {
      await wake(rollout, row, ports);
      return true;
    }
    const written = await devices.write(row, step.next, step.offer);
    if (written === 'held') return false;
    if (written === 'raced') continue;
    if (step.next.state !== row.state) reports.changed(step.next, step.next.state);
    if (step.next.late !== row.late) reports.late(row, status.state);
    await wake(rollout, row, ports);
    return true;
  }
  throw new ContendedDeviceError(`${thing} in rollout ${id} was changed by others ${ATTEMPTS} times`);
}

async function isYanked({ release }: RolloutRow, { releases }: StatusPorts): Promise<boolean> {
  return (await releases.find(release.product, release.counter))?.state === 'YANKED';
}

interface Known {
  readonly rollout: RolloutRow;
  readonly connections: number | undefined;
  /** It was granted nothing because the release was withdrawn: no fault of the device. */
  readonly isRefused: boolean;
  readonly now: number;
}

/** Undefined: that is known, or says nothing new. */
function stepOf(row: RolloutDeviceRow, status: Status, known: Known): DeviceStep | undefined {
  switch (status.state) {
    case 'COMMITTED':
      return OPEN.includes(row.state) || row.state === 'RETRY' ? commit(row, known) : afterwards(row, status, known);
    case 'FAILED':
    case 'ROLLED_BACK':
      if (!OPEN.includes(row.state) && row.state !== 'SOAKING') return afterwards(row, status, known);
      return known.isRefused
        ? ended(row, 'CANCELLED', { said: status.state, failure: status.failure, reason: status.reason }, known.now)
        : failed(row, known.rollout, endingOf(status.state, status), known.now);
    default:
      return OPEN.includes(row.state) ? goOn(row, status, known) : undefined;
  }
}

function endingOf(state: 'FAILED' | 'ROLLED_BACK', { failure, reason }: Status): Parameters<typeof failed>[2] {
  return { state, said: state, failure, reason };
}

function goOn(row: RolloutDeviceRow, { state, bytes }: Status, { rollout, now }: Known): DeviceStep | undefined {
  const told = { said: state, bytes };
  if (row.state !== 'UPDATING') {
    const due = { dueShard: rolloutDueShard(row.rollout), dueAt: now + rollout.settings.updateSeconds * 1000 };
    const next = changed(row, { ...told, ...due, state: 'UPDATING', untold: undefined }, now);
    return { next, ...(row.state === 'UNREACHED' && { offer: { state: 'OFFERED' } }) };
  }
  const isLater = progressOf(state) > progressOf(row.said) || (state === row.said && (bytes ?? 0) > (row.bytes ?? 0));
  return isLater ? { next: changed(row, told, now) } : undefined;
}

function commit(row: RolloutDeviceRow, { rollout, connections, now }: Known): DeviceStep {
  const next = changed(
    row,
    {
      ...{ state: 'SOAKING', said: 'COMMITTED', committedAt: now, connections },
      ...{ bytes: undefined, failure: undefined, reason: undefined, untold: undefined },
      dueShard: rolloutDueShard(row.rollout, row.cancelled),
      dueAt: now + rollout.settings.health.soakSeconds * 1000,
    },
    now,
  );
  return { next, ...(row.state === 'UNREACHED' && { offer: { state: 'OFFERED' } }) };
}

/** Its end was another: that stays, and is noted beside it. */
function afterwards(row: RolloutDeviceRow, { state }: Status, { now }: Known): DeviceStep | undefined {
  if (row.said === state || row.late !== undefined || row.state === 'SOAKING' || row.state === 'RETRY')
    return undefined;
  return { next: changed(row, { late: state }, now) };
}

function progressOf(state: UpdateState | undefined): number {
  return state === undefined ? -1 : UPDATE_STATES.indexOf(state);
}

/** A rollout that has ended has no ticks: somebody has to look after a device that comes back to it. */
async function wake(before: RolloutRow, was: RolloutDeviceRow, { rollouts, ticks, now }: StatusPorts): Promise<void> {
  if (before.endedAt === undefined && was.state !== 'UNREACHED') return;
  const rollout = await rollouts.read(before.id);
  if (rollout?.endedAt !== undefined) await ticks.send({ rollout: rollout.id, tick: rollout.tick, at: now() }, 1);
}

/** Of a device that gets what is current. */
async function takeLate(
  thing: string,
  attempt: string,
  offer: FirmwareDeviceRow,
  status: Status,
  { offers }: StatusPorts,
): Promise<boolean> {
  if (offer.state === 'ENDED' || progressOf(status.state) <= progressOf(offer.said)) return true;
  const { state: said, failure, reason } = status;
  const isOver = said === 'COMMITTED' || said === 'FAILED' || said === 'ROLLED_BACK';
  return offers.recordLate(thing, attempt, { said, failure, reason, ended: isOver });
}

function rejected(
  thing: string,
  attempt: string,
  code: FirmwareRejection['code'],
  { reports }: StatusPorts,
  reason = 'this attempt is not in force',
): StatusAnswer {
  reports.refused({ thing, attempt, reason });
  return { ok: false, answer: { type: 'status', code, reason, retry: false } };
}
