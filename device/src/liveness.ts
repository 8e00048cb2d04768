import type { Clock } from './clock.ts';

/**
 * What must happen, and by when. A part that has stopped without an error is found by what it no longer does. Times are of
 * the monotonic clock, so that setting the date makes nothing late.
 */
export class Liveness {
  readonly #clock: Clock;
  readonly #deadlines = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `what` will be expected again, or done, within so many milliseconds. */
  expect(what: string, withinMs: number): void {
    this.#deadlines.set(what, this.#clock.uptime() + withinMs);
  }

  done(what: string): void {
    this.#deadlines.delete(what);
  }

  /** What should have happened by now. */
  overdue(): readonly string[] {
    const now = this.#clock.uptime();
    return [...this.#deadlines].filter(([, deadline]) => deadline < now).map(([what]) => what);
  }
}
