import type { Clock, Timer } from '../kernel/clock.ts';
import type { Fault } from './points.ts';
import { seededRandom } from './random.ts';
import { filterMatches } from './topic-filter.ts';

interface Held {
  readonly release: () => void;
  readonly timer: Timer | undefined;
}

/** A fault of the plan in force: how often it matched, how often it did harm, what it holds back. */
export class ActiveFault {
  readonly fault: Fault;
  matched = 0;
  harmed = 0;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #held = new Set<Held>();

  /** `seed` is its own: what it does depends on its matches, not on those of other faults. */
  constructor(fault: Fault, seed: number, clock: Clock) {
    this.fault = fault;
    this.#clock = clock;
    this.#random = seededRandom(seed);
  }

  matches(facts: Readonly<Record<string, string | boolean | undefined>>): boolean {
    return Object.entries(this.fault.match).every(([name, wanted]) => {
      const value = facts[name];
      return name === 'topic' ? filterMatches(String(wanted), String(value)) : wanted === value;
    });
  }

  /** Counts a match; true when this one is to be harmed. `taken`: another fault of the plan harms it already. */
  strikes(taken: boolean): boolean {
    const { skip, times, probability } = this.fault;
    this.matched += 1;
    if (this.matched <= skip || this.harmed === times) return false;
    // Drawn whatever else happens, so that the n-th match always meets the n-th number.
    const drawn = probability === 1 || this.#random() < probability;
    if (!drawn || taken || this.#isReordering) return false;
    this.harmed += 1;
    return true;
  }

  /** Keeps something back: until `delaySeconds` are over and, when it reorders, at most until the next one has passed. */
  hold(release: () => void): void {
    const { delaySeconds } = this.fault;
    const held: Held = {
      release,
      timer: delaySeconds === undefined ? undefined : this.#clock.after(delaySeconds * 1000, () => this.#let(held)),
    };
    this.#held.add(held);
  }

  /** Something that matches has passed: what was to come after it follows. */
  passed(): void {
    if (this.fault.do === 'reorder') this.releaseAll();
  }

  releaseAll(): void {
    for (const held of [...this.#held]) this.#let(held);
  }

  /** Holding back the next one as well would leave the order as it was. */
  get #isReordering(): boolean {
    return this.fault.do === 'reorder' && this.#held.size > 0;
  }

  #let(held: Held): void {
    if (!this.#held.delete(held)) return;
    held.timer?.cancel();
    held.release();
  }
}
