import type { UpdateState } from '@thingstead/contracts/firmware';
import { type RolloutDeviceRow, type RolloutRow, rolloutDueShard } from '@thingstead/contracts/rollout-store';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { changed, type DeviceStep, desiredOf, ended, failed, failureBefore } from '../rollouts/device-steps.ts';
import type { TickPorts } from '../rollouts/ports.ts';
import { judge } from './health.ts';
import { tell } from './start.ts';

/** Devices that one tick looks at. */
export const MAX_DUE = 100;
const CONCURRENCY = 10;
/** A device that is away at the end of its soak time, or whose attempt has to wait, is looked at again after that. */
const AGAIN_MS = 60_000;
/** What a device says that does not have the image yet. */
const BEFORE_IMAGE: readonly UpdateState[] = ['WAITING', 'DOWNLOADING'];
/** A device that comes and goes has so many times as long to answer. */
const MAX_ANSWERS = 3;

export interface LookedAt {
  /** Those that wait for another attempt, whose time has come. */
  readonly retries: readonly RolloutDeviceRow[];
  /** True when more may be due. */
  readonly more: boolean;
}

/** Looks at devices of which something is due; of a rollout that was aborted, at all that were not told so yet. */
export async function lookAtDue(rollout: RolloutRow, ports: TickPorts): Promise<LookedAt> {
  const { devices, now } = ports;
  const isAborted = rollout.state === 'ABORTED';
  const until = isAborted ? Number.MAX_SAFE_INTEGER : now();
  const due = await devices.due(rolloutDueShard(rollout.id), until, MAX_DUE);
  const told = isAborted ? await devices.due(rolloutDueShard(rollout.id, true), now(), MAX_DUE) : [];
  await mapConcurrent(due, CONCURRENCY, (row) => (isAborted ? stop(row, rollout, ports) : take(row, rollout, ports)));
  await mapConcurrent(told, CONCURRENCY, (row) => take(row, rollout, ports));
  return {
    retries: isAborted ? [] : due.filter(({ state }) => state === 'RETRY'),
    more: due.length === MAX_DUE || told.length === MAX_DUE,
  };
}

async function take(row: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<void> {
  // The index may lag behind the row.
  if (row.dueAt === undefined || row.dueAt > ports.now()) return;
  // Beyond the cursor a device may never have heard of it: the tick that was to tell it has died.
  const isUntold = row.untold || `${row.order}#${row.thing}` > rollout.cursor;
  if (row.state === 'NOTIFIED' && isUntold) return tell({ ...row, untold: true }, rollout, ports);
  const step = await stepOf(row, rollout, ports);
  if (step) await write(row, step, ports);
}

async function stepOf(row: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<DeviceStep | undefined> {
  if (row.state === 'NOTIFIED') return unanswered(row, rollout, ports);
  if (row.state === 'SOAKING') return soaked(row, rollout, ports);
  if (row.state !== 'UPDATING') return undefined;
  const waits = row.said === undefined || BEFORE_IMAGE.includes(row.said);
  const later = waits ? keptWaiting(rollout, rollout.settings.updateSeconds, ports.now()) : undefined;
  if (later !== undefined) return { next: changed(row, { dueAt: later }, ports.now()) };
  const reason = `it began and was not done after ${rollout.settings.updateSeconds} s; it said ${row.said} last`;
  return failed(row, rollout, { state: 'TIMED_OUT', reason }, ports.now());
}

/** While a rollout is paused nobody is let download: that time is not the device's. When it is looked at again; undefined: it had its time. */
function keptWaiting({ state, resumedAt = 0 }: RolloutRow, seconds: number, now: number): number | undefined {
  const until = (state === 'PAUSED' ? now : resumedAt) + seconds * 1000;
  return until > now ? until : undefined;
}

/** Silence of a device that is connected is a failure; of one that is away it says nothing. */
async function unanswered(row: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<DeviceStep> {
  const { settings } = rollout;
  const now = ports.now();
  const answerMs = settings.answerSeconds * 1000;
  const presence = await ports.presences.find(row.thing);
  if (!presence?.connected) {
    const away = { state: 'UNREACHED', dueShard: undefined, dueAt: undefined } as const;
    return { next: changed(row, { ...away, reason: 'it was not connected' }, now), offer: { state: 'UNREACHED' } };
  }
  const answersBy =
    keptWaiting(rollout, settings.answerSeconds, now) ??
    Math.min(presence.since + answerMs, (row.startedAt ?? 0) + MAX_ANSWERS * answerMs);
  if (answersBy > now) return { next: changed(row, { dueAt: answersBy }, now) };
  const reason = `it was connected and did not answer in ${settings.answerSeconds} s`;
  return failed(row, rollout, { state: 'TIMED_OUT', reason }, now);
}

async function soaked(row: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<DeviceStep> {
  const { settings } = rollout;
  const verdict = await judge(row, settings, ports);
  const now = ports.now();
  if (verdict.is === 'healthy') return ended(row, 'SUCCEEDED', { reason: verdict.reason }, now);
  if (verdict.is === 'unhealthy') {
    // What has committed is not installed again: another attempt would end the same way.
    return ended(row, 'FAILED', { failure: 'unhealthy', reason: verdict.reason }, now);
  }
  const lastChance = (row.committedAt ?? 0) + (settings.health.soakSeconds + settings.answerSeconds) * 1000;
  if (now < lastChance) return { next: changed(row, { dueAt: Math.min(now + AGAIN_MS, lastChance) }, now) };
  return ended(row, 'TIMED_OUT', { reason: `${verdict.reason}, nor ${settings.answerSeconds} s later` }, now);
}

/** The rollout was aborted: what has not begun is over, what has begun is told to stop if it still can. */
async function stop(row: RolloutDeviceRow, rollout: RolloutRow, ports: TickPorts): Promise<void> {
  const now = ports.now();
  if (row.state === 'RETRY') return write(row, ended(row, failureBefore(row), {}, now), ports);
  const told = { cancelled: true, dueShard: rolloutDueShard(row.rollout, true) } as const;
  if (row.state === 'SOAKING') return write(row, { next: changed(row, told, now) }, ports);
  if (row.state !== 'NOTIFIED' && row.state !== 'UPDATING') return;
  if (row.attempt !== undefined) await ports.shadows.desire(row.thing, desiredOf(rollout, row.attempt, true));
  const step =
    row.state === 'NOTIFIED'
      ? ended(row, 'CANCELLED', { cancelled: true, reason: 'the rollout was aborted before it began' }, now)
      : { next: changed(row, told, now) };
  return write(row, step, ports);
}

/** Those that have to wait would be in the way of others that are due. */
export async function putOff(
  rows: readonly RolloutDeviceRow[],
  { devices, now }: TickPorts,
  milliseconds = AGAIN_MS,
): Promise<void> {
  const dueAt = now() + Math.max(AGAIN_MS, milliseconds);
  await mapConcurrent(rows, CONCURRENCY, (row) => devices.write(row, changed(row, { dueAt }, now())));
}

/** Whoever was faster knows more; what is still due comes again. */
async function write(row: RolloutDeviceRow, { next, offer }: DeviceStep, ports: TickPorts): Promise<void> {
  const first = await ports.devices.write(row, next, offer);
  // It is offered something else by now, and that is no matter of this rollout.
  const written = first === 'held' ? await ports.devices.write(row, next) : first;
  if (written === 'written' && next.state !== row.state) ports.reports.changed(next, next.state);
}
