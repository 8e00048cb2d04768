import { HELD_REASONS } from '@thingstead/contracts/registration';
import type { Refusal, Reports } from './ports.ts';

interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

/** Reports as structured log lines; what is held is counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countHeld: () => void;

  constructor(log: Log, countHeld: () => void) {
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
