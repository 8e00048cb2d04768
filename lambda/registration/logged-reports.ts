import { HELD_REASONS } from '@thingstead/contracts/registration';
import type { Log } from '../adapters/log.ts';
import type { Refusal, Reports } from './ports.ts';

/** Reports as structured log lines; what is held is counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #countHeld: () => void;

  constructor(log: Pick<Log, 'info' | 'warn'>, countHeld: () => void) {
    this.#log = log;
    this.#countHeld = countHeld;
  }

  admitted(device: { readonly certificateId: string; readonly thing: string }): void {
    this.#log.info('registration.admitted', device);
  }

  held({ certificateId, caCertificateId, thing, reason }: Refusal): void {
    const fields = { certificateId, caCertificateId, thing, reason, because: HELD_REASONS[reason] };
    this.#log.warn('registration.held', fields);
    this.#countHeld();
  }

  ignored(certificateId: string, status: string): void {
    this.#log.info('registration.ignored', { certificateId, status });
  }
}
