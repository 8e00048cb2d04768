/** Desired state, against a shadow whose answers come late, twice, in any order, or are lost with their connection. */

import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Applier } from '../../device/src/desired-state/appliers.ts';
import { DesiredState } from '../../device/src/desired-state/desired-state.ts';
import { isValues } from '../../device/src/desired-state/members.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeSession, keptLog } from './agent-session.ts';

const SHADOW = '$aws/things/barn1/shadow';
const NAMES = ['power', 'brightness'];
const HOUR_MS = 3_600_000;
const MAX_ROUNDS = 500;

type Values = Readonly<Record<string, unknown>>;
interface Message {
  readonly session: FakeSession;
  readonly topic: string;
  readonly body: unknown;
}

/** The device, its sessions, and the cloud's side of the shadow. */
class World {
  readonly clock = new ManualClock();
  readonly log = keptLog();
  /** What the device really is. */
  readonly device = new Map<string, unknown>();
  readonly applied: [string, unknown][] = [];
  /** The next ones of them fail. */
  failures: string[] = [];
  shadow: { version: number; desired: Values; reported: Values } = { version: 0, desired: {}, reported: {} };
  /** Requests that the shadow has not seen yet, and messages that the device has not. */
  readonly requests: Message[] = [];
  readonly messages: Message[] = [];
  part: DesiredState;
  session: FakeSession | undefined;
  sessions = 0;
  /** Held until it is called, when set. */
  hold: Promise<void> | undefined;

  constructor() {
    this.part = this.#start();
  }

  /** The power goes: what it was is lost. */
  restart(): void {
    void this.part.end();
    this.lose();
    this.device.clear();
    this.part = this.#start();
  }

  connect(): FakeSession {
    this.lose();
    this.sessions += 1;
    const session = new FakeSession(`s${this.sessions}`);
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    session.onPublish = ({ topic, body }) => {
      this.requests.push({ session, topic, body });
      if (topic === `${SHADOW}/update`) this.#isTrue((body as { state: { reported: Values } }).state.reported);
      return { kind: 'acknowledged' };
    };
    this.session = session;
    const filters = [...this.part.filters, `${SHADOW}/update/accepted`, `${SHADOW}/update/rejected`];
    const subscribed = session.subscribe(filters).then(() => true);
    this.part.on(session, () => subscribed, over.signal);
    return session;
  }

  lose(): void {
    this.session?.lose();
    this.session = undefined;
  }

  desire(change: Values): void {
    const desired = merged(this.shadow.desired, change);
    this.shadow = { ...this.shadow, version: this.shadow.version + 1, desired };
    this.#delta();
  }

  process(index: number): void {
    const [request] = this.requests.splice(index % this.requests.length, 1);
    if (request?.topic === `${SHADOW}/update`) this.#update(request);
    else if (request) this.#answer(request.session, 'get/accepted', this.#document());
  }

  deliver(index: number, again = false): void {
    const position = index % this.messages.length;
    const message = this.messages[position];
    if (!again) this.messages.splice(position, 1);
    message?.session.deliver(message.topic, message.body);
  }

  /** @throws Error when it does not come to rest: on AWS that would be a message after the other, for ever */
  async settle(): Promise<void> {
    let rounds = 0;
    for (let quiet = 0; quiet < 3; rounds += 1) {
      if (rounds > MAX_ROUNDS) throw new Error(`it does not come to rest: ${JSON.stringify(this.shadow)}`);
      await turn();
      quiet = this.requests.length + this.messages.length === 0 ? quiet + 1 : 0;
      while (this.requests.length > 0) this.process(0);
      while (this.messages.length > 0) this.deliver(0);
    }
  }

  lines(event: string): readonly Values[] {
    return this.log.lines.filter((line) => line.event === event);
  }

