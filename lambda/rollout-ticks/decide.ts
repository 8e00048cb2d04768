import type { RolloutEvent, RolloutRow } from '@thingstead/contracts/rollout-store';
import { waveEnd } from '@thingstead/contracts/rollouts';
import {
  type ByState,
  counting,
  failurePercent,
  failures,
  known,
  type Numbers,
  present,
  totalOf,
  underWay,
} from './numbers.ts';

/** What is to change of a rollout, and why. */
export interface Decision {
  readonly change: Partial<Pick<RolloutRow, 'state' | 'pausedFor' | 'reason' | 'wave' | 'endedAt'>>;
  readonly event: Pick<RolloutEvent, 'kind' | 'text' | 'numbers' | 'wave'>;
}

/**
 * How many more devices the present wave takes. By what the rollout's row says was started, not by the counts: a tick that died has
 * counted devices that it has told nothing.
 */
export function leftInWave(
  { settings, wave, started }: Pick<RolloutRow, 'settings' | 'wave' | 'started'>,
  { all }: Numbers,
): number {
  const total = totalOf(all);
  const ends = settings.waves.slice(0, wave + 1).map((each) => waveEnd(each, total));
  return Math.max(0, Math.max(0, ...ends) - started);
}

/**
 * What follows for a rollout from what became of its devices so far; undefined: nothing yet. One decision at a time, each with
 * the numbers that it went by. Whoever is not started when it is aborted or paused stays as it is.
 */
export function decide(
  row: RolloutRow,
  numbers: Numbers,
  { now, yanked }: { readonly now: number; readonly yanked: boolean },
): Decision | undefined {
  if (row.state === 'ABORTED' || row.state === 'COMPLETED') return ending(row, numbers, now);
  if (row.state !== 'RUNNING' && row.state !== 'PAUSED') return undefined;
  const isRunning = row.state === 'RUNNING';
  return (
    abortion(row, numbers) ??
    (isRunning ? completion(row, numbers, now) : undefined) ??
    (yanked ? withdrawal(row, numbers) : undefined) ??
    (isRunning ? progress(row, numbers, now) : undefined)
  );
}

function abortion({ settings, wave }: RolloutRow, { all }: Numbers): Decision | undefined {
  const { failurePercent: limit, minimumFailures } = settings.abort;
  const failed = failures(all);
  const percent = failurePercent(all);
  if (failed < minimumFailures || percent < limit) return undefined;
  const text = `${failed} of ${known(all)} with an outcome failed: ${round(percent)} %, and ${limit} % with ${minimumFailures} or more failures end the rollout; ${all.PENDING} are untouched`;
  return {
    change: { state: 'ABORTED', pausedFor: undefined, reason: text },
    event: { kind: 'aborted', text, wave, numbers: present(all) },
  };
}

/** For good, as the release is: whoever is held by it could get nothing else. */
function withdrawal({ wave }: RolloutRow, { all }: Numbers): Decision {
  const text = `the release was yanked; ${all.PENDING} are untouched`;
  return {
    change: { state: 'ABORTED', pausedFor: undefined, reason: text },
    event: { kind: 'aborted', text, wave, numbers: present(all) },
  };
}

function progress(row: RolloutRow, numbers: Numbers, now: number): Decision | undefined {
  const { all, waves } = numbers;
  if (isAllStarted(row, numbers)) return undefined;
  if (row.release.expiresAt <= now) return pause('expired', 'the release has expired', row, all);
  const wave = waves[row.wave];
  if (!wave || leftInWave(row, numbers) > 0 || row.retriedTo !== undefined) return undefined;
  const { successPercent } = row.settings;
  const counted = counting(wave);
  const percent = counted === 0 ? 0 : (100 * wave.SUCCEEDED) / counted;
  const text = `wave ${row.wave + 1}: ${wave.SUCCEEDED} of ${counted} succeeded (${round(percent)} %, ${successPercent} % are asked for); ${wave.UNREACHED} were never connected`;
  // A wave that has reached nobody shows nothing.
  if (totalOf(wave) === 0 || (counted > 0 && percent >= successPercent)) {
    return {
      change: { wave: row.wave + 1 },
      event: { kind: 'wave', text: `${text}: the next one begins`, wave: row.wave, numbers: present(wave) },
    };
  }
  return underWay(wave) > 0 ? undefined : pause('wave', text, row, wave);
}

function isAllStarted({ started, retriedTo }: RolloutRow, { all }: Numbers): boolean {
  return started >= totalOf(all) && retriedTo === undefined;
}

/** The last ones have nobody behind them to hold back. */
function completion(row: RolloutRow, numbers: Numbers, now: number): Decision | undefined {
  const { all } = numbers;
  const { wave } = row;
  if (!isAllStarted(row, numbers) || underWay(all) > 0) return undefined;
  const text =
    totalOf(all) === 0
      ? nobody(all.SKIPPED)
      : `${all.SUCCEEDED} of ${totalOf(all)} succeeded, ${failures(all)} failed, ${all.UNREACHED} were never connected, ${all.SKIPPED} were passed over`;
  return {
    change: { state: 'COMPLETED', reason: text, endedAt: now },
    event: { kind: 'completed', text, wave, numbers: present(all) },
  };
}

/** Its last device has ended. One that comes back later may begin that again. */
function ending(row: RolloutRow, { all }: Numbers, now: number): Decision | undefined {
  if (underWay(all) > 0 || row.endedAt !== undefined) return undefined;
  const text = `nothing is under way any more: ${all.SUCCEEDED} succeeded, ${failures(all)} failed, ${all.PENDING} are untouched`;
  return { change: { endedAt: now }, event: { kind: 'ended', text, numbers: present(all) } };
}

/** Why a rollout is for no device at all. */
export function nobody(skipped: number): string {
  if (skipped === 0) return 'nobody gets it: no thing of this product is what the target means';
  return `nobody gets it: all ${skipped} that the target means are passed over`;
}

function pause(pausedFor: 'wave' | 'expired', text: string, row: RolloutRow, numbers: ByState): Decision {
  return {
    change: { state: 'PAUSED', pausedFor, reason: text },
    event: { kind: 'paused', text, wave: row.wave, numbers: present(numbers) },
  };
}

function round(percent: number): number {
  return Math.round(percent * 100) / 100;
}
