import { execFile } from 'node:child_process';
import { messageOf } from './configuration-error.ts';
import type { Log } from './log.ts';

/** A message that takes longer is given up: the service manager is gone, or does not listen. */
const TIMEOUT_MS = 5_000;

/** systemd, or another manager that speaks its notify protocol: https://www.freedesktop.org/software/systemd/man/sd_notify.html */
export interface ServiceManager {
  /** How often it wants to hear WATCHDOG=1, in milliseconds; undefined when it does not watch. */
  readonly watchdogMs: number | undefined;
  /** Sends variables such as `READY=1`, after those that were sent before. Never rejects. */
  notify(...variables: readonly string[]): Promise<void>;
}

/**
 * The manager that `NOTIFY_SOCKET` names; nothing is sent without it. Node.js has no datagram sockets of the Unix kind, so
 * systemd's own systemd-notify sends them: it is wherever systemd is, and needs no native part of ours and no writable disk.
 * The unit must say NotifyAccess=all, since the message comes from a child of the agent.
 */
export function serviceManager(environment: NodeJS.ProcessEnv, log: Pick<Log, 'warn'>): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC, PATH } = environment;
  if (!NOTIFY_SOCKET) return { watchdogMs: undefined, notify: () => Promise.resolve() };
  const watched = WATCHDOG_USEC !== undefined && (WATCHDOG_PID ?? String(process.pid)) === String(process.pid);
  let failed = false;
  let last = Promise.resolve();

  const send = (variables: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const env = { NOTIFY_SOCKET, ...(PATH === undefined ? {} : { PATH }) };
      execFile('systemd-notify', [...variables], { env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' }, (error) => {
        if (error && !failed) log.warn('service.notify_failed', { message: messageOf(error) });
        failed = error !== null;
        resolve();
      });
    });

  return {
    watchdogMs: watched ? Number(WATCHDOG_USEC) / 1000 : undefined,
    notify: (...variables) => {
      last = last.then(() => send(variables));
      return last;
    },
  };
}
