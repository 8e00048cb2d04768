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
import { NOT_WAITING, TimerQueue, type Waiting } from './timer-queue.ts';

export interface Timer {
  cancel(): void;
}

interface Scheduled extends Timer, Waiting {
  readonly run: () => unknown;
}

/** setTimeout takes at most 2^31-1 ms; a longer wait is re-armed. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

export class Clock {
  readonly #activity: Activity;
  readonly #scheduled = new TimerQueue<Scheduled>();
  #offsetMs = 0;
  #order = 0;
  #wakeUp: NodeJS.Timeout | undefined;
  /** What the process wakes up for. */
  #armedFor: Scheduled | undefined;
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

  /** Goes on with the offset of an earlier clock; before any timer is set. */
  resumeAt(offsetMs: number): void {
    this.#offsetMs = offsetMs;
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
      position: NOT_WAITING,
      run,
      cancel: () => {
        if (this.#scheduled.remove(scheduled)) this.#arm();
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
    for (let next = this.#scheduled.first; next && next.dueAt <= target; next = this.#scheduled.first) {
      this.#moveTo(next.dueAt);
      this.#fire(next);
      await this.#activity.idle();
    }
    this.#moveTo(target);
    this.#armedFor = undefined;
    this.#arm();
  }

  #moveTo(time: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, time - Date.now());
  }

  #fire(scheduled: Scheduled): void {
    this.#scheduled.remove(scheduled);
    this.#activity.track(async () => scheduled.run());
  }

  #arm(): void {
    const next = this.#stopped ? undefined : this.#scheduled.first;
    if (next && next === this.#armedFor) return;
    clearTimeout(this.#wakeUp);
    this.#armedFor = next;
    if (!next) return;
    const wait = Math.min(Math.max(next.dueAt - this.now(), 0), LONGEST_TIMEOUT_MS);
    this.#wakeUp = setTimeout(() => this.#wake(), wait);
    this.#wakeUp.unref();
  }

  #wake(): void {
    this.#armedFor = undefined;
    for (let next = this.#scheduled.first; next && next.dueAt <= this.now(); next = this.#scheduled.first)
      this.#fire(next);
    this.#arm();
  }
}
