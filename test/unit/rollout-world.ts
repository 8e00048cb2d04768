/**
 * A world with rollouts and devices that are updated, with what AWS may do: messages twice, late and in the wrong order, an index
 * that lags, presence that is late, calls that fail, functions that die between any two calls. Each call of a port takes time, so
 * that invocations overlap. It knows what devices really run, and watches every write.
 */
import type { DesiredFirmware, FirmwareRequest, UpdateState } from '@thingstead/contracts/firmware';
import type {
  RolloutDeviceRow,
  RolloutEvent,
  RolloutRelease,
  RolloutRow,
  RolloutTick,
} from '@thingstead/contracts/rollout-store';
import { type NewRollout, UNDER_WAY } from '@thingstead/contracts/rollouts';
import { listShardOf, type ThingRow } from '@thingstead/contracts/things';
import { ulidOf } from '@thingstead/contracts/ulid';
import type { SQSEvent } from 'aws-lambda';
import { createHandler } from '../../lambda/rollout-ticks/handler.ts';
import { create } from '../../lambda/rollouts/create.ts';
import { operate } from '../../lambda/rollouts/operate.ts';
import type { StatusPorts, TickPorts } from '../../lambda/rollouts/ports.ts';
import { onStatus } from '../../lambda/rollouts/status.ts';
import { RolloutRows } from '../support/rollout-rows.ts';
import { seededRandom } from '../support/seeded-random.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
const START = Date.UTC(2026, 10, 21);
const VISIBILITY_MS = 180 * SECOND;
const MAX_RECEIVES = 5;
const MAX_COPY_MS = 60 * SECOND;
const MAX_CALL_MS = 100;
/** Ticks that had begun may go on for so long after a rollout has been stopped. */
const OVERLAP_MS = 60 * SECOND;
export const PRODUCT = 'lamp';

export interface Noise {
  readonly seed: number;
  /** Longest delay of a message, of presence, and of the index. */
  readonly maxDelayMs: number;
  /** Probabilities: that a message comes twice; that a call fails, with or without effect; that the function dies at it. */
  readonly duplicate: number;
  readonly fail: number;
  readonly crash: number;
}

export const QUIET: Noise = { seed: 1, maxDelayMs: 0, duplicate: 0, fail: 0, crash: 0 };

export type AllPorts = TickPorts & StatusPorts;

/** What a device makes of an update. `late`: it is away for hours. */
export type Conduct = 'updates' | 'fails' | 'rolls-back' | 'stalls' | 'mute' | 'away' | 'late' | 'restless';

class CrashError extends Error {}
export class FailedCallError extends Error {}

export interface Device {
  conduct: Conduct;
  connected: boolean;
  since: number;
  connections: number;
  /** Of what it runs. */
  counter: number;
  desired: DesiredFirmware | undefined;
  /** The attempt it has taken up last. */
  attempt: string | undefined;
  /** Releases that it has really committed, by attempt. */
  readonly committed: Set<string>;
}

export class RolloutWorld {
  now = START;
  readonly rows = new RolloutRows();
  readonly devices = new Map<string, Device>();
  readonly releases = new Map<number, RolloutRelease & { state: string }>();
  readonly violations: string[] = [];
  readonly deadLetters: (() => void)[] = [];
  readonly starts: { readonly at: number; readonly rollout: string }[] = [];
  readonly refused: string[] = [];
  current: number | undefined;
  ticks = 0;
  readonly #stopped = new Map<string, number>();
  readonly #due: { at: number; order: number; run: () => void }[] = [];
  readonly #change: (ports: AllPorts) => AllPorts;
  #noise: Noise;
  #order = 0;
  #random: () => number;

  constructor(noise: Noise = QUIET, change: (ports: AllPorts) => AllPorts = (ports) => ports) {
    this.#noise = noise;
    this.#random = seededRandom(noise.seed);
    this.#change = change;
    for (const counter of [2, 3]) {
      this.releases.set(counter, {
        ...{ product: PRODUCT, version: `${counter}.0`, counter, minimumCounter: 1, hardwareRevisions: ['r1'] },
        ...{ size: 1000, expiresAt: START + 365 * 86_400_000, state: 'PUBLISHED' },
      });
    }
  }

  // What happens.

  add(thing: string, conduct: Conduct): Device {
    const isAway = conduct === 'away' || conduct === 'late';
    const device: Device = {
      ...{ conduct, connected: !isAway, since: START, connections: 1, counter: 1 },
      ...{ desired: undefined, attempt: undefined, committed: new Set<string>() },
    };
    this.devices.set(thing, device);
    if (conduct === 'late') this.#schedule((2 + this.#random() * 6) * 60 * MINUTE, () => this.connect(thing));
    return device;
  }

