import { setTimeout as wait } from 'node:timers/promises';

const RETRY_MS = 1000;

/** Tries a check against AWS, which is eventually consistent, again and again. @throws what the check throws at the end. */
export async function untilItPasses<T>(check: () => Promise<T>, seconds: number): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= end) throw error;
      await wait(RETRY_MS);
    }
  }
}
