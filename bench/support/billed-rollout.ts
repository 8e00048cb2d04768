/** The rows of one rollout in memory, as few as possible, and what DynamoDB would charge for reading and writing them. */
import {
  counterName,
  type FirmwareDeviceRow,
  type RolloutDeviceRow,
  type RolloutEvent,
  type RolloutRow,
} from '@thingstead/contracts/rollout-store';
import type { OfferChange, Offers, RolloutDevices, Rollouts, Written } from '../../lambda/rollouts/ports.ts';
import { type Bill, itemBytes } from './bill.ts';
import { TimeQueue } from './time-queue.ts';

/** `pk` and `sk` with their names. */
const KEY_BYTES = 110;
/** A row of counts: a few numbers, with their names. */
const COUNTS_BYTES = 300;
const SHARDS = 16;

interface Due {
  readonly at: number;
  readonly key: string;
  readonly revision: number;
}

export class BilledRollout {
  row: RolloutRow | undefined;
  readonly events: RolloutEvent[] = [];
  readonly totals: Record<string, number> = {};
  /** Devices whose rows were looked at or written since this was set to 0. */
  touched = 0;
  readonly #bill: Bill;
  /** Keys of those that are PENDING; their rows are all alike. */
  readonly #pending: string[] = [];
  #isSorted = true;
  #template: RolloutDeviceRow | undefined;
  /** Those that are under way. What has ended is in the counts alone. */
  readonly #active = new Map<string, RolloutDeviceRow>();
  readonly #offers = new Map<string, FirmwareDeviceRow>();
  readonly #due = new TimeQueue<Due>();

  constructor(bill: Bill) {
    this.#bill = bill;
  }

  readonly rollouts: Rollouts = {
    read: async () => {
      this.#bill.read(itemBytes(this.row ?? {}) + KEY_BYTES);
      return this.row;
    },
    create: async (row, event) => {
      this.#put(row, event);
      return true;
    },
    advance: async (was, next, event) => {
      if (this.row?.revision !== was.revision) return false;
      this.#put(next, event);
      return true;
    },
    expand: async (was, next, devices) => {
      if (this.row?.revision !== was.revision) return false;
      this.row = next;
      this.touched += devices.length;
      for (const device of devices) {
        this.#bill.write(itemBytes(device) + KEY_BYTES, true);
        this.#count(counterName(device.state, undefined), 1);
        if (device.state !== 'PENDING') continue;
        this.#pending.push(keyOf(device));
        this.#template ??= device;
      }
      this.#isSorted = false;
      this.#bill.write(itemBytes(next) + KEY_BYTES, true);
      if (devices.length > 0) this.#bill.write(COUNTS_BYTES, true);
      return true;
    },
    counts: async () => {
      this.#bill.read(SHARDS * COUNTS_BYTES);
      return { ...this.totals };
    },
  };