  connect(thing: string): void {
    const device = this.device(thing);
    Object.assign(device, { connected: true, since: this.now, connections: device.connections + 1 });
    this.#look(thing);
  }

  disconnect(thing: string): void {
    this.device(thing).connected = false;
  }

  /** Makes a rollout as an operator does: again when there was no answer. Undefined: it was refused. */
  async create(rollout: NewRollout): Promise<string | undefined> {
    for (;;) {
      try {
        const created = await create(rollout, 'mary', this.#ports());
        return created.kind === 'created' ? created.rollout.id : undefined;
      } catch (error) {
        if (!(error instanceof CrashError || error instanceof FailedCallError)) throw error;
      }
    }
  }

  async operate(id: string, operation: Parameters<typeof operate>[1]): Promise<void> {
    try {
      await operate(id, operation, 'mary', this.#ports());
    } catch (error) {
      if (!(error instanceof CrashError || error instanceof FailedCallError)) throw error;
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

  /** Resolves when so much time has passed. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#schedule(ms, resolve));
  }

  /** Runs everything that is due until then. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    await settle();
    for (;;) {
      const next = this.#next(end);
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      next.run();
      await settle();
    }
    this.now = end;
  }

  /** Waits for it, with the world running. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = work.finally(() => (isOver = true));
    over.catch(() => {});
    while (!isOver) await this.run(SECOND);
    return over;
  }

  /** Ends all harm; the operator moves back what is in the queues of failures. */
  calm(): void {
    this.#noise = { ...QUIET, seed: this.#noise.seed };
    for (const again of this.deadLetters.splice(0)) again();
  }

  /** What has to be true at any time between two calls. */
  check(): void {
    const held = new Map<string, string>();
    for (const id of this.rows.rollouts.keys()) {
      const counted: Record<string, number> = {};
      for (const row of this.rows.all(id)) {
        const name = row.wave === undefined ? row.state : `${row.wave}#${row.state}`;
        counted[name] = (counted[name] ?? 0) + 1;
        if (!['NOTIFIED', 'UPDATING', 'SOAKING'].includes(row.state)) continue;
        this.#must(!held.has(row.thing), `${row.thing} is in ${held.get(row.thing)} and in ${id}`);
        held.set(row.thing, id);
        this.#must(this.rows.offers.get(row.thing)?.attempt === row.attempt, `${row.thing} is offered something else`);
      }
      const counts = this.rows.counts(id);
      for (const name of new Set([...Object.keys(counts), ...Object.keys(counted)])) {
        this.#must(
          (counts[name] ?? 0) === (counted[name] ?? 0),
          `${counts[name]} are counted as ${name}, there are ${counted[name]}`,
        );
      }
    }
  }

  /** Nothing is left to come of a rollout. */
  isOver(id: string): boolean {
    return !this.rows.all(id).some(({ state }) => UNDER_WAY.includes(state)) && this.rollout(id).endedAt !== undefined;
  }

  // Devices.

  device(thing: string): Device {
    const device = this.devices.get(thing);
    if (!device) throw new Error(`there is no device ${thing}`);
    return device;
  }

  /** A device sees what is desired of it: at once, or when it connects. */
  #look(thing: string): void {
    const device = this.device(thing);
    const { desired } = device;
    if (!device.connected || !desired || desired.attempt === device.attempt || desired.cancelled) return;
    if (device.conduct === 'mute') return;
    device.attempt = desired.attempt;
    const after = (ms: number, run: () => void): void => {
      this.#schedule(ms, () => {
        if (device.attempt === desired.attempt) run();
      });
    };
    after(this.#random() * 5 * SECOND, () => this.#download(thing, desired));
  }

  #download(thing: string, desired: DesiredFirmware): void {
    const device = this.device(thing);
    const offer = this.rows.offers.get(thing);
    const state = this.rows.rollouts.get(offer?.rollout ?? '')?.state;
    const isInForce = offer?.attempt === desired.attempt && offer.state !== 'ENDED' && state !== 'ABORTED';
    if (isInForce && state === 'PAUSED') this.#schedule(30 * SECOND, () => this.#download(thing, desired));
    else if (!isInForce) this.#say(thing, desired, 'FAILED', { failure: 'no-grant' });
    else if (device.conduct === 'fails') this.#say(thing, desired, 'FAILED', { failure: 'hash-mismatch' });
    else {
      this.#say(thing, desired, 'DOWNLOADING');
      if (device.conduct !== 'stalls') {
        this.#schedule(this.#random() * 3 * MINUTE, () => this.#install(thing, desired));
      }
    }
  }

