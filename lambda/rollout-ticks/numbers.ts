/** What the counts of a rollout say. */
import { counterName } from '@thingstead/contracts/rollout-store';
import { FAILURES, ROLLOUT_DEVICE_STATES, type RolloutDeviceState, UNDER_WAY } from '@thingstead/contracts/rollouts';
import type { Counts } from '../rollouts/ports.ts';

export type ByState = Readonly<Record<RolloutDeviceState, number>>;

export interface Numbers {
  /** Devices by state, of all waves and of none. */
  readonly all: ByState;
  /** Of each wave that has begun or may begin. */
  readonly waves: readonly ByState[];
}

export function numbersOf(counts: Counts, waves: number): Numbers {
  const ofWave = (wave: number | undefined): ByState => byState((state) => counts[counterName(state, wave)] ?? 0);
  const each = Array.from({ length: waves }, (_, wave) => ofWave(wave));
  const none = ofWave(undefined);
  return { all: byState((state) => each.reduce((sum, wave) => sum + wave[state], none[state])), waves: each };
}

/** Devices that the rollout is for. */
export function totalOf(numbers: ByState): number {
  return sum(numbers, ROLLOUT_DEVICE_STATES) - numbers.SKIPPED;
}

export function underWay(numbers: ByState): number {
  return sum(numbers, UNDER_WAY);
}

export function failures(numbers: ByState): number {
  return sum(numbers, FAILURES);
}

/**
 * Those of which something is known: they have failed, have succeeded, or run the new version so far. Without the last ones a rollout
 * would look worse than it is at first, since failures are known sooner than successes.
 */
export function known(numbers: ByState): number {
  return failures(numbers) + numbers.SUCCEEDED + numbers.SOAKING;
}

/** In percent of those of which something is known. */
export function failurePercent(numbers: ByState): number {
  const failed = failures(numbers);
  return failed === 0 ? 0 : (100 * failed) / known(numbers);
}

/** Those that count for what a wave has to reach. */
export function counting(numbers: ByState): number {
  return totalOf(numbers) - numbers.UNREACHED - numbers.CANCELLED;
}

/** What is not zero, for the record. */
export function present(numbers: ByState): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, count]) => count !== 0));
}

function sum(numbers: ByState, states: readonly RolloutDeviceState[]): number {
  return states.reduce((total, state) => total + numbers[state], 0);
}

function byState(count: (state: RolloutDeviceState) => number): ByState {
  // Every state is among them.
  return Object.fromEntries(ROLLOUT_DEVICE_STATES.map((state) => [state, count(state)])) as ByState;
}
