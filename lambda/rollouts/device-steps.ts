/** How a device's row in a rollout goes on. */
import type { DesiredFirmware, UpdateFailure, UpdateState } from '@thingstead/contracts/firmware';
import { type RolloutDeviceRow, type RolloutRow, rolloutDueShard } from '@thingstead/contracts/rollout-store';
import type { RolloutDeviceState } from '@thingstead/contracts/rollouts';
import type { OfferChange } from './ports.ts';

/** A further attempt begins so much later, times the attempts so far. */
export const RETRY_DELAY_MS = 60_000;

/** The device would answer the same again. */
const PERMANENT: readonly UpdateFailure[] = [
  'rollback',
  'fast-forward',
  'mix-and-match',
  'arbitrary-software',
  'wrong-hardware',
  'wrong-product',
  'unknown-key',
  'wrong-signature',
  'threshold',
  'oversize',
  'expired',
  'not-reachable-from-here',
  'malformed',
  'cancelled',
];
/** How a device fails that was kept from going on. */
const STOPPED: readonly UpdateFailure[] = ['cancelled', 'no-grant'];

export interface DeviceStep {
  readonly next: RolloutDeviceRow;
  readonly offer?: OfferChange;
}

/** The row with these changes, of which undefined takes a member away. */
export function changed(
  row: RolloutDeviceRow,
  changes: { readonly [Name in keyof RolloutDeviceRow]?: RolloutDeviceRow[Name] | undefined },
  now: number,
): RolloutDeviceRow {
  const members = Object.entries({ ...row, ...changes, revision: row.revision + 1, changedAt: now });
  // What is left has the members of a row: those that may be undefined are optional.
  return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as RolloutDeviceRow;
}

/** An end: nothing is due any more, and the device may be offered something else. */
export function ended(
  row: RolloutDeviceRow,
  state: RolloutDeviceState,
  changes: Parameters<typeof changed>[1],
  now: number,
): DeviceStep {
  const over = { dueShard: undefined, dueAt: undefined, untold: undefined };
  return { next: changed(row, { ...changes, ...over, state }, now), offer: { state: 'ENDED' } };
}

interface Failure {
  readonly state: 'FAILED' | 'ROLLED_BACK' | 'TIMED_OUT';
  readonly failure?: UpdateFailure | undefined;
  readonly reason?: string | undefined;
  readonly said?: UpdateState | undefined;
}

/** An attempt has failed: another one follows, or that was the device's end. */
export function failed(row: RolloutDeviceRow, rollout: RolloutRow, failure: Failure, now: number): DeviceStep {
  const { state, said = row.said, ...why } = failure;
  const members = { failure: undefined, reason: undefined, ...why, said };
  const stopped = why.failure !== undefined && STOPPED.includes(why.failure);
  if (rollout.state === 'ABORTED' && stopped) return ended(row, 'CANCELLED', members, now);
  const permanent = why.failure !== undefined && PERMANENT.includes(why.failure);
  if (rollout.state === 'ABORTED' || permanent || row.attempts > rollout.settings.retries) {
    return ended(row, state, members, now);
  }
  return { next: retried(row, { ...members, dueAt: now + RETRY_DELAY_MS * row.attempts }, now) };
}

/** Waits for another attempt. */
export function retried(row: RolloutDeviceRow, changes: Parameters<typeof changed>[1], now: number): RolloutDeviceRow {
  const due = { dueShard: rolloutDueShard(row.rollout), untold: undefined };
  return changed(row, { ...changes, ...due, state: 'RETRY' }, now);
}

/** The failure after which it waits for another attempt. */
export function failureBefore({ said, failure }: RolloutDeviceRow): 'FAILED' | 'ROLLED_BACK' | 'TIMED_OUT' {
  if (said === 'ROLLED_BACK') return 'ROLLED_BACK';
  return failure === undefined ? 'TIMED_OUT' : 'FAILED';
}

/** What stands in the device's shadow. */
export function desiredOf(
  { release }: Pick<RolloutRow, 'release'>,
  attempt: string,
  cancelled = false,
): DesiredFirmware {
  const { product, version, counter, size } = release;
  return { attempt, product, version, counter, size, cancelled };
}
