import { Backoff } from '../backoff.ts';
import { type Clock, pause } from '../clock.ts';

const BACKOFF = { baseMs: 1_000, capMs: 300_000, stableMs: 60_000 };

/** Does a piece of work; false when it is to be done again later. Never rejects. `ended`: the agent ends. */
export type Work = (cancelled: AbortSignal, ended: AbortSignal) => Promise<boolean>;

interface Entry {
  readonly id: string;
  readonly work: Work;
  readonly backoff: Backoff;
  readonly cancelled: AbortController;
  /** Uptime in milliseconds. */
  dueAt: number;
}

/** One transfer at a time; what has to wait lets others go first, and comes again after pauses that become longer. */
export class TransferQueue {
  readonly #clock: Clock;
  readonly #random: { readonly random?: () => number };
  readonly #ended = new AbortController();
  #entries: Entry[] = [];
  #running: Promise<void> | undefined;
  #wake = (): void => {};

  constructor(clock: Clock, random?: () => number) {
    this.#clock = clock;
    this.#random = random ? { random } : {};
  }

  has(id: string): boolean {
    return this.#entries.some((each) => each.id === id);
  }

  get size(): number {
    return this.#entries.length;
  }

  add(id: string, work: Work): void {
    if (this.has(id) || this.#ended.signal.aborted) return;
    const backoff = new Backoff({ ...BACKOFF, ...this.#random });
    this.#entries.push({ id, work, backoff, cancelled: new AbortController(), dueAt: Number.NEGATIVE_INFINITY });
    this.#wake();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Aborts the work with this reason; work that waits is done once more, so that it can end. */
  cancel(id: string, reason: Error): void {
    const entry = this.#entries.find((each) => each.id === id);
    if (!entry) return;
    entry.dueAt = Number.NEGATIVE_INFINITY;
    entry.cancelled.abort(reason);
    this.#wake();
  }

  /** Does no more; resolves when what runs has stopped. */
  async end(): Promise<void> {
    this.#ended.abort(new Error('the agent ends'));
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#entries.length > 0 && !this.#ended.signal.aborted) {
      const entry = this.#entries.toSorted((a, b) => a.dueAt - b.dueAt)[0] as Entry;
      const waitMs = entry.dueAt - this.#clock.uptime();
      if (waitMs > 0) {
        await this.#pause(waitMs);
        continue;
      }
      const done = await entry.work(entry.cancelled.signal, this.#ended.signal);
      if (done) this.#entries = this.#entries.filter((each) => each !== entry);
      else entry.dueAt = this.#clock.uptime() + entry.backoff.nextAt(this.#clock.uptime());
    }
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await pause(this.#clock, ms, woken.signal);
    this.#wake = () => {};
  }
}
