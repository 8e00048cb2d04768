export interface BackoffOptions {
  /** No pause is shorter; the ceiling of the first is twice as long. */
  readonly baseMs: number;
  /** Ceiling of every pause. */
  readonly capMs: number;
  /** A connection that lasted so long ends the series. */
  readonly stableMs: number;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/**
 * Exponential backoff with full jitter: a pause is drawn between a floor and a ceiling that doubles with every attempt. The
 * floor keeps to "connect requests per second per client ID: 1" (AWS IoT Core quotas). The series starts again only after a connection that lasted: a device that is accepted and thrown out at once must slow down
 * too, or it reconnects for ever at full speed.
 */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #attempts = 0;
  /** When the last pause of `nextAt` ends. */
  #lastEnd = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions) {
    this.#options = { random: Math.random, ...options };
  }

  /** The pause before the next attempt, in milliseconds. */
  next(): number {
    const { baseMs, capMs, random } = this.#options;
    this.#attempts += 1;
    const ceiling = Math.min(capMs, baseMs * 2 ** this.#attempts);
    return Math.floor(baseMs + random() * (ceiling - baseMs));
  }

  /**
   * The same for what is not connected: the series starts again when `stableMs` have passed since the end of its last pause.
   *
   * @param now of the monotonic clock, in milliseconds.
   */
  nextAt(now: number): number {
    this.connectedFor(now - this.#lastEnd);
    const ms = this.next();
    this.#lastEnd = now + ms;
    return ms;
  }

  /** Tells how long a connection lasted, in milliseconds. */
  connectedFor(ms: number): void {
    if (ms >= this.#options.stableMs) this.#attempts = 0;
  }
}
