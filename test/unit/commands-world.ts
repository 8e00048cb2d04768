/**
 * A world in which people give commands and devices come and go, with what AWS may do: messages twice, late and in the wrong
 * order, an index that lags, presence that is late, calls that fail, functions that die between any two calls. Each call of a
 * port takes time, so that invocations overlap. It knows what devices have really done, and watches every write.
 */
import type { SQSEvent } from 'aws-lambda';
import type { CommandRow, CommandTick, IdempotencyRow } from '../../contracts/src/command-store.ts';
import type { CommandMessage, CommandOutcome, CommandState } from '../../contracts/src/commands.ts';
import { ulidOf } from '../../contracts/src/ulid.ts';
import { createHandler } from '../../lambda/command-deliveries/handler.ts';
import type { Ports as DeliveriesPorts } from '../../lambda/command-deliveries/ports.ts';
import { type Given, give } from '../../lambda/commands/give.ts';
import type { Ports as CommandsPorts } from '../../lambda/commands/ports.ts';

export const SECOND = 1000;
const START = Date.UTC(2026, 10, 21);
const VISIBILITY_MS = 180 * SECOND;
const MAX_RECEIVES = 5;
/** A copy of a message may come so much later. */
const MAX_COPY_MS = 60 * SECOND;
/** Lambda tries what it was called with asynchronously again after one minute and after two. */
const ASYNC_RETRIES_MS = [60 * SECOND, 120 * SECOND];
const MAX_CALL_MS = 100;
/** What a check of the access, all that a request does next, and a publish take together, at most. */
const REVOKED_FOR_SURE_MS = 30 * MAX_CALL_MS;

export interface Noise {
  readonly seed: number;
  /** Longest delay of a message, and of presence. */
  readonly maxDelayMs: number;
  /** Probabilities: that a message comes twice; that a call fails, with or without effect; that the function dies at it. */
  readonly duplicate: number;
  readonly fail: number;
  readonly crash: number;
}

export const QUIET: Noise = { seed: 1, maxDelayMs: 0, duplicate: 0, fail: 0, crash: 0 };

export type AllPorts = DeliveriesPorts & CommandsPorts;

/** What a device makes of a command: it says so after a while, or never. */
export type Conduct = 'executes' | 'rejects' | 'fails' | 'begins' | 'mute';

class CrashError extends Error {}
class FailedCallError extends Error {}

interface Device {
  connected: boolean;
  /** As presence has it. */
  known: boolean;
  conduct: Conduct;
  /** Commands that it knows, and what it last said of them. */
  readonly said: Map<string, CommandOutcome>;
  readonly executed: string[];
}

export class CommandsWorld {
  now = START;
  readonly rows = new Map<string, CommandRow>();
  readonly keys = new Map<string, IdempotencyRow>();
  readonly violations: string[] = [];
  readonly accepted: CommandRow[] = [];
  readonly deadLetters: (() => void)[] = [];
  /** How often ticks were handled, by command. */
  readonly ticks = new Map<string, number>();
  readonly refused: string[] = [];
  readonly #devices = new Map<string, Device>();
  readonly #revoked = new Map<string, number>();
  readonly #indexed = new Map<string, { readonly at: number; readonly waiting: boolean }>();
  readonly #due: { at: number; order: number; run: () => void }[] = [];
  readonly #change: (ports: AllPorts) => AllPorts;
  #noise: Noise;
  #order = 0;
  #random: () => number;

  constructor(noise: Noise = QUIET, change: (ports: AllPorts) => AllPorts = (ports) => ports) {
    this.#noise = noise;
    this.#random = mulberry32(noise.seed);
    this.#change = change;
  }

  // What happens.

