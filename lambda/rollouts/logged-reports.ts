import type { RolloutDeviceRow, RolloutEvent } from '@thingstead/contracts/rollout-store';
import type { RolloutDeviceState } from '@thingstead/contracts/rollouts';
import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; rollouts that end or stop by themselves are counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countStopped: () => void;

  constructor(log: Log, countStopped: () => void = () => undefined) {
    this.#log = log;
    this.#countStopped = countStopped;
  }

  decided(rollout: string, { kind, text, wave, numbers }: RolloutEvent): void {
    this.#log.info('rollout.decided', { rollout, kind, text, wave, numbers });
    if (kind === 'aborted' || kind === 'paused') this.#countStopped();
  }

  changed(
    { rollout, thing, attempt }: Pick<RolloutDeviceRow, 'rollout' | 'thing' | 'attempt'>,
    state: RolloutDeviceState,
  ): void {
    this.#log.info('rollout.device_changed', { rollout, thing, attempt, state });
  }

  refused(status: { readonly thing: string; readonly attempt: string; readonly reason: string }): void {
    this.#log.warn('rollout.status_refused', status);
  }

  late({ rollout, thing, state }: Pick<RolloutDeviceRow, 'rollout' | 'thing' | 'state'>, said: string): void {
    this.#log.warn('rollout.status_late', { rollout, thing, state, said });
  }

  failed(what: string, error: unknown): void {
    this.#log.error('rollout.failed', { what, error });
  }
}
