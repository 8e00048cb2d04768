import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Item } from './attribute-value.ts';
import type { UserIdentity } from './streams/table-stream.ts';
import type { Table } from './table.ts';

/** DynamoDB deletes expired items "within a few days"; readers may still see them. Here it is an hour, at most once per hour. */
const SWEEP_DELAY_MS = 3_600_000;
/** "TTL ignores items whose expiry lies more than five years in the past." */
const OLDEST_EXPIRY_MS = 5 * 365.25 * 24 * 3_600_000;
/** How the table's stream tells deletions of expired items from others ("DynamoDB Streams and Time to Live"). */
const BY_TIME_TO_LIVE: UserIdentity = { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' };

/** Deletes the expired items of one table while time to live is enabled. */
export class TimeToLive {
  readonly attributeName: string;
  readonly #table: Table;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(table: Table, attributeName: string, clock: Clock) {
    this.#table = table;
    this.attributeName = attributeName;
    this.#clock = clock;
    for (const { item } of table.items.scan(0, 1, undefined)) this.noticed(item);
  }

  /** To be called for each item that is stored. */
  noticed(item: Item): void {
    const expiresAt = this.#expiryOf(item);
    if (expiresAt !== undefined) this.#sweepAt(Math.max(expiresAt, this.#clock.now()) + SWEEP_DELAY_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Epoch milliseconds; undefined for an item that does not expire. Only numbers count, in epoch seconds. */
  #expiryOf(item: Item): number | undefined {
    const seconds = item[this.attributeName]?.N;
    if (seconds === undefined) return undefined;
    const expiresAt = Math.trunc(Number(seconds)) * 1000;
    return expiresAt < this.#clock.now() - OLDEST_EXPIRY_MS ? undefined : expiresAt;
  }

  #sweepAt(dueAt: number): void {
    if (dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = this.#clock.at(dueAt, () => this.#sweep());
  }

  #sweep(): void {
    const now = this.#clock.now();
    this.#dueAt = Number.POSITIVE_INFINITY;
    const kept: Item[] = [];
    const expired: Item[] = [];
    for (const { item } of this.#table.items.scan(0, 1, undefined)) {
      const expiresAt = this.#expiryOf(item);
      if (expiresAt !== undefined) (expiresAt < now ? expired : kept).push(item);
    }
    for (const item of expired) this.#table.delete(item, BY_TIME_TO_LIVE);
    for (const item of kept) this.noticed(item);
  }
}
