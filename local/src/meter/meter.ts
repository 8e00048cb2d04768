import { type BillableItem, PRICES, type Price } from './prices.ts';

/** The resource of connections with a device certificate; those signed with SigV4 have another. */
export const DEVICES = 'devices';

/** Something that costs as long as it is there: a connection, the shards of a stream, an alarm. */
export interface Running {
  /** It is gone; its cost stays. Again: nothing. */
  stop(): void;
}

interface Span {
  readonly item: BillableItem;
  readonly resource: string;
  readonly startedAt: number;
  readonly count: number;
}

/** What one resource has used of one item, in what is counted: messages, bytes. */
export interface Use {
  readonly item: BillableItem;
  readonly resource: string;
  readonly quantity: number;
}

/**
 * Counts what AWS would charge for. Counters only: what a count costs is worked out when somebody asks. Everything that
 * costs by time follows virtual time.
 */
export class Meter {
  readonly startedAt: number;
  readonly #now: () => number;
  readonly #counts = new Map<BillableItem, Map<string, number>>();
  readonly #running = new Set<Span>();
  #deviceMs = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.startedAt = now();
  }

  get now(): number {
    return this.#now();
  }

  /** Adds to the count of an item for a resource. */
  add(item: BillableItem, resource: string, quantity = 1): void {
    let byResource = this.#counts.get(item);
    if (!byResource) {
      byResource = new Map();
      this.#counts.set(item, byResource);
    }
    byResource.set(resource, (byResource.get(resource) ?? 0) + quantity);
  }

  /** From now on `count` of this item are there; only for items that cost by time. */
  start(item: BillableItem, resource: string, count = 1): Running {
    const span: Span = { item, resource, count, startedAt: this.#now() };
    this.#running.add(span);
    return {
      stop: () => {
        if (!this.#running.delete(span)) return;
        this.add(item, resource, this.#quantityOf(span));
        if (isDevice(span)) this.#deviceMs += this.#now() - span.startedAt;
      },
    };
  }

  /** How long devices were connected, all together, in minutes, to the millisecond: not as it is charged. */
  get deviceMinutes(): number {
    let ms = this.#deviceMs;
    for (const span of this.#running) if (isDevice(span)) ms += this.#now() - span.startedAt;
    return ms / 60_000;
  }

  /** All counts until now, what is still running included. */
  get uses(): readonly Use[] {
    const counts = new Map([...this.#counts].map(([item, byResource]) => [item, new Map(byResource)]));
    for (const span of this.#running) {
      const byResource = counts.get(span.item) ?? new Map<string, number>();
      counts.set(span.item, byResource);
      byResource.set(span.resource, (byResource.get(span.resource) ?? 0) + this.#quantityOf(span));
    }
    return [...counts].flatMap(([item, byResource]) =>
      [...byResource].map(([resource, quantity]) => ({ item, resource, quantity })),
    );
  }

  /** What is there now and costs by time, and how many of it; connections are not in it. */
  get standing(): readonly Use[] {
    return [...this.#running]
      .filter(({ item }) => item !== 'iotConnection')
      .map(({ item, resource, count }) => ({ item, resource, quantity: count }));
  }

  #quantityOf({ item, count, startedAt }: Span): number {
    const { stepMs = 1 }: Price = PRICES[item];
    return count * Math.max(1, Math.ceil((this.#now() - startedAt) / stepMs));
  }
}

function isDevice({ item, resource }: Span): boolean {
  return item === 'iotConnection' && resource === DEVICES;
}
