import type { Log } from '../adapters/log.ts';
import type { Described, Reports } from './ports.ts';

/** Reports as structured log lines; what failed is counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countFailed: () => void;

  constructor(log: Log, countFailed: () => void) {
    this.#log = log;
    this.#countFailed = countFailed;
  }

  answered(directive: Described, outcome: string): void {
    this.#log.info('voice.answered', { ...directive, outcome });
  }

  cut(person: string, endpoints: number): void {
    this.#log.warn('voice.endpoints_cut', { person, endpoints });
  }

  linked(person: string): void {
    this.#log.info('voice.linked', { person });
  }

  failed(directive: Described, error: unknown): void {
    this.#log.error('voice.failed', { ...directive, error });
    this.#countFailed();
  }
}
