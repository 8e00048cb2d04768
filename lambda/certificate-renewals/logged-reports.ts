import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Counts that raise alarms. */
export type Count = 'CertificateRenewalsRefused' | 'CertificateRenewalsPending';

/** Refusals that are no fault: the device asks again when it is time. */
const EXPECTED: ReadonlySet<string> = new Set(['not-due', 'pending', 'busy']);

/** Reports as structured log lines; what needs an operator is counted too. No key is in it. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #count: (name: Count) => void;

  constructor(log: Log, count: (name: Count) => void) {
    this.#log = log;
    this.#count = count;
  }

  renewed(of: { readonly thing: string; readonly certificateId: string }): void {
    this.#log.info('certificate.renewed', of);
  }

  pending(of: { readonly thing: string; readonly keyHash: string }): void {
    this.#log.warn('certificate.pending', of);
    this.#count('CertificateRenewalsPending');
  }

  confirmed(of: { readonly thing: string; readonly certificateId: string; readonly retired: readonly string[] }): void {
    this.#log.info('certificate.confirmed', of);
  }

  refused(of: { readonly thing: string; readonly code: string; readonly reason: string }): void {
    if (EXPECTED.has(of.code)) {
      this.#log.info('certificate.not_renewed', of);
      return;
    }
    this.#log.warn('certificate.refused', of);
    this.#count('CertificateRenewalsRefused');
  }

  failed(thing: string | undefined, error: unknown): void {
    this.#log.error('certificate.failed', { thing, error });
  }
}
