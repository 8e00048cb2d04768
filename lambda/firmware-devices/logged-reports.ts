import type { FirmwareRejection } from '@thingstead/contracts/firmware';
import type { Log } from '../adapters/log.ts';
import type { OnboardingAttributes, Reports } from './ports.ts';

/** Reports as structured log lines; messages that no device should send are counted too, and the count raises an alarm. */
export class LoggedReports implements Reports, OnboardingAttributes {
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #countRefused: () => void;

  constructor(log: Pick<Log, 'info' | 'warn'>, countRefused: () => void) {
    this.#log = log;
    this.#countRefused = countRefused;
  }

  granted(grant: { readonly thing: string; readonly attempt: string; readonly counter: number }): void {
    this.#log.info('firmware.granted', grant);
  }

  running(running: { readonly thing: string; readonly version: string; readonly counter: number }): void {
    this.#log.info('firmware.running', running);
  }

  rejected(rejection: { readonly thing: string; readonly attempt: string } & FirmwareRejection): void {
    this.#log.info('firmware.rejected', rejection);
  }

  refused(message: { readonly thing: string; readonly attempt: string; readonly reason: string }): void {
    this.#log.warn('firmware.message_refused', message);
    this.#countRefused();
  }

  attributesLeftOut(thing: string, names: readonly string[]): void {
    this.#log.warn('firmware.attributes_left_out', { thing, names });
  }
}