  device(thing: string): Device {
    const device = this.#devices.get(thing) ?? {
      ...{ connected: false, known: false, conduct: 'executes' as const, said: new Map(), executed: [] },
    };
    this.#devices.set(thing, device);
    return device;
  }

  connect(thing: string, announces = true): void {
    const device = this.device(thing);
    device.connected = true;
    this.#later(() => (device.known = device.connected));
    if (announces) this.#say(thing, 'pending', '{}');
  }

  disconnect(thing: string): void {
    const device = this.device(thing);
    device.connected = false;
    this.#later(() => (device.known = device.connected));
  }

  /** The person loses the thing for good. */
  revoke(person: string, thing: string): void {
    this.#revoked.set(`${person} ${thing}`, this.now);
  }

  /** Gives a command as an app does: again with the same key when there was no answer, a few times. */
  give(request: Parameters<typeof give>[0], attempts = 4): void {
    // The access is checked before, for each request.
    if (request.authority === 'grant' && this.#revoked.has(`${request.person} ${request.thing}`)) return;
    const ports = this.#ports();
    void give(request, ports).then(
      (given) => this.#answered(given, request.key),
      (error) => {
        if (!(error instanceof CrashError || error instanceof FailedCallError)) throw error;
        if (attempts > 1) this.#schedule(SECOND, () => this.give(request, attempts - 1));
      },
    );
  }

  say(thing: string, command: string, outcome: CommandOutcome): void {
    this.#say(thing, command, JSON.stringify(outcome));
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
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!next) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.run();
      await settle();
    }
    this.now = end;
  }

  /** Ends all harm; the operator moves back what is in the queues of failures. */
  calm(): void {
    this.#noise = { ...QUIET, seed: this.#noise.seed };
    for (const again of this.deadLetters.splice(0)) again();
  }

  // As AWS does it.

  #answered(given: Given, key: string): void {
    if (given.kind !== 'accepted') return;
    const before = this.accepted.find(({ id }) => id === given.command.id);
    if (!before) this.accepted.push(given.command);
    const known = [...this.keys].find(([name]) => name === key)?.[1].id;
    this.#must(known === given.command.id, `key ${key} has ${known}, the answer was ${given.command.id}`);
  }

  #publish(thing: string, message: CommandMessage): void {
    const row = this.rows.get(message.id);
    this.#must(row !== undefined, `${message.id} was published before it was stored`);
    const revoked = row && row.authority === 'grant' ? this.#revoked.get(`${row.givenBy} ${thing}`) : undefined;
    this.#must(
      revoked === undefined || row?.state === 'DELIVERED' || this.now < revoked + REVOKED_FOR_SURE_MS,
      `${message.id} was published ${this.now - (revoked ?? 0)} ms after the access had ended`,
    );
    for (let copy = 0; copy < this.#copies(); copy += 1) this.#later(() => this.#receive(thing, message));
  }

  #receive(thing: string, { id, expiresAt }: CommandMessage): void {
    const device = this.device(thing);
    if (!device.connected || device.conduct === 'mute') return;
    const before = device.said.get(id);
    if (before) {
      this.say(thing, id, before);
      return;
    }
    const tell = (outcome: CommandOutcome): void => {
      device.said.set(id, outcome);
      this.say(thing, id, outcome);
    };
    if (this.now > expiresAt || device.conduct === 'rejects') {
      tell({ state: 'REJECTED' });
      return;
    }
    tell({ state: 'DELIVERED' });
    if (device.conduct === 'begins') return;
    this.#schedule(this.#random() * 90 * SECOND, () => {
      device.executed.push(id);
      tell({ state: device.conduct === 'fails' ? 'FAILED' : 'EXECUTED' });
    });
  }

  #say(thing: string, command: string, text: string): void {
    const event = { thing, command, at: this.now, payload: Buffer.from(text).toString('base64') };
    for (let copy = 0; copy < this.#copies(); copy += 1) this.#later(() => this.#invoke(event, 0));
  }

  /** Asynchronously: two more attempts, then the queue of failures. */
  #invoke(event: unknown, attempt: number): void {
    createHandler(this.#ports())(event).catch(() => {
      const again = (): void => this.#invoke(event, attempt + 1);
      const delay = ASYNC_RETRIES_MS[attempt];
      if (delay === undefined) this.deadLetters.push(() => this.#invoke(event, 0));
      else this.#schedule(delay, again);
    });
  }

  #enqueue(tick: CommandTick, delayMs: number): void {
    this.#schedule(delayMs, () => this.#deliver(tick, 1));
    if (this.#copies() > 1) this.#schedule(delayMs + this.#random() * MAX_COPY_MS, () => this.#deliver(tick, 1));
  }

  #deliver(tick: CommandTick, receives: number): void {
    this.ticks.set(tick.id, (this.ticks.get(tick.id) ?? 0) + 1);
    const again = (): void => {
      if (receives < MAX_RECEIVES) this.#schedule(VISIBILITY_MS, () => this.#deliver(tick, receives + 1));
      else this.deadLetters.push(() => this.#deliver(tick, 1));
    };
    // Only what the handler reads of a record is there.
    const event = { Records: [{ messageId: '1', body: JSON.stringify(tick) }] } as unknown as SQSEvent;
    void createHandler(this.#ports())(event).then((answer) => {
      if ((answer?.batchItemFailures ?? []).length > 0) again();
    }, again);
  }

  #write(id: string, change: Partial<CommandRow>, now: CommandRow): boolean {
    const next = { ...now, ...change };
    if (next.state !== now.state) this.#watch(now, next);
    this.rows.set(id, next);
    const waiting = ['QUEUED', 'SENT', 'DELIVERED'].includes(next.state);
    this.#indexed.set(id, { at: this.now + this.#delay(), waiting });
    return true;
  }

  #watch(before: CommandRow, { id, thing, state, reason, voidAt }: CommandRow): void {
    const order: readonly CommandState[] = ['QUEUED', 'SENT', 'DELIVERED'];
    const [from, to] = [order.indexOf(before.state), order.indexOf(state)];
    this.#must(from >= 0 && (to < 0 || to > from), `${id} went from ${before.state} to ${state}`);
    const said = this.device(thing).said.get(id)?.state;
    if (state === 'EXECUTED' || state === 'FAILED') {
      this.#must(this.device(thing).executed.includes(id), `${id} is ${state}, and the device said ${said}`);
    }
    if (state === 'DELIVERED' || state === 'REJECTED') this.#must(said !== undefined, `${id} is ${state} by itself`);
    if (state === 'EXPIRED' && reason === undefined) {
      const end = voidAt + (before.state === 'DELIVERED' ? 60 * SECOND : 0);
      this.#must(this.now >= end, `${id} expired ${end - this.now} ms early`);
    }
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
    const change = (id: string, holds: (row: CommandRow) => boolean, members: Partial<CommandRow>): boolean => {
      const row = this.rows.get(id);
      return row !== undefined && holds(row) && this.#write(id, members, row);
    };
    return this.#change({
      now: () => this.now,
      newId: (now) =>
        ulidOf(
          now,
          new Uint8Array(10).map(() => Math.floor(this.#random() * 256)),
        ),
      access: (person, thing) =>
        call(() => (this.#revoked.has(`${person} ${thing}`) ? undefined : { role: 'controller', visibleFrom: 0 })),
      things: { find: (thing) => call(() => ({ connected: this.device(thing).known })) },
      topics: { publish: (thing, message) => call(() => this.#publish(thing, message)) },
      ticks: { send: (tick, delay) => call(() => this.#enqueue(tick, delay * SECOND)) },
      commands: {
        read: (_, id) => call(() => this.rows.get(id)),
        change: ({ id }, from, step) => call(() => change(id, ({ state }) => state === from, step)),
        recordLate: ({ id }, lateOutcome) =>
          call(() => change(id, (row) => row.state === 'EXPIRED' && !row.lateOutcome, { lateOutcome })),
        advance: ({ id }, tick) => call(() => change(id, (row) => row.tick < tick, { tick })),
        waiting: (thing, limit) => call(() => this.#waiting(thing).slice(0, limit)),
      },
      given: {
        underKey: (_, key) => call(() => this.keys.get(key)),
        create: (row, { key, row: keyRow }, now) =>
          call(() => {
            const held = this.keys.get(key);
            if (held && now < held.endsAt) return false;
            this.keys.set(key, keyRow);
            return this.#write(row.id, {}, row);
          }),
        list: () => Promise.reject(new Error('nobody lists here')),
      },
      reports: {
        changed: () => {},
        published: () => {},
        refused: ({ reason }) => this.refused.push(reason),
        contradicted: () => {},
        late: () => {},
        failed: () => {},
      },
    });
  }

  /** What the index shows: a change may not be in it yet. */
  #waiting(thing: string): readonly string[] {
    const seen = [...this.rows.values()].filter((row) => row.thing === thing);
    const inIndex = ({ id }: CommandRow): boolean => {
      const entry = this.#indexed.get(id);
      return entry !== undefined && entry.at <= this.now && entry.waiting;
    };
    return seen
      .filter(inIndex)
      .map(({ id }) => id)
      .sort();
  }

  #schedule(delayMs: number, run: () => void): void {
    this.#due.push({ at: this.now + Math.round(delayMs), order: this.#order++, run });
  }

  #later(run: () => void): void {
    this.#schedule(this.#delay(), run);
  }

  #delay(): number {
    return this.#random() * this.#noise.maxDelayMs;
  }

  #copies(): number {
    return this.#chance(this.#noise.duplicate) ? 2 : 1;
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A small generator of random numbers with a seed: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
