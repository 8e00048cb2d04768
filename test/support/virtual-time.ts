import { NOT_WAITING, TimerQueue, type Waiting } from '../../local/src/kernel/timer-queue.ts';

interface Due extends Waiting {
  readonly run: () => void | Promise<void>;
}

/**
 * A clock that stands still until somebody runs it, and what is due by it: earliest first, and of two at the same time the one that
 * was scheduled first. What runs may wait for promises; it may wait for time only where nobody awaits it.
 */
export class VirtualTime {
  /** Epoch milliseconds. */
  now: number;
  readonly #due = new TimerQueue<Due>();
  #order = 0;

  constructor(start: number) {
    this.now = start;
  }

  /** In whole milliseconds. A promise is awaited before time goes on. */
  schedule(delayMs: number, run: () => void | Promise<void>): void {
    this.#due.add({ dueAt: this.now + Math.round(delayMs), order: this.#order, position: NOT_WAITING, run });
    this.#order += 1;
  }

  /** Resolves when so much time has passed. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.schedule(ms, resolve));
  }

  /** Runs everything that is due until then; after each, everything that waits for nothing but promises. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    // Timers and what else there is besides promises get their turn: the time limit of a test, for one.
    await new Promise((resolve) => setImmediate(resolve));
    for (let next = this.#due.first; next && next.dueAt <= end; next = this.#due.first) {
      this.#due.remove(next);
      this.now = Math.max(this.now, next.dueAt);
      await next.run();
      await promisesAreDone();
    }
    this.now = end;
  }

  /** Waits for it, with time going on by a second at a time. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = work.finally(() => (isOver = true));
    over.catch(() => {});
    while (!isOver) await this.run(1000);
    return over;
  }
}

/** Node calls what waits for the next tick when no promise has anything to do: https://nodejs.org/api/process.html#processnexttickcallback-args */
function promisesAreDone(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
