import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; what is rejected is counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #countRejected: () => void;

  constructor(log: Pick<Log, 'info' | 'warn'>, countRejected: () => void) {
    this.#log = log;
    this.#countRejected = countRejected;
  }

  accepted(description: { readonly thing: string; readonly superseded: boolean }): void {
    this.#log.info('onboarding.accepted', description);
  }

  rejected(rejection: { readonly thing: string; readonly reason: string }): void {
    this.#log.warn('onboarding.rejected', rejection);
    this.#countRejected();
  }

  attributesLeftOut(thing: string, names: readonly string[]): void {
    this.#log.warn('onboarding.attributes_left_out', { thing, names });
  }
}
