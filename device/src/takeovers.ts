import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

const HOUR_MS = 3_600_000;
/** No pause is longer, so that each of two devices still sends within two hours. */
const CAP_MS = HOUR_MS;
/** More than two of the longest pauses: so long without a takeover, and the other device is gone. */
const OVER_MS = 4 * HOUR_MS;

const WHAT_TO_DO =
  'another device connects with this thing name and certificate, and each throws the other out: find it, and issue it a certificate of its own; until then both send in turns, after pauses of up to an hour';

export interface TakeoversOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Ceiling of the first pause. */
  readonly firstMs: number;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/**
 * Two devices with one identity throw each other out for ever, and every CONNECT is paid for: AWS IoT ends the older connection when a
 * client id connects again (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html). Neither of them can end that, so
 * each gives way for longer and longer: a pause is drawn between half of a ceiling and the ceiling, which doubles from `firstMs` to
 * one hour. Two such devices connect nine times in their first hour at most, and three times in any later one.
 */
export class Takeovers {
  readonly #options: Required<TakeoversOptions>;
  #series = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;
  #total = 0;

  constructor(options: TakeoversOptions) {
    this.#options = { random: Math.random, ...options };
  }

  /** The connection went to another client. Says so in the log, what to do about it once an hour. @returns the pause in milliseconds. */
  takenOver(reason: string): number {
    const { clock, log, firstMs, random } = this.#options;
    const now = clock.uptime();
    if (now - this.#lastAt > OVER_MS) this.#series = 0;
    this.#lastAt = now;
    const ceiling = Math.min(Math.max(CAP_MS, firstMs), firstMs * 2 ** this.#series);
    this.#series += 1;
    const retryInMs = Math.floor(ceiling * (0.5 + random() / 2));
    this.#untold += 1;
    this.#total += 1;
    if (now - this.#toldAt < HOUR_MS) {
      log.warn('connection.lost', { reason, retryInMs });
    } else {
      log.error('connection.taken_over', {
        message: WHAT_TO_DO,
        ...{ reason, retryInMs, takeovers: this.#untold, total: this.#total },
      });
      this.#toldAt = now;
      this.#untold = 0;
    }
    return retryInMs;
  }
}
