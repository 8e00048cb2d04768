import type { Deed, Reports } from './ports.ts';

interface Log {
  info(message: string, fields: Record<string, unknown>): void;
}

/** Reports as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  done(what: Deed, about: Readonly<Record<string, string>>): void {
    this.#log.info(`pairing.${what}`, about);
  }
}
