import { ulidOf } from '@thingstead/contracts/ulid';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { seededRandom } from '../../local/src/faults/random.ts';
import { VirtualTime } from './virtual-time.ts';

const SECOND = 1000;
const START = Date.UTC(2026, 10, 21);
const VISIBILITY_MS = 180 * SECOND;
const MAX_RECEIVES = 5;
/** A copy of a message may come so much later. */
const MAX_COPY_MS = 60 * SECOND;
/** Lambda tries what it was called with asynchronously again after one minute and after two. */
const ASYNC_RETRIES_MS = [60 * SECOND, 120 * SECOND];
/** What one call of a port takes at most. */
export const MAX_CALL_MS = 100;

export interface Noise {
  readonly seed: number;
  /** Longest delay of a message, and of what is told late. */
  readonly maxDelayMs: number;
  /** Probabilities: that a message comes twice; that a call fails, with or without effect; that the function dies at it. */
  readonly duplicate: number;
  readonly fail: number;
  readonly crash: number;
}

export const QUIET: Noise = { seed: 1, maxDelayMs: 0, duplicate: 0, fail: 0, crash: 0 };

class CrashError extends Error {}
export class FailedCallError extends Error {}

/** True when it comes of the harm that the world does. */
export function isHarm(error: unknown): boolean {
  return error instanceof CrashError || error instanceof FailedCallError;
}

/** A call of a port, with this effect. */
type Call = <Result>(effect: () => Result) => Promise<Result>;

/**
 * What AWS may do to functions and their messages, the same for the same seed: messages come late and twice, calls take time and
 * fail before or after their effect, functions die between any two calls. Invocations overlap.
 */
export class HarmedWorld extends VirtualTime {
  /** What must not have happened. */
  readonly violations: string[] = [];
  /** What was tried as often as AWS does: to try it again. */
  readonly #deadLetters: (() => void)[] = [];
  readonly #random: () => number;
  #noise: Noise;

  constructor(noise: Noise) {
    super(START);
    this.#noise = noise;
    this.#random = seededRandom(noise.seed);
  }

  /** Ends all harm; the operator moves back what is in the queues of failures. */
  calm(): void {
    this.#noise = { ...QUIET, seed: this.#noise.seed };
    for (const again of this.#deadLetters.splice(0)) again();
  }

  protected get maxDelayMs(): number {
    return this.#noise.maxDelayMs;
  }

  /** From 0 up to this. */
  protected random(below = 1): number {
    return this.#random() * below;
  }

  /** At some time until the longest delay. */
  protected later(run: () => void): void {
    this.schedule(this.random(this.maxDelayMs), run);
  }

  /** A message: late, and perhaps twice. */
  protected deliver(receive: () => void): void {
    for (let copy = 0; copy < this.#copies(); copy += 1) this.later(receive);
  }

  /** A ULID. */
  protected newId(now: number): string {
    return ulidOf(
      now,
      new Uint8Array(10).map(() => Math.floor(this.random(256))),
    );
  }

  protected must(holds: boolean, otherwise: string): void {
    if (!holds) this.violations.push(otherwise);
  }

  /** The calls of one invocation. */
  protected invocation(): Call {
    let isDead = false;
    return async (effect) => {
      // Who is dead does nothing more, whatever it catches.
      if (isDead) throw new CrashError();
      const [crashes, fails] = [this.#chance(this.#noise.crash), this.#chance(this.#noise.fail)];
      const before = this.random() < 0.5;
      await this.pause(1 + this.random(MAX_CALL_MS));
      isDead ||= crashes;
      if ((crashes || fails) && before) throw crashes ? new CrashError() : new FailedCallError();
      const result = effect();
      if (crashes || fails) throw crashes ? new CrashError() : new FailedCallError();
      return result;
    };
  }

  /** On a queue of SQS, perhaps twice, alone in its batch: again until `handle` takes it, five times at most. */
  protected enqueue(
    message: unknown,
    delayMs: number,
    handle: (event: SQSEvent) => Promise<SQSBatchResponse | undefined>,
  ): void {
    // Only what handlers read of a record is there.
    const event = { Records: [{ messageId: '1', body: JSON.stringify(message) }] } as unknown as SQSEvent;
    const give = (receives: number): void => {
      const again = (): void => {
        if (receives < MAX_RECEIVES) this.schedule(VISIBILITY_MS, () => give(receives + 1));
        else this.#deadLetters.push(() => give(1));
      };
      void handle(event).then((answer) => {
        if (answer && answer.batchItemFailures.length > 0) again();
      }, again);
    };
    this.schedule(delayMs, () => give(1));
    if (this.#copies() > 1) this.schedule(delayMs + this.random(MAX_COPY_MS), () => give(1));
  }

  /** As Lambda does it that is not waited for: two more attempts; then `operator` gets it, at once or when all harm is over. */
  protected invoke(
    handle: () => Promise<unknown>,
    operator = (again: () => void): void => void this.#deadLetters.push(again),
  ): void {
    const begin = (attempt: number): void => {
      handle().catch(() => {
        const delay = ASYNC_RETRIES_MS[attempt];
        if (delay === undefined) operator(() => begin(0));
        else this.schedule(delay, () => begin(attempt + 1));
      });
    };
    begin(0);
  }

  #copies(): number {
    return this.#chance(this.#noise.duplicate) ? 2 : 1;
  }

  #chance(probability: number): boolean {
    return this.random() < probability;
  }
}
