import type { Log } from '../adapters/log.ts';
import type { ReleaseStep, Reports } from './ports.ts';

/** Who did what with releases, as structured log lines. */
export class LoggedReports implements Reports {
  readonly #log: Pick<Log, 'info' | 'warn'>;

  constructor(log: Pick<Log, 'info' | 'warn'>) {
    this.#log = log;
  }

  trusted(trust: { readonly version: number; readonly by: string }): void {
    this.#log.info('firmware.trusted', trust);
  }

  released(release: ReleaseStep): void {
    this.#log.info('firmware.release', { ...release });
  }

  refused(what: { readonly by: string; readonly failure: string; readonly reason: string }): void {
    this.#log.warn('firmware.refused', what);
  }
}
