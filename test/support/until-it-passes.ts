import { setTimeout as wait } from 'node:timers/promises';

const RETRY_MS = 1000;

/** Tries a check of what comes about in its own time, again and again. @throws what the check throws at the end. */
export async function untilItPasses<T>(check: () => Promise<T>, seconds: number, retryMs = RETRY_MS): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= end) throw error;
      await wait(retryMs);
    }
  }
}
