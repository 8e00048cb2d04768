/**
 * A world with rollouts and devices that are updated, with what AWS may do: messages twice, late and in the wrong order, an index
 * that lags, presence that is late, calls that fail, functions that die between any two calls. Each call of a port takes time, so
 * that invocations overlap. It knows what devices really run, and watches every write.
 */
import type { RolloutRelease, RolloutRow, RolloutTick } from '@thingstead/contracts/rollout-store';
import { type NewRollout, UNDER_WAY } from '@thingstead/contracts/rollouts';
import { listShardOf } from '@thingstead/contracts/things';
import { createHandler } from '../../lambda/rollout-ticks/handler.ts';
import { create } from '../../lambda/rollouts/create.ts';
import { operate } from '../../lambda/rollouts/operate.ts';
import type { StatusPorts, TickPorts } from '../../lambda/rollouts/ports.ts';
import { isHarm, type Noise, QUIET } from '../support/harmed-world.ts';
import { PRODUCT, RolloutDevices, SECOND } from './rollout-devices.ts';

const YEAR_MS = 365 * 86_400 * SECOND;

export type AllPorts = TickPorts & StatusPorts;

export class RolloutWorld extends RolloutDevices {
  readonly releases = new Map<number, RolloutRelease & { state: string }>();
  readonly refused: string[] = [];
  current: number | undefined;
  ticks = 0;
  readonly #change: (ports: AllPorts) => AllPorts;

  constructor(noise: Noise = QUIET, change: (ports: AllPorts) => AllPorts = (ports) => ports) {
    super(noise);
    this.#change = change;
    for (const counter of [2, 3]) {
      this.releases.set(counter, {
        ...{ product: PRODUCT, version: `${counter}.0`, counter, minimumCounter: 1, hardwareRevisions: ['r1'] },
        ...{ size: 1000, expiresAt: this.now + YEAR_MS, state: 'PUBLISHED' },
      });
    }
  }

  /** Makes a rollout as an operator does: again when there was no answer. Undefined: it was refused. */
  async create(rollout: NewRollout): Promise<string | undefined> {
    for (;;) {
      try {
        const created = await create(rollout, 'mary', this.ports());
        return created.kind === 'created' ? created.rollout.id : undefined;
      } catch (error) {
        if (!isHarm(error)) throw error;
      }
    }
  }

  async operate(id: string, operation: Parameters<typeof operate>[1]): Promise<void> {
    try {
      await operate(id, operation, 'mary', this.ports());
    } catch (error) {
      if (!isHarm(error)) throw error;
    }
  }

  rollout(id: string): RolloutRow {
    const row = this.rows.rollouts.get(id);
    if (!row) throw new Error(`there is no rollout ${id}`);
    return row;
  }

  states(id: string): Record<string, number> {
    const states: Record<string, number> = {};
    for (const { state } of this.rows.all(id)) states[state] = (states[state] ?? 0) + 1;
    return states;
  }

  events(id: string): readonly string[] {
    return (this.rows.events.get(id) ?? []).map(({ kind }) => kind);
  }

  /** Nothing is left to come of a rollout. */
  isOver(id: string): boolean {
    return !this.rows.all(id).some(({ state }) => UNDER_WAY.includes(state)) && this.rollout(id).endedAt !== undefined;
  }

  protected isYanked(counter: number): boolean {
    return this.releases.get(counter)?.state === 'YANKED';
  }

  #tick(tick: RolloutTick, delayMs: number): void {
    this.must(delayMs >= 0 && delayMs <= 900 * SECOND, `a delay of ${delayMs} ms is not possible`);
    this.enqueue(tick, delayMs, (event) => {
      this.ticks += 1;
      return createHandler(this.ports())(event);
    });
  }

  // The ports of one invocation, in memory.

  protected ports(): AllPorts {
    const call = this.invocation();
    const { rows } = this;
    return this.#change({
      now: () => this.now,
      newId: (now) => this.newId(now),
      rollouts: {
        read: (id) => call(() => rows.rollouts.get(id)),
        create: (row, event) => call(() => rows.create(row, event)),
        advance: (was, next, event) => call(() => rows.advance(was, next, event)),
        expand: (was, next, devices) => call(() => rows.expand(was, next, devices)),
        counts: (id) => call(() => rows.counts(id)),
      },
      devices: {
        find: (rollout, order, thing) => call(() => rows.find(rollout, order, thing)),
        page: (rollout, after, limit) => call(() => rows.page(rollout, after, limit)),
        due: (shard, until, limit) => call(() => rows.due(shard, until, limit).filter(() => this.#isIndexed())),
        nextDueAt: (shard) => call(() => rows.due(shard, Number.MAX_SAFE_INTEGER, 1)[0]?.dueAt),
        write: (was, next, offer) => call(() => rows.write(was, next, offer)),
      },
      offers: {
        read: (thing) => call(() => rows.offers.get(thing)),
        readAll: (things) => call(() => new Map(things.flatMap((thing) => entry(thing, rows.offers.get(thing))))),
        recordLate: () => Promise.reject(new Error('no device is offered anything without a rollout here')),
      },
      shadows: {
        desire: (thing, desired) =>
          call(() => {
            this.desire(thing, desired);
            return true;
          }),
      },
      presences: {
        find: (thing) =>
          call(() => {
            const { conduct, connected, since, connections } = this.device(thing);
            return conduct === 'away' ? undefined : { connected, since, connections };
          }),
      },
      errors: { between: () => call(() => ({ count: 0, mean: 0 })) },
      releases: {
        find: (_, counter) => call(() => this.releases.get(counter)),
        makeCurrent: (_, counter) =>
          call(() => {
            this.current = Math.max(counter, this.current ?? 0);
          }),
      },
      lists: {
        names: ({ partition }, { from, to }, limit) =>
          call(() => {
            const names = [...this.devices.keys()].filter((name) => listShardOf(PRODUCT, name) === partition);
            return names
              .filter((name) => from <= name && name <= to)
              .sort()
              .slice(0, limit);
          }),
        rows: (things) => call(() => new Map(things.flatMap((thing) => entry(thing, this.thingRow(thing))))),
      },
      ticks: { send: (tick, delay) => call(() => this.#tick(tick, delay * SECOND)) },
      reports: {
        decided: () => {},
        changed: () => {},
        refused: ({ reason }) => this.refused.push(reason),
        late: () => {},
        failed: (_, error) => {
          // Copies of a tick get in each other's way; it comes again.
          const isContended = error instanceof Error && error.name === 'ContendedRolloutError';
          this.must(isContended || isHarm(error), error instanceof Error ? `${error.stack}` : String(error));
        },
      },
    });
  }

  /** False when the index does not show it yet. */
  #isIndexed(): boolean {
    return this.maxDelayMs === 0 || this.random() < 0.8;
  }
}

function entry<Row>(thing: string, row: Row | undefined): readonly [string, Row][] {
  return row === undefined ? [] : [[thing, row]];
}
