/** The agent's only source of time, so that tests can shift it or hold it. */
export interface Clock {
  /** Epoch milliseconds, as they are written into readings. It may jump when the device's clock is set. */
  now(): number;
  /** Milliseconds that never jump, for measuring how long something took. */
  uptime(): number;
  /** Runs a task once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, task: () => void): () => void;
}

/**
 * The clock of the machine, shifted by `offsetMs`: a device that takes part in a test of the local runtime starts with
 * the runtime's virtual time.
 */
export function systemClock(offsetMs = 0): Clock {
  return {
    now: () => Date.now() + offsetMs,
    uptime: () => performance.now(),
    after: (ms, task) => {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** Waits `ms` milliseconds, or less when the signal is aborted first. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal.addEventListener('abort', finish);
  });
}
