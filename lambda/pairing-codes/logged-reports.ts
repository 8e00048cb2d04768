import type { Log } from '../adapters/log.ts';
import type { Rejection, Reports } from './ports.ts';

/** Reports as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Pick<Log, 'info'>;

  constructor(log: Pick<Log, 'info'>) {
    this.#log = log;
  }

  given(thing: string): void {
    this.#log.info('pairing_code.given', { thing });
  }

  rejected(thing: string, error: Rejection): void {
    this.#log.info('pairing_code.rejected', { thing, error });
  }
}
