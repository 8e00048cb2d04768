/** What waits for its time. The queue writes `position`, so that it can be taken out again without a search. */
export interface Waiting {
  /** Epoch milliseconds. */
  readonly dueAt: number;
  /** Of two that are due at the same time the lower one goes first. */
  readonly order: number;
  position: number;
}

/** The position of what is in no queue. */
export const NOT_WAITING = -1;

/**
 * A binary heap: adding and removing take as many steps as the logarithm of what waits. Each connected device has a
 * timer, and every message may set and cancel some more, so a search through all of them would be felt.
 */
export class TimerQueue<Item extends Waiting> {
  #heap: Item[] = [];

  /** The one that is due first. */
  get first(): Item | undefined {
    return this.#heap[0];
  }

  add(item: Item): void {
    this.#place(item, this.#heap.length);
    this.#up(item);
  }

  /** False when it is not in the queue. */
  remove(item: Item): boolean {
    const { position } = item;
    if (position === NOT_WAITING) return false;
    item.position = NOT_WAITING;
    const last = this.#heap.pop();
    if (last && last !== item) {
      this.#place(last, position);
      this.#up(last);
      this.#down(last);
    }
    return true;
  }

  clear(): void {
    for (const item of this.#heap) item.position = NOT_WAITING;
    this.#heap = [];
  }

  #up(item: Item): void {
    for (;;) {
      const { position } = item;
      const parent = this.#heap[(position - 1) >> 1];
      if (position === 0 || !parent || isBefore(parent, item)) return;
      this.#place(parent, position);
      this.#place(item, (position - 1) >> 1);
    }
  }

  #down(item: Item): void {
    for (;;) {
      const { position } = item;
      const left = this.#heap[2 * position + 1];
      const right = this.#heap[2 * position + 2];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || isBefore(item, child)) return;
      const { position: below } = child;
      this.#place(child, position);
      this.#place(item, below);
    }
  }

  #place(item: Item, position: number): void {
    this.#heap[position] = item;
    item.position = position;
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
