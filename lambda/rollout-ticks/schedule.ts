/** When devices may be started, and how many. */
import type { RolloutRow } from '@thingstead/contracts/rollout-store';
import { MAX_STARTS_PER_MINUTE, type MaintenanceWindow, type Rate } from '@thingstead/contracts/rollouts';
import type { ByState } from './numbers.ts';
import { totalOf } from './numbers.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
/** A tick does no more, so that it ends in time. */
export const MAX_STARTS = 100;
/** What is not used is kept for so long: a tick that comes late starts more. */
const BURST_MS = 10_000;

/** Devices per minute now. */
export function ratePerMinute(rate: Rate, numbers: ByState): number {
  if ('perMinute' in rate) return rate.perMinute;
  const reached = rate.of === 'succeeded' ? numbers.SUCCEEDED : totalOf(numbers) - numbers.PENDING;
  const grown = rate.basePerMinute * rate.factor ** Math.floor(reached / rate.every);
  return Math.min(grown, rate.maximumPerMinute, MAX_STARTS_PER_MINUTE);
}

/** How much may be left over. */
export function burstOf(perMinute: number): number {
  return Math.max(1, Math.min(MAX_STARTS, (perMinute * BURST_MS) / MINUTE_MS));
}

/** Starts that are allowed now. Not a whole number: what is left of it counts the next time. */
export function allowedStarts({ allowance }: Pick<RolloutRow, 'allowance'>, perMinute: number, now: number): number {
  const since = Math.max(0, now - allowance.at);
  return Math.min(burstOf(perMinute), allowance.starts + (perMinute * since) / MINUTE_MS);
}

/** How long it takes until so many are allowed, in milliseconds. */
export function timeUntil(wanted: number, allowed: number, perMinute: number): number {
  return Math.max(0, ((Math.min(wanted, burstOf(perMinute)) - allowed) * MINUTE_MS) / perMinute);
}

/** How long until the window opens, in milliseconds; 0: it is open, or there is none. */
export function timeUntilOpen(window: MaintenanceWindow | undefined, now: number): number {
  if (!window) return 0;
  const [hours = 0, minutes = 0] = window.from.split(':').map(Number);
  const from = (hours * 60 + minutes - window.utcOffsetMinutes) * MINUTE_MS;
  // How long ago it has opened last.
  const since = (((now - from) % DAY_MS) + DAY_MS) % DAY_MS;
  return since < window.minutes * MINUTE_MS ? 0 : DAY_MS - since;
}
