/**
 * A world in which people give commands and devices come and go, with what AWS may do: messages twice, late and in the wrong
 * order, an index that lags, presence that is late, calls that fail, functions that die between any two calls. Each call of a
 * port takes time, so that invocations overlap. It knows what devices have really done, and watches every write.
 */
import type { CommandRow, CommandTick, IdempotencyRow } from '../../contracts/src/command-store.ts';
import type { CommandMessage, CommandOutcome, CommandState } from '../../contracts/src/commands.ts';
import { createHandler } from '../../lambda/command-deliveries/handler.ts';
import type { Ports as DeliveriesPorts } from '../../lambda/command-deliveries/ports.ts';
import { type Given, give } from '../../lambda/commands/give.ts';
import type { Ports as CommandsPorts } from '../../lambda/commands/ports.ts';
import { HarmedWorld, isHarm, MAX_CALL_MS, type Noise, QUIET } from '../support/harmed-world.ts';

export const SECOND = 1000;
/** What a check of the access, all that a request does next, and a publish take together, at most. */
const REVOKED_FOR_SURE_MS = 30 * MAX_CALL_MS;

export type AllPorts = DeliveriesPorts & CommandsPorts;

/** What a device makes of a command: it says so after a while, or never. */
export type Conduct = 'executes' | 'rejects' | 'fails' | 'begins' | 'mute';

interface Device {
  connected: boolean;
  /** As presence has it. */
  known: boolean;
  conduct: Conduct;
  /** Commands that it knows, and what it last said of them. */
  readonly said: Map<string, CommandOutcome>;
  readonly executed: string[];
}

export class CommandsWorld extends HarmedWorld {
  readonly rows = new Map<string, CommandRow>();
  readonly keys = new Map<string, IdempotencyRow>();
  readonly accepted: CommandRow[] = [];
  /** How often ticks were handled, by command. */
  readonly ticks = new Map<string, number>();
  readonly refused: string[] = [];
  readonly #devices = new Map<string, Device>();
  readonly #revoked = new Map<string, number>();
  readonly #indexed = new Map<string, { readonly at: number; readonly waiting: boolean }>();
  readonly #change: (ports: AllPorts) => AllPorts;

  constructor(noise: Noise = QUIET, change: (ports: AllPorts) => AllPorts = (ports) => ports) {
    super(noise);
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
    this.later(() => (device.known = device.connected));
    if (announces) this.#say(thing, 'pending', '{}');
  }

  disconnect(thing: string): void {
    const device = this.device(thing);
    device.connected = false;
    this.later(() => (device.known = device.connected));
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
        if (!isHarm(error)) throw error;
        if (attempts > 1) this.schedule(SECOND, () => this.give(request, attempts - 1));
      },
    );
  }

  say(thing: string, command: string, outcome: CommandOutcome): void {
    this.#say(thing, command, JSON.stringify(outcome));
  }

  // As AWS does it.

  #answered(given: Given, key: string): void {
    if (given.kind !== 'accepted') return;
    const before = this.accepted.find(({ id }) => id === given.command.id);
    if (!before) this.accepted.push(given.command);
    const known = [...this.keys].find(([name]) => name === key)?.[1].id;
    this.must(known === given.command.id, `key ${key} has ${known}, the answer was ${given.command.id}`);
  }

  #publish(thing: string, message: CommandMessage): void {
    const row = this.rows.get(message.id);
    this.must(row !== undefined, `${message.id} was published before it was stored`);
    const revoked = row && row.authority === 'grant' ? this.#revoked.get(`${row.givenBy} ${thing}`) : undefined;
    this.must(
      revoked === undefined || row?.state === 'DELIVERED' || this.now < revoked + REVOKED_FOR_SURE_MS,
      `${message.id} was published ${this.now - (revoked ?? 0)} ms after the access had ended`,
    );
    this.deliver(() => this.#receive(thing, message));
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
    this.schedule(this.random(90 * SECOND), () => {
      device.executed.push(id);
      tell({ state: device.conduct === 'fails' ? 'FAILED' : 'EXECUTED' });
    });
  }

  #say(thing: string, command: string, text: string): void {
    const event = { thing, command, at: this.now, payload: Buffer.from(text).toString('base64') };
    this.deliver(() => this.invoke(() => createHandler(this.#ports())(event)));
  }

  #tick(tick: CommandTick, delayMs: number): void {
    this.enqueue(tick, delayMs, (event) => {
      this.ticks.set(tick.id, (this.ticks.get(tick.id) ?? 0) + 1);
      return createHandler(this.#ports())(event);
    });
  }

  #write(id: string, change: Partial<CommandRow>, now: CommandRow): boolean {
    const next = { ...now, ...change };
    if (next.state !== now.state) this.#watch(now, next);
    this.rows.set(id, next);
    const waiting = ['QUEUED', 'SENT', 'DELIVERED'].includes(next.state);
    this.#indexed.set(id, { at: this.now + this.random(this.maxDelayMs), waiting });
    return true;
  }

  #watch(before: CommandRow, { id, thing, state, reason, voidAt }: CommandRow): void {
    const order: readonly CommandState[] = ['QUEUED', 'SENT', 'DELIVERED'];
    const [from, to] = [order.indexOf(before.state), order.indexOf(state)];
    this.must(from >= 0 && (to < 0 || to > from), `${id} went from ${before.state} to ${state}`);
    const said = this.device(thing).said.get(id)?.state;
    if (state === 'EXECUTED' || state === 'FAILED') {
      this.must(this.device(thing).executed.includes(id), `${id} is ${state}, and the device said ${said}`);
    }
    if (state === 'DELIVERED' || state === 'REJECTED') this.must(said !== undefined, `${id} is ${state} by itself`);
    if (state === 'EXPIRED' && reason === undefined) {
      const end = voidAt + (before.state === 'DELIVERED' ? 60 * SECOND : 0);
      this.must(this.now >= end, `${id} expired ${end - this.now} ms early`);
    }
  }

  // The ports of one invocation, in memory.

  #ports(): AllPorts {
    const call = this.invocation();
    const change = (id: string, holds: (row: CommandRow) => boolean, members: Partial<CommandRow>): boolean => {
      const row = this.rows.get(id);
      return row !== undefined && holds(row) && this.#write(id, members, row);
    };
    return this.#change({
      now: () => this.now,
      newId: (now) => this.newId(now),
      access: (person, thing) =>
        call(() => (this.#revoked.has(`${person} ${thing}`) ? undefined : { role: 'controller', visibleFrom: 0 })),
      things: { find: (thing) => call(() => ({ connected: this.device(thing).known })) },
      topics: { publish: (thing, message) => call(() => this.#publish(thing, message)) },
      ticks: { send: (tick, delay) => call(() => this.#tick(tick, delay * SECOND)) },
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
}
