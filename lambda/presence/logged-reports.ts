import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  changed(change: { readonly thing: string; readonly connected: boolean; readonly reason: string | undefined }): void {
    this.#log.info('presence.changed', change);
  }

  repaired(what: { readonly thing: string; readonly store: 'row' | 'shadow'; readonly connected: boolean }): void {
    this.#log.warn('presence.repaired', what);
  }

  announced(notice: { readonly id: string; readonly kind: string; readonly things: number }): void {
    this.#log.info('presence.announced', notice);
  }

  failed(what: string, error: unknown): void {
    this.#log.error('presence.failed', { what, error });
  }
}