  #install(thing: string, desired: DesiredFirmware): void {
    const device = this.device(thing);
    if (device.attempt !== desired.attempt) return;
    if (device.desired?.attempt === desired.attempt && device.desired.cancelled) {
      this.#say(thing, desired, 'FAILED', { failure: 'cancelled' });
      return;
    }
    this.#say(thing, desired, 'RESTARTING');
    this.#schedule(MINUTE, () => {
      if (device.conduct === 'rolls-back') this.#say(thing, desired, 'ROLLED_BACK', { failure: 'does-not-start' });
      else if (device.counter < desired.counter) this.#commit(thing, desired);
    });
  }

  #commit(thing: string, desired: DesiredFirmware): void {
    const device = this.device(thing);
    device.counter = desired.counter;
    device.committed.add(desired.attempt);
    const before = this.rows.offers.get(thing);
    const running = { product: PRODUCT, version: desired.version, counter: desired.counter, at: this.now };
    if (before) this.rows.offers.set(thing, { ...before, running });
    this.#say(thing, desired, 'COMMITTED');
    if (device.conduct !== 'restless') return;
    for (let n = 1; n < 9; n += 1) this.#schedule(n * 20 * SECOND, () => this.connect(thing));
  }

  /** Until it is answered. */
  #say(thing: string, { attempt, version, counter }: DesiredFirmware, state: UpdateState, more: object = {}): void {
    const status = { type: 'status', state, version, counter, ...more } as Extract<FirmwareRequest, { type: 'status' }>;
    let isAnswered = false;
    const once = (): void => {
      this.#later(() => {
        onStatus({ thing, attempt }, status, this.#ports()).then(
          () => (isAnswered = true),
          (error) => {
            if (
              !(error instanceof CrashError || error instanceof FailedCallError) &&
              error.name !== 'ContendedDeviceError'
            )
              this.violations.push(String(error));
          },
        );
      });
    };
    const repeat = (): void => {
      if (isAnswered) return;
      for (let copy = 0; copy < this.#copies(); copy += 1) once();
      this.#schedule(MINUTE, repeat);
    };
    repeat();
  }

  // As AWS does it.

  #enqueue(tick: RolloutTick, delayMs: number): void {
    this.#must(delayMs >= 0 && delayMs <= 900 * SECOND, `a delay of ${delayMs} ms is not possible`);
    this.#schedule(delayMs, () => this.#deliver(tick, 1));
    if (this.#copies() > 1) this.#schedule(delayMs + this.#random() * MAX_COPY_MS, () => this.#deliver(tick, 1));
  }

  #deliver(tick: RolloutTick, receives: number): void {
    this.ticks += 1;
    const again = (): void => {
      if (receives < MAX_RECEIVES) this.#schedule(VISIBILITY_MS, () => this.#deliver(tick, receives + 1));
      else this.deadLetters.push(() => this.#deliver(tick, 1));
    };
    // Only what the handler reads of a record is there.
    const event = { Records: [{ messageId: '1', body: JSON.stringify(tick) }] } as unknown as SQSEvent;
    void createHandler(this.#ports())(event).then((answer) => {
      if (answer.batchItemFailures.length > 0) again();
    }, again);
  }

  #watch(was: RolloutDeviceRow, next: RolloutDeviceRow): void {
    const { thing, rollout } = next;
    if (was.state === next.state) return;
    const device = this.device(thing);
    if (next.state === 'SUCCEEDED') {
      this.#must(device.committed.has(next.attempt ?? ''), `${thing} is SUCCEEDED, and has not committed`);
    }
    const ends = ['SUCCEEDED', 'SKIPPED', 'CANCELLED'];
    this.#must(!ends.includes(was.state), `${thing} went from ${was.state} to ${next.state}`);
    if (was.state === 'PENDING' && next.state === 'NOTIFIED') {
      this.starts.push({ at: this.now, rollout });
      const stopped = this.#stopped.get(rollout);
      this.#must(stopped === undefined || this.now < stopped + OVERLAP_MS, `${thing} was started after the end`);
    }
    if (was.state === 'NOTIFIED' && ['TIMED_OUT', 'UNREACHED'].includes(next.state)) {
      this.#must(device.desired?.attempt === was.attempt, `${thing} is ${next.state}, and was never told`);
    }
    if (next.state === 'UNREACHED')
      this.#must(!device.connected || next.changedAt < this.now, `${thing} is connected, and UNREACHED`);
  }

  #advanced(was: RolloutRow, next: RolloutRow, event: RolloutEvent | undefined): void {
    if (next.state === was.state) return;
    if (next.state === 'RUNNING') this.#stopped.delete(next.id);
    else if (was.state === 'RUNNING') this.#stopped.set(next.id, this.now);
    this.#must(event !== undefined, `${next.id} is ${next.state}, and nobody says why`);
    this.#must(was.state !== 'ABORTED', `${next.id} went from ABORTED to ${next.state}`);
  }

  #must(holds: boolean, otherwise: string): void {
    if (!holds) this.violations.push(otherwise);
  }

  // The ports of one invocation, in memory.

  #ports(): AllPorts {
    let dead = false;
    const call = async <Result>(effect: () => Result): Promise<Result> => {
      // Who is dead does nothing more, whatever it catches.
      if (dead) throw new CrashError();
      const [crashes, fails] = [this.#chance(this.#noise.crash), this.#chance(this.#noise.fail)];
      const before = this.#random() < 0.5;
      await this.pause(1 + this.#random() * MAX_CALL_MS);
      dead ||= crashes;
      if ((crashes || fails) && before) throw crashes ? new CrashError() : new FailedCallError();
      const result = effect();
      if (crashes || fails) throw crashes ? new CrashError() : new FailedCallError();
      return result;
    };
    const { rows } = this;
    return this.#change({
      now: () => this.now,
      newId: (now) =>
        ulidOf(
          now,
          new Uint8Array(10).map(() => Math.floor(this.#random() * 256)),
        ),
      rollouts: {
        read: (id) => call(() => rows.rollouts.get(id)),
        create: (row, event) => call(() => rows.create(row, event)),
        advance: (was, next, event) =>
          call(() => {
            const before = rows.rollouts.get(was.id);
            const isDone = rows.advance(was, next, event);
            if (isDone && before) this.#advanced(before, next, event);
            return isDone;
          }),
        expand: (was, next, devices) => call(() => rows.expand(was, next, devices)),
        counts: (id) => call(() => rows.counts(id)),
      },
      devices: {
        find: (rollout, order, thing) => call(() => rows.find(rollout, order, thing)),
        page: (rollout, after, limit) => call(() => rows.page(rollout, after, limit)),
        due: (shard, until, limit) => call(() => rows.due(shard, until, limit).filter(() => this.#isIndexed())),
        nextDueAt: (shard) => call(() => rows.due(shard, Number.MAX_SAFE_INTEGER, 1)[0]?.dueAt),
        write: (was, next, offer) =>
          call(() => {
            const written = rows.write(was, next, offer);
            if (written === 'written') this.#watch(was, next);
            return written;
          }),
      },
      offers: {
        read: (thing) => call(() => rows.offers.get(thing)),
        readAll: (things) => call(() => new Map(things.flatMap((thing) => entry(thing, rows.offers.get(thing))))),
        recordLate: () => Promise.reject(new Error('no device is offered anything without a rollout here')),
      },
      shadows: {
        desire: (thing, desired) =>
          call(() => {
            this.device(thing).desired = desired;
            this.#later(() => this.#look(thing));
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
        rows: (things) => call(() => new Map(things.flatMap((thing) => entry(thing, this.#thingRow(thing))))),
      },
      ticks: { send: (tick, delay) => call(() => this.#enqueue(tick, delay * SECOND)) },
      reports: {
        decided: () => {},
        changed: () => {},
        refused: ({ reason }) => this.refused.push(reason),
        late: () => {},
        failed: (_, error) => {
          // Copies of a tick get in each other's way; it comes again.
          const isContended = error instanceof Error && error.name === 'ContendedRolloutError';
          const isHarm = isContended || error instanceof CrashError || error instanceof FailedCallError;
          this.#must(isHarm, error instanceof Error ? `${error.stack}` : String(error));
        },
      },
    });
  }

  #thingRow(thing: string): ThingRow | undefined {
    const device = this.devices.get(thing);
    return (
      device && {
        ...{ pk: thing, thingType: PRODUCT, hardwareRevision: 'r1', firmwareVersion: `${device.counter}.0` },
        presence: { connected: device.connected, since: device.since },
      }
    );
  }

  /** False when the index does not show it yet. */
  #isIndexed(): boolean {
    return this.#noise.maxDelayMs === 0 || this.#random() < 0.8;
  }

  #copies(): number {
    return this.#chance(this.#noise.duplicate) ? 2 : 1;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #later(run: () => void): void {
    this.#schedule(this.#random() * this.#noise.maxDelayMs, run);
  }

  #schedule(delayMs: number, run: () => void): void {
    this.#due.push({ at: this.now + Math.round(delayMs), order: this.#order, run });
    this.#order += 1;
  }

  #next(end: number): { readonly at: number; readonly run: () => void } | undefined {
    let first = -1;
    for (const [index, { at, order }] of this.#due.entries()) {
      const best = this.#due[first];
      if (at <= end && (!best || at < best.at || (at === best.at && order < best.order))) first = index;
    }
    return first < 0 ? undefined : this.#due.splice(first, 1)[0];
  }
}

function entry<Row>(thing: string, row: Row | undefined): readonly [string, Row][] {
  return row === undefined ? [] : [[thing, row]];
}

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
