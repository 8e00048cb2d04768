import type { QuarantinedMessage } from '@thingstead/contracts/telemetry-store';
import type { Reports } from './ports.ts';

interface Log {
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/** Reports as structured log lines; a thing that sends too much is counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countOverRate: () => void;

  constructor(log: Log, countOverRate: () => void) {
    this.#log = log;
    this.#countOverRate = countOverRate;
  }

  overExpectedRate(rate: { readonly thing: string; readonly hour: string; readonly messages: number }): void {
    this.#log.warn('telemetry.over_expected_rate', rate);
    this.#countOverRate();
  }

  /** Without the payload: what devices send is not for logs. */
  quarantined({ thing, sensor, reason, sequenceNumber }: QuarantinedMessage): void {
    this.#log.warn('telemetry.quarantined', { thing, sensor, reason, sequenceNumber });
  }

  failed(what: string, error: unknown): void {
    this.#log.error('telemetry.failed', { what, error });
  }
}
