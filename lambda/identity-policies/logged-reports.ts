import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; people with too many grants are counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countTooMany: () => void;

  constructor(log: Log, countTooMany: () => void) {
    this.#log = log;
    this.#countTooMany = countTooMany;
  }

  changed(change: { readonly person: string; readonly policies: number; readonly reduced: boolean }): void {
    this.#log.info('identity_policies.changed', change);
  }

  ended(session: { readonly clientId: string; readonly person: string | undefined }): void {
    this.#log.info('identity_policies.connection_ended', session);
  }

  tooMany(person: string, policies: number): void {
    this.#log.warn('identity_policies.too_many', { person, policies });
    this.#countTooMany();
  }

  failed(what: string, error: unknown): void {
    this.#log.error('identity_policies.failed', { what, error: error as Error });
  }
}
