import type { Log } from '../adapters/log.ts';
import type { Deed, Reports } from './ports.ts';

/** Reports as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Pick<Log, 'info'>;

  constructor(log: Pick<Log, 'info'>) {
    this.#log = log;
  }

  done(what: Deed, about: Readonly<Record<string, string>>): void {
    this.#log.info(`pairing.${what}`, about);
  }
}
