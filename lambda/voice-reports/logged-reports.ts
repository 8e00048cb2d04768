import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  sent(report: { readonly name: string; readonly person: string; readonly things: readonly string[] }): void {
    this.#log.info('voice-reports.sent', report);
  }

  unlinked(person: string, reason: string): void {
    this.#log.warn('voice-reports.unlinked', { person, reason });
  }

  failed(what: string, error: unknown): void {
    this.#log.error('voice-reports.failed', { what, error });
  }
}
