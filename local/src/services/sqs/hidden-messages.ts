import type { StoredMessage } from './queue.ts';

interface Entry {
  readonly visibleAt: number;
  readonly message: StoredMessage;
}

/**
 * Messages that nobody may receive yet, delayed or in flight, by the time at which they become visible: a binary heap.
 * A message whose time changed leaves its old entry behind, which is dropped when it comes up.
 */
export class HiddenMessages {
  readonly #heap: Entry[] = [];

  /** Files a message under its present `visibleAt`. */
  add(message: StoredMessage): void {
    const heap = this.#heap;
    const entry: Entry = { visibleAt: message.visibleAt, message };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || above.visibleAt <= entry.visibleAt) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** When the next message becomes visible; undefined when none is hidden. */
  nextAt(): number | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (isCurrent(top)) return top.visibleAt;
      this.#removeTop();
    }
    return undefined;
  }

  /** Takes a message that is visible at `now`; undefined when there is none. */
  takeDue(now: number): StoredMessage | undefined {
    const next = this.nextAt();
    if (next === undefined || next > now) return undefined;
    return this.#removeTop()?.message;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #removeTop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const smaller = (heap[right]?.visibleAt ?? Infinity) < (heap[left]?.visibleAt ?? Infinity) ? right : left;
      const child = heap[smaller];
      if (!child || child.visibleAt >= last.visibleAt) break;
      heap[at] = child;
      at = smaller;
    }
    heap[at] = last;
    return top;
  }
}

function isCurrent({ message, visibleAt }: Entry): boolean {
  return message.state !== 'visible' && message.state !== 'deleted' && message.visibleAt === visibleAt;
}
