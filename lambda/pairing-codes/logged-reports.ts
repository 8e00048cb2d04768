import type { Rejection, Reports } from './ports.ts';

interface Log {
  info(message: string, fields: Record<string, unknown>): void;
}

/** Reports as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  given(thing: string): void {
    this.#log.info('pairing_code.given', { thing });
  }

  rejected(thing: string, error: Rejection): void {
    this.#log.info('pairing_code.rejected', { thing, error });
  }
}
