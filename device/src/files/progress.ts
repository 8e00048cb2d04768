import { MAX_PARTS_PER_ANSWER } from '@thingstead/contracts/files';
import type { Clock } from '../clock.ts';

/** Every report is a message that costs. */
const EVERY_MS = 5_000;
/** URLs are good for a minute: of those that were asked for at once, the last should be begun with by then. */
const ASK_FOR_MS = 30_000;

/** Passes on how far something is, not too often. */
export class Progress {
  readonly #clock: Clock;
  readonly #report: (bytes: number) => void;
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, report: (bytes: number) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  at(bytes: number): void {
    if (this.#clock.uptime() - this.#last < EVERY_MS) return;
    this.#last = this.#clock.uptime();
    this.#report(bytes);
  }
}

/** How many parts to ask URLs for, after so many have taken so long. */
export function partsToAsk(parts: number, ms: number): number {
  const fitting = Math.floor((ASK_FOR_MS * parts) / Math.max(1, ms));
  return Math.min(MAX_PARTS_PER_ANSWER, Math.max(1, fitting));
}
