import type { UnconfirmedDelivery } from '@thingstead/contracts/notifications';
import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; notices beyond the limit are counted too, and the count raises an alarm. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #countOverLimit: () => void;

  constructor(log: Log, countOverLimit: () => void) {
    this.#log = log;
    this.#countOverLimit = countOverLimit;
  }

  sent(delivery: { readonly noticeId: string; readonly person: string; readonly things: number }): void {
    this.#log.info('notifications.sent', delivery);
  }

  refused(delivery: { readonly noticeId: string; readonly person: string; readonly reason: string }): void {
    this.#log.warn('notifications.refused', delivery);
  }

  unconfirmed({ noticeId, person, reason }: UnconfirmedDelivery): void {
    this.#log.error('notifications.unconfirmed', { noticeId, person, reason });
  }

  overLimit(delivery: { readonly noticeId: string; readonly person: string }): void {
    this.#log.warn('notifications.over-limit', delivery);
    this.#countOverLimit();
  }

  failed(what: string, error: unknown): void {
    this.#log.error('notifications.failed', { what, error });
  }
}