  #start(): DesiredState {
    const applier =
      (name: string): Applier =>
      async (value) => {
        await this.hold;
        await turn();
        const failure = this.failures.indexOf(name);
        if (failure !== -1) {
          this.failures.splice(failure, 1);
          this.device.delete(name);
          throw new Error(`no ${name}`);
        }
        this.device.set(name, value);
        this.applied.push([name, value]);
      };
    const appliers = new Map(NAMES.map((name) => [name, applier(name)]));
    return new DesiredState({ thing: 'barn1', appliers, clock: this.clock, log: this.log, random: () => 0.5 });
  }

  /** Nothing is reported that the device is not. */
  #isTrue({ errors: _errors, ...reported }: Values): void {
    for (const [name, value] of Object.entries(reported)) {
      expect([name, this.device.get(name) ?? null]).toEqual([name, value]);
    }
  }

  #update({ session, body }: Message): void {
    const { state, clientToken } = body as { state: { reported: Values }; clientToken: string };
    this.shadow = {
      ...this.shadow,
      version: this.shadow.version + 1,
      reported: merged(this.shadow.reported, state.reported),
    };
    // The topic is the thing's: whichever connection it has then hears it.
    this.#answer(this.session ?? session, 'update/accepted', { version: this.shadow.version, clientToken, state });
    this.#delta();
  }

  #delta(): void {
    const { version, desired, reported } = this.shadow;
    const state = Object.fromEntries(
      Object.entries(desired).filter(([name, value]) => !isDeepStrictEqual(reported[name], value)),
    );
    if (this.session && Object.keys(state).length > 0) this.#answer(this.session, 'update/delta', { version, state });
  }

  #document(): object {
    const { version, desired, reported } = this.shadow;
    return { version, state: { desired, reported } };
  }

  #answer(session: FakeSession, name: string, body: unknown): void {
    this.messages.push({ session, topic: `${SHADOW}/${name}`, body });
  }
}

/** Null removes a member; members of objects are merged as well. */
function merged(values: Values, change: Values): Values {
  const result: Record<string, unknown> = { ...values };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete result[name];
    else if (isValues(value)) result[name] = merged(isValues(result[name]) ? result[name] : {}, value);
    else result[name] = value;
  }
  return result;
}

