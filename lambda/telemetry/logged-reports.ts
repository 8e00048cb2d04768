import type { QuarantinedMessage } from '@thingstead/contracts/telemetry-store';
import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; a thing that sends too much is counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Pick<Log, 'warn' | 'error'>;
  readonly #countOverRate: () => void;

  constructor(log: Pick<Log, 'warn' | 'error'>, countOverRate: () => void) {
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