  readonly devices: RolloutDevices = {
    find: async (_, order, thing) => {
      const row = this.#active.get(`${order}#${thing}`);
      this.#bill.read(itemBytes(row ?? {}) + KEY_BYTES);
      return row;
    },
    page: async (_, after, limit) => {
      if (!this.#isSorted) this.#pending.sort();
      this.#isSorted = true;
      const rows = this.#pageAt(this.#beyond(after), limit);
      this.#bill.read(rows.reduce((sum, row) => sum + itemBytes(row) + KEY_BYTES, 0));
      this.touched += rows.length;
      return rows;
    },
    due: async (_, until, limit) => {
      const taken: Due[] = [];
      const rows: RolloutDeviceRow[] = [];
      while (rows.length < limit && (this.#due.first?.at ?? Number.POSITIVE_INFINITY) <= until) {
        const due = this.#due.pop();
        const row = due && this.#active.get(due.key);
        if (!due || row?.revision !== due.revision) continue;
        taken.push(due);
        rows.push(row);
      }
      // They stay in the index until they are written.
      for (const due of taken) this.#due.push(due);
      this.#bill.read(rows.length * KEY_BYTES, false);
      for (const row of rows) this.#bill.read(itemBytes(row) + KEY_BYTES);
      this.touched += rows.length;
      return rows;
    },
    nextDueAt: async () => {
      this.#bill.read(KEY_BYTES, false);
      return this.#due.first?.at;
    },
    write: async (was, next, offer) => this.#write(was, next, offer),
  };

  readonly offers: Pick<Offers, 'read' | 'readAll' | 'recordLate'> = {
    read: async (thing) => {
      const row = this.#offers.get(thing);
      this.#bill.read(itemBytes(row ?? {}) + KEY_BYTES);
      return row;
    },
    readAll: async (things) => {
      for (const _ of things) this.#bill.read(KEY_BYTES);
      return new Map();
    },
    recordLate: () => Promise.reject(new Error('all are in the rollout')),
  };

  #write(was: RolloutDeviceRow, next: RolloutDeviceRow, offer: OfferChange | undefined): Written {
    const key = keyOf(was);
    const now = this.#active.get(key);
    if ((now?.revision ?? 0) !== was.revision) return 'raced';
    const [from, to] = [counterName(was.state, was.wave), counterName(next.state, next.wave)];
    const isTransaction = offer !== undefined || from !== to;
    this.#bill.write(Math.max(itemBytes(was), itemBytes(next)) + KEY_BYTES, isTransaction);
    if (from !== to) {
      this.#bill.write(COUNTS_BYTES, true);
      this.#count(from, -1);
      this.#count(to, 1);
    }
    if (offer) this.#offer(next, offer);
    this.#index(key, was, next);
    if (next.dueAt === undefined) this.#active.delete(key);
    else this.#active.set(key, next);
    return 'written';
  }

  #offer(next: RolloutDeviceRow, offer: OfferChange): void {
    const before = this.#offers.get(next.thing);
    const row: FirmwareDeviceRow =
      'take' in offer
        ? {
            ...{ rollout: next.rollout, order: next.order, state: 'OFFERED', offeredAt: next.changedAt },
            ...{ product: offer.take.product, version: offer.take.version, counter: offer.take.counter },
            ...(next.attempt !== undefined && { attempt: next.attempt }),
            size: offer.take.size,
          }
        : { ...before, state: offer.state };
    this.#bill.write(itemBytes(row) + KEY_BYTES, true);
    if (row.state === 'OFFERED') this.#offers.set(next.thing, row);
    else this.#offers.delete(next.thing);
  }

  #index(key: string, was: RolloutDeviceRow, next: RolloutDeviceRow): void {
    if (was.dueAt !== next.dueAt)
      this.#bill.index((was.dueAt === undefined ? 0 : 1) + (next.dueAt === undefined ? 0 : 1));
    if (next.dueAt !== undefined) this.#due.push({ at: next.dueAt, key, revision: next.revision });
  }

  #pageAt(begin: number, limit: number): RolloutDeviceRow[] {
    const template = this.#template;
    if (!template) return [];
    return this.#pending.slice(begin, begin + limit).map((key) => {
      const [order = '', thing = ''] = key.split('#');
      return this.#active.get(key) ?? { ...template, order, thing };
    });
  }

  #beyond(place: string): number {
    let [low, high] = [0, this.#pending.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pending[middle] ?? '') <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #put(row: RolloutRow, event: RolloutEvent | undefined): void {
    this.row = row;
    this.#bill.write(itemBytes(row) + KEY_BYTES, event !== undefined);
    if (!event) return;
    this.events.push(event);
    this.#bill.write(itemBytes(event) + KEY_BYTES, true);
  }

  #count(name: string, difference: number): void {
    this.totals[name] = (this.totals[name] ?? 0) + difference;
  }
}

function keyOf({ order, thing }: RolloutDeviceRow): string {
  return `${order}#${thing}`;
}
