import type { Clock, Timer } from '../../kernel/clock.ts';
import type { StoredMessage } from './queue.ts';

interface Receiver {
  readonly max: number;
  readonly visibilityMs: number;
  readonly timer: Timer;
  resolve(messages: readonly StoredMessage[]): void;
}

/** Long polls of one queue, in the order in which they came. */
export class WaitingReceivers {
  readonly #clock: Clock;
  readonly #receivers = new Set<Receiver>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with what `serve` gives, or with nothing after `waitMs` of virtual time. */
  wait(max: number, visibilityMs: number, waitMs: number): Promise<readonly StoredMessage[]> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(waitMs, () => this.#answer(receiver, []));
      const receiver: Receiver = { max, visibilityMs, timer, resolve };
      this.#receivers.add(receiver);
    });
  }

  /** Gives each who waits what `take` finds, until it finds nothing. */
  serve(take: (max: number, visibilityMs: number) => readonly StoredMessage[]): void {
    for (const receiver of this.#receivers) {
      const messages = take(receiver.max, receiver.visibilityMs);
      if (messages.length === 0) return;
      this.#answer(receiver, messages);
    }
  }

  /** Lets everybody go, with nothing. */
  release(): void {
    for (const receiver of this.#receivers) this.#answer(receiver, []);
  }

  #answer(receiver: Receiver, messages: readonly StoredMessage[]): void {
    receiver.timer.cancel();
    this.#receivers.delete(receiver);
    receiver.resolve(messages);
  }
}
