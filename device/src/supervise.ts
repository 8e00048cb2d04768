import type { Clock } from './clock.ts';
import type { Liveness } from './liveness.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import type { ServiceManager } from './service-manager.ts';
import { SENDING, sendingMs } from './watched-connect.ts';

/** How often the status is renewed when nobody watches. */
const STATUS_MS = 60_000;

export interface SuperviseOptions {
  readonly manager: ServiceManager;
  readonly liveness: Liveness;
  readonly outbox: Outbox;
  /** How often waiting readings are sent, in milliseconds. */
  readonly publishMs: () => number;
  readonly connected: () => boolean;
  /** With the agent the service ends. Below a launcher it goes on, with another version perhaps. */
  readonly isService: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the service manager that the agent runs, and how it is. Ready is not connected: without a network the device
 * samples and keeps what it reads, and a restart would bring no network. WATCHDOG=1 goes out only while nothing is
 * overdue; from a timer of the main loop, so that a loop that stands still sends none either.
 *
 * @returns ends it, and resolves when the last word is out. STOPPING=1 is about the service: systemd takes it for a stop that was asked
 * for, and kills after `TimeoutStopSec=` whoever runs then.
 */
export function supervise(options: SuperviseOptions): () => Promise<void> {
  const { manager, liveness, outbox, publishMs, connected, isService, clock, log } = options;
  // Three to a period: one that comes late does no harm.
  const everyMs = manager.watchdogMs === undefined ? STATUS_MS : Math.max(100, manager.watchdogMs / 3);
  let stuck = false;
  let cancel = (): void => {};

  const report = (...first: readonly string[]): void => {
    if (outbox.size === 0 && connected()) liveness.expect(SENDING, sendingMs(publishMs()));
    const overdue = liveness.overdue();
    if (overdue.length > 0 && !stuck) {
      log.error('agent.stuck', { message: 'the service manager may restart the agent; this did not happen', overdue });
    }
    stuck = overdue.length > 0;
    const alive = manager.watchdogMs !== undefined && !stuck ? ['WATCHDOG=1'] : [];
    void manager.notify(...first, ...alive, `STATUS=${status(overdue)}`);
    cancel = clock.after(everyMs, report);
  };
  report('READY=1');

  return () => {
    cancel();
    return manager.notify(...(isService ? ['STOPPING=1'] : []), 'STATUS=sending what waits');
  };

  function status(overdue: readonly string[]): string {
    if (overdue.length > 0) return `stuck, did not happen: ${overdue.slice(0, 3).join('; ')}`;
    return `${connected() ? 'connected' : 'not connected'}, ${outbox.size} readings wait`;
  }
}
