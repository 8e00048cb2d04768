/**
 * What the runtime is busy with. Work that outlives the request that caused it (a rule action, an asynchronous
 * invocation, a queue delivery) is tracked here, so that "advance the clock" and the tests can wait until nothing is
 * left to do, instead of sleeping.
 */
export class Activity {
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  /** `onError` hears of work that failed without anyone waiting for it: always a defect of the runtime. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Starts `work` and counts it until its promise settles. */
  track(work: () => Promise<unknown>): void {
    this.#running += 1;
    work()
      .catch((error: unknown) => this.#onError(error))
      .finally(() => {
        this.#running -= 1;
        if (this.#running === 0) this.#settle();
      });
  }

  /** Resolves when no tracked work is left. Do not await it from inside tracked work: that is a deadlock. */
  async idle(): Promise<void> {
    // A turn of the event loop, so that what has just been received is counted before we look.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#running > 0) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #settle(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
