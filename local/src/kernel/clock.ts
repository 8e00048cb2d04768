/**
 * Virtual time: real time plus an offset that tests advance. Every timer of the runtime hangs on this clock, so that
 * fifteen minutes pass in milliseconds.
 *
 * INVARIANTS
 * - `now()` never goes back.
 * - `advance(ms)` runs timers in the order of their due time, each with `now()` at least its due time, and waits after
 *   each one until the runtime is idle, so that what a timer starts has ended before later timers run.
 */
import type { Activity } from './activity.ts';

export interface Timer {
  cancel(): void;
}

interface Scheduled extends Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => unknown;
}

/** setTimeout takes at most 2^31-1 ms; a longer wait is re-armed. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

export class Clock {
  readonly #activity: Activity;
  readonly #scheduled = new Set<Scheduled>();
  #offsetMs = 0;
  #order = 0;
  #wakeUp: NodeJS.Timeout | undefined;
  #advancing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(activity: Activity) {
    this.#activity = activity;
  }

  /** Virtual time, epoch milliseconds. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** How far virtual time is ahead of real time, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Runs `run` once `delayMs` of virtual time have passed. A promise it returns counts as activity until it settles. */
  after(delayMs: number, run: () => unknown): Timer {
    return this.at(this.now() + delayMs, run);
  }

  /** Runs `run` when virtual time reaches `dueAt` (epoch milliseconds). */
  at(dueAt: number, run: () => unknown): Timer {
    const scheduled: Scheduled = {
      dueAt,
      order: this.#order++,
      run,
      cancel: () => {
        if (this.#scheduled.delete(scheduled)) this.#arm();
      },
    };
    this.#scheduled.add(scheduled);
    this.#arm();
    return scheduled;
  }

  /** Moves virtual time forward; resolves when everything that became due, and what it started, has run. */
  advance(ms: number): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advanceTo(this.now() + ms));
    return this.#advancing;
  }

  /** Cancels every timer; none can be set afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#scheduled.clear();
    clearTimeout(this.#wakeUp);
  }

  async #advanceTo(target: number): Promise<void> {
    await this.#activity.idle();
    for (let next = this.#next(); next && next.dueAt <= target; next = this.#next()) {
      this.#moveTo(next.dueAt);
      this.#fire(next);
      await this.#activity.idle();
    }
    this.#moveTo(target);
    this.#arm();
  }

  #moveTo(time: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, time - Date.now());
  }

  #next(): Scheduled | undefined {
    let next: Scheduled | undefined;
    for (const each of this.#scheduled) {
      if (!next || each.dueAt < next.dueAt || (each.dueAt === next.dueAt && each.order < next.order)) next = each;
    }
    return next;
  }

  #fire(scheduled: Scheduled): void {
    this.#scheduled.delete(scheduled);
    this.#activity.track(async () => scheduled.run());
  }

  #arm(): void {
    clearTimeout(this.#wakeUp);
    const next = this.#stopped ? undefined : this.#next();
    if (!next) return;
    const wait = Math.min(Math.max(next.dueAt - this.now(), 0), LONGEST_TIMEOUT_MS);
    this.#wakeUp = setTimeout(() => this.#wake(), wait);
    this.#wakeUp.unref();
  }

  #wake(): void {
    for (let next = this.#next(); next && next.dueAt <= this.now(); next = this.#next()) this.#fire(next);
    this.#arm();
  }
}
