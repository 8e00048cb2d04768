import type { Clock } from '../../device/src/clock.ts';

/** Time that passes when the test says so, and runs what becomes due. */
export class ManualClock implements Clock {
  readonly #start: number;
  #now = 0;
  #tasks: { at: number; task: () => void }[] = [];

  /** @param start epoch milliseconds of the first moment. */
  constructor(start = 0) {
    this.#start = start;
  }

  now = (): number => this.#start + this.#now;
  uptime = (): number => this.#now;
  after = (ms: number, task: () => void): (() => void) => {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== entry);
    };
  };
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.#tasks = this.#tasks.filter((each) => each !== next);
      this.#now = next.at;
      next.task();
    }
    this.#now = end;
  }
}