describe('desired state', () => {
  it('that was set while the device was away is applied on its connection, and reported then', async () => {
    const world = new World();
    world.desire({ power: true, colour: 'red' });
    world.connect();
    await world.settle();

    expect(world.applied).toEqual([['power', true]]);
    expect(world.shadow.reported).toEqual({ power: true });
    expect(world.lines('state.applied')).toEqual([expect.objectContaining({ name: 'power', value: true })]);
  });

  it('that changes is applied at once, in one report with what else changed meanwhile', async () => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    world.desire({ power: true, brightness: 40 });
    await world.settle();

    expect(world.shadow.reported).toEqual({ power: true, brightness: 40 });
    expect(session.sent.filter(({ topic }) => topic.endsWith('/update'))).toHaveLength(1);
  });

  it('is not applied again on a later connection, and once after a start', async () => {
    const world = new World();
    world.desire({ power: true });
    world.connect();
    await world.settle();
    world.connect();
    await world.settle();
    expect(world.applied).toHaveLength(1);

    world.restart();
    const session = world.connect();
    await world.settle();
    expect(world.applied).toHaveLength(2);
    // The shadow says so already.
    expect(session.sent.map(({ topic }) => topic)).toEqual([`${SHADOW}/get`]);
  });

  it('that is old when it comes is passed over', async () => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    session.deliver(`${SHADOW}/update/delta`, { version: 9, state: { power: true } });
    session.deliver(`${SHADOW}/update/delta`, { version: 8, state: { power: false } });
    await world.settle();
    expect(world.applied).toEqual([['power', true]]);
  });

  it('is looked up again when the whole that comes is older than what is known', async () => {
    const world = new World();
    world.desire({ power: true });
    world.shadow = { ...world.shadow, reported: { power: true } };
    const session = world.connect();
    await turn();
    const old = { version: 1, state: { desired: { power: true }, reported: { power: true } } };
    world.desire({ brightness: 5 });
    world.deliver(0);
    session.deliver(`${SHADOW}/get/accepted`, old);
    await world.settle();

    expect(world.applied.toSorted()).toEqual([
      ['brightness', 5],
      ['power', true],
    ]);
  });

  it('that is so already is reported once more when somebody else has reported another', async () => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    world.desire({ power: true });
    await world.settle();
    world.requests.push({ session, topic: `${SHADOW}/update`, body: { state: { reported: { power: false } } } });
    await world.settle();

    expect(world.shadow.reported).toEqual({ power: true });
    expect(world.applied).toHaveLength(1);
  });

  it('is reported again when a report that was given up is taken after it, though its own answer is heard last', async () => {
    const world = new World();
    const applied = async (): Promise<void> => {
      for (let turns = 0; turns < 5; turns += 1) await turn();
    };
    world.connect();
    await world.settle();
    // The first report is on its way when the connection is lost.
    world.desire({ power: false });
    world.deliver(0);
    await applied();
    const [early] = world.requests.splice(0);
    world.desire({ power: true });
    world.deliver(0);
    world.connect();
    await applied();
    expect(world.requests.map(({ topic }) => topic.split('/').at(-1))).toEqual(['get', 'update']);
    world.process(0);
    world.process(0);
    world.requests.push(early as Message);
    world.process(0);
    // What the shadow said last is heard first.
    const [whole, own, ...late] = world.messages.splice(0);
    world.messages.push(...([whole, ...late, own] as Message[]));
    await world.settle();

    expect(world.device.get('power')).toBe(true);
    expect(world.shadow.reported).toEqual({ power: true });
  });

  it('that was so is applied again when another has failed since: nobody knows what it is', async () => {
    const world = new World();
    world.connect();
    await world.settle();
    world.desire({ power: true });
    await world.settle();
    world.failures = ['power'];
    world.desire({ power: false });
    await world.settle();
    world.desire({ power: true });
    await world.settle();

    expect(world.device.get('power')).toBe(true);
    expect(world.applied).toHaveLength(2);
  });

  it('of which only a part is told is looked up as a whole', async () => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    const power = { on: true, colour: 'red' };
    world.shadow = { version: 5, desired: { power }, reported: { power: { on: true, colour: 'blue' } } };
    session.deliver(`${SHADOW}/update/delta`, { version: 5, state: { power: { colour: 'red' } } });
    await world.settle();

    expect(world.applied).toEqual([['power', power]]);
    expect(world.shadow.reported).toEqual({ power });
  });

  it('that changes while it is applied: the latest is what counts', async () => {
    const world = new World();
    let go = (): void => {};
    world.hold = new Promise((resolve) => {
      go = resolve;
    });
    world.connect();
    await world.settle();
    for (const brightness of [10, 20, 30]) {
      world.desire({ brightness });
      await world.settle();
    }
    go();
    await world.settle();

    expect(world.applied.at(-1)).toEqual(['brightness', 30]);
    expect(world.applied.length).toBeLessThanOrEqual(2);
    expect(world.shadow.reported).toEqual({ brightness: 30 });
  });

  it('that cannot be applied is not reported, but why; it is tried again, and the reason goes when it worked', async () => {
    const world = new World();
    world.failures = ['power', 'power'];
    world.connect();
    await world.settle();
    world.desire({ power: true, brightness: 7 });
    await world.settle();
    expect(world.shadow.reported).toEqual({ brightness: 7, errors: { power: 'no power' } });
    expect(world.lines('state.failed')).toHaveLength(1);

    const updates = world.shadow.version;
    world.clock.advance(HOUR_MS);
    await world.settle();
    expect(world.lines('state.failed')).toHaveLength(2);
    expect(world.shadow.version).toBe(updates);

    world.clock.advance(HOUR_MS);
    await world.settle();
    expect(world.shadow.reported).toEqual({ brightness: 7, power: true, errors: {} });
  });

  it.each(['accepted', 'delta'])(
    'that cannot be applied is told once, also when the %s of its report comes first',
    async (first) => {
      const world = new World();
      const session = world.connect();
      await world.settle();
      world.failures = ['power'];
      world.desire({ power: true });
      for (let turns = 0; turns < 40; turns += 1) {
        const at = world.messages.findIndex(({ topic }) => topic.endsWith(first));
        if (world.messages.length > 0) world.deliver(Math.max(0, at));
        else if (world.requests.length > 0) world.process(0);
        for (let rest = 0; rest < 5; rest += 1) await turn();
      }
      expect(world.shadow.reported).toEqual({ errors: { power: 'no power' } });
      expect(session.sent.filter(({ topic }) => topic.endsWith('/update'))).toHaveLength(1);
    },
  );

  it('is asked for again when nobody answers, less and less often', async () => {
    const world = new World();
    const session = world.connect();
    for (let second = 0; second < 3_600; second += 1) {
      await turn();
      world.clock.advance(1000);
    }
    expect(session.sent.length).toBeGreaterThan(5);
    expect(session.sent.length).toBeLessThan(25);
  });

  it('of a thing without a shadow is none, and is asked for once', async () => {
    const world = new World();
    const session = world.connect();
    await turn();
    world.requests.length = 0;
    session.deliver(`${SHADOW}/get/rejected`, { code: 404, message: 'No shadow exists' });
    world.clock.advance(HOUR_MS);
    await turn();
    expect(session.sent).toHaveLength(1);
  });

  it('that the shadow does not take back is left until the next connection', async () => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    world.desire({ power: true });
    world.deliver(0);
    await turn();
    await turn();
    const [update] = world.requests.splice(0);
    const { clientToken } = (update as Message).body as { clientToken: string };
    session.deliver(`${SHADOW}/update/rejected`, { code: 413, message: 'too large', clientToken });
    world.clock.advance(HOUR_MS);
    await turn();
    expect(world.lines('state.not_reported')).toEqual([expect.objectContaining({ reason: '413: too large' })]);
    expect(world.requests).toEqual([]);

    world.connect();
    await world.settle();
    expect(world.shadow.reported).toEqual({ power: true });
    expect(world.applied).toHaveLength(1);
  });

  it.each(['no JSON', '{"version":"x"}', '[]'])('that cannot be read changes nothing: %s', async (text) => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    for (const name of ['update/delta', 'get/accepted', 'get/rejected']) session.deliver(`${SHADOW}/${name}`, text);
    expect(world.lines('state.unreadable')).toHaveLength(3);
    expect(world.applied).toEqual([]);
  });

  it('is what the device is and what is reported, whatever happens on the way', async () => {
    const value = fc.oneof(fc.boolean(), fc.constantFrom(1, 2, { a: 1, b: 2 }, { a: 1, b: 3 }, [1], null));
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('desire' as const), name: fc.constantFrom(...NAMES), value }),
      },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('process' as const), index: fc.nat(9) }) },
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('deliver' as const), index: fc.nat(9), again: fc.boolean() }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), name: fc.constantFrom(...NAMES) }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'connect' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'wait' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        world.connect();
        for (const each of steps) {
          if (each.kind === 'desire') world.desire({ [each.name]: each.value });
          else if (each.kind === 'process' && world.requests.length > 0) world.process(each.index);
          else if (each.kind === 'deliver' && world.messages.length > 0) world.deliver(each.index, each.again);
          else if (each.kind === 'fail') world.failures.push(each.name);
          else if (each.kind === 'connect') world.connect();
          else if (each.kind === 'restart') world.restart();
          else if (each.kind === 'wait') world.clock.advance(60_000);
          await turn();
        }
        world.failures = [];
        if (!world.session) world.connect();
        for (let hours = 0; hours < 4; hours += 1) {
          await world.settle();
          world.clock.advance(HOUR_MS);
        }
        await world.settle();
        const { desired, reported } = world.shadow;
        for (const [name, wanted] of Object.entries(desired)) {
          expect([name, world.device.get(name)]).toEqual([name, wanted]);
          expect([name, reported[name]]).toEqual([name, wanted]);
        }
        const errors = Object.values((reported.errors ?? {}) as Values).filter((each) => each !== null);
        expect(errors).toEqual([]);
      }),
      { numRuns: process.env.THINGSTEAD_EXHAUSTIVE ? 5_000 : 200 },
    );
  });
});
