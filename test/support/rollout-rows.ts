/** The firmware table as far as rollouts go, in memory: what each call of the ports reads and writes, at once and all or nothing. */
import {
  counterName,
  type FirmwareDeviceRow,
  type RolloutDeviceRow,
  type RolloutEvent,
  type RolloutRow,
} from '@thingstead/contracts/rollout-store';
import type { LateOffer, OfferChange, Written } from '../../lambda/rollouts/ports.ts';

type Counts = Record<string, number>;

/** Rows by key, in the order of the keys. */
class Sorted<Row> {
  readonly rows = new Map<string, Row>();
  #keys: string[] = [];
  #isSorted = true;

  set(key: string, row: Row): void {
    if (!this.rows.has(key)) {
      this.#keys.push(key);
      this.#isSorted = false;
    }
    this.rows.set(key, row);
  }

  /** Keys beyond `after`, and before `before`. */
  between(after: string, before: string, limit: number): readonly string[] {
    if (!this.#isSorted) this.#keys.sort();
    this.#isSorted = true;
    const begin = this.#firstBeyond(after);
    const found = this.#keys.slice(begin, begin + limit);
    return found.filter((key) => key < before);
  }

  #firstBeyond(place: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '') <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class RolloutRows {
  readonly rollouts = new Map<string, RolloutRow>();
  readonly events = new Map<string, RolloutEvent[]>();
  readonly offers = new Map<string, FirmwareDeviceRow>();
  readonly #counts = new Map<string, Counts>();
  readonly #devices = new Map<string, Sorted<RolloutDeviceRow>>();
  /** Of each partition of the index, the rows that are in it. */
  readonly #due = new Map<string, Map<string, RolloutDeviceRow>>();

  create(row: RolloutRow, event: RolloutEvent): boolean {
    if (this.rollouts.has(row.id)) return false;
    this.rollouts.set(row.id, row);
    this.events.set(row.id, [event]);
    return true;
  }

  advance(was: RolloutRow, next: RolloutRow, event?: RolloutEvent): boolean {
    if (this.rollouts.get(was.id)?.revision !== was.revision) return false;
    this.rollouts.set(was.id, next);
    if (event) this.events.get(was.id)?.push(event);
    return true;
  }

  expand(was: RolloutRow, next: RolloutRow, devices: readonly RolloutDeviceRow[]): boolean {
    if (this.rollouts.get(was.id)?.revision !== was.revision) return false;
    const rows = this.#devicesOf(was.id);
    for (const device of devices) {
      const key = keyOf(device);
      if (rows.rows.has(key)) throw new Error(`${key} is listed twice`);
      rows.set(key, device);
      this.#add(was.id, counterName(device.state, device.wave), 1);
    }
    this.rollouts.set(was.id, next);
    return true;
  }

  counts(id: string): Counts {
    return { ...this.#counts.get(id) };
  }

  find(rollout: string, order: string, thing: string): RolloutDeviceRow | undefined {
    return this.#devicesOf(rollout).rows.get(`${order}#${thing}`);
  }

  all(rollout: string): readonly RolloutDeviceRow[] {
    return [...this.#devicesOf(rollout).rows.values()];
  }

  page(rollout: string, after: string, limit: number): readonly RolloutDeviceRow[] {
    const rows = this.#devicesOf(rollout);
    return rows.between(after, 'z', limit).flatMap((key) => rows.rows.get(key) ?? []);
  }

  due(shard: string, until: number, limit: number): readonly RolloutDeviceRow[] {
    const rows = [...(this.#due.get(shard)?.values() ?? [])].filter(({ dueAt = 0 }) => dueAt <= until);
    return rows.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0)).slice(0, limit);
  }

  write(was: RolloutDeviceRow, next: RolloutDeviceRow, offer?: OfferChange): Written {
    const key = keyOf(was);
    const now = this.#devicesOf(was.rollout).rows.get(key);
    if (now?.revision !== was.revision) return 'raced';
    if (offer && !this.#offer(next, offer)) return 'held';
    const [from, to] = [counterName(was.state, was.wave), counterName(next.state, next.wave)];
    if (from !== to) {
      this.#add(was.rollout, from, -1);
      this.#add(was.rollout, to, 1);
    }
    this.#devicesOf(was.rollout).set(key, next);
    if (was.dueShard !== undefined) this.#due.get(was.dueShard)?.delete(`${was.rollout}${key}`);
    if (next.dueShard !== undefined) {
      const shard = this.#due.get(next.dueShard) ?? new Map<string, RolloutDeviceRow>();
      this.#due.set(next.dueShard, shard.set(`${was.rollout}${key}`, next));
    }
    return 'written';
  }

  offerLate({ thing, attempt, release, at }: LateOffer, abandonedBefore: number): boolean {
    const before = this.offers.get(thing);
    if (before && !isFree(before, undefined, abandonedBefore)) return false;
    const { product, version, counter, size } = release;
    const running = before?.running && { running: before.running };
    this.offers.set(thing, { ...running, attempt, product, version, counter, size, state: 'OFFERED', offeredAt: at });
    return true;
  }

  #offer(next: RolloutDeviceRow, change: OfferChange): boolean {
    const before = this.offers.get(next.thing);
    if ('state' in change) {
      if (before?.attempt !== next.attempt) return false;
      this.offers.set(next.thing, { ...before, state: change.state });
      return true;
    }
    const { product, version, counter, size } = change.take;
    if (before && !isFree(before, change.previous, change.abandonedBefore)) return false;
    if ((before?.running?.counter ?? -1) >= counter) return false;
    const running = before?.running && { running: before.running };
    this.offers.set(next.thing, {
      ...running,
      ...{ rollout: next.rollout, order: next.order, product, version, counter, size },
      ...{ state: 'OFFERED', offeredAt: next.changedAt },
      ...(next.attempt !== undefined && { attempt: next.attempt }),
    });
    return true;
  }

  #devicesOf(rollout: string): Sorted<RolloutDeviceRow> {
    const rows = this.#devices.get(rollout) ?? new Sorted<RolloutDeviceRow>();
    this.#devices.set(rollout, rows);
    return rows;
  }

  #add(rollout: string, name: string, difference: number): void {
    const counts = this.#counts.get(rollout) ?? {};
    counts[name] = (counts[name] ?? 0) + difference;
    this.#counts.set(rollout, counts);
  }
}

/** What stands between the prefix and the end of its sort key. */
function keyOf({ order, thing }: RolloutDeviceRow): string {
  return `${order}#${thing}`;
}

function isFree(
  { state, attempt, rollout, offeredAt = 0 }: FirmwareDeviceRow,
  previous: string | undefined,
  abandonedBefore: number,
): boolean {
  if (previous !== undefined && attempt === previous) return true;
  return state !== 'OFFERED' || (rollout === undefined && offeredAt < abandonedBefore);
}
