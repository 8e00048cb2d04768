/** What the agent reports in its shadow, against a shadow whose answers and disturbances the test decides. */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Presence, type SessionPresence } from '../../device/src/presence.ts';
import type { PublishOutcome } from '../../device/src/session.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeSession, keptLog, type Sent } from './agent-session.ts';

const UPDATE = '$aws/things/barn1/shadow/update';
const DAY_MS = 86_400_000;

type Reported = Readonly<Record<string, unknown>>;
interface Update {
  readonly reported: Reported;
  readonly token?: string;
  /** Only over this version. */
  readonly over?: number;
}

/** The agent's presence, its sessions, and the cloud's side of the shadow. */
class World {
  readonly clock = new ManualClock();
  readonly log = keptLog();
  readonly presence: Presence;
  shadow: { version: number; reported: Reported } = { version: 0, reported: {} };
  session: FakeSession | undefined;
  current: SessionPresence | undefined;
  details: Reported = {};
  /** Reports that the shadow has not seen yet. */
  readonly updates: Update[] = [];
  /** Wills that the rule has not seen yet; and those for which it has read the shadow. */
  readonly wills: string[] = [];
  readonly messages: { readonly session: FakeSession; readonly topic: string; readonly body: unknown }[] = [];
  #sessions = 0;

  constructor(random: () => number = () => 0.5) {
    const { clock, log } = this;
    this.presence = new Presence({ thing: 'barn1', clock, log, random, details: () => this.details });
  }

  connect(): FakeSession {
    this.lose();
    this.#sessions += 1;
    const session = new FakeSession(`s${this.#sessions}`);
    session.onPublish = (sent) => {
      this.updates.push(asUpdate(sent));
      return { kind: 'acknowledged' };
    };
    this.session = session;
    this.current = this.presence.on(session, () => session.subscribe([`${UPDATE}/accepted`, `${UPDATE}/rejected`]));
    return session;
  }

  /** Without a goodbye, so that its will goes out. */
  lose(): void {
    if (!this.session) return;
    this.wills.push(this.session.id);
    this.session.lose();
    this.session = undefined;
  }

  /** The rule reads the shadow, and writes over the version that it has read. */
  will(index: number): void {
    const [session] = this.wills.splice(index % this.wills.length, 1);
    if (session === undefined || this.shadow.reported.session !== session) return;
    this.updates.push({ reported: { connected: false }, token: 'last-will', over: this.shadow.version });
  }

  process(index: number): void {
    const [update] = this.updates.splice(index % this.updates.length, 1);
    if (!update || (update.over !== undefined && update.over !== this.shadow.version)) return;
    const { reported, token } = update;
    this.shadow = { version: this.shadow.version + 1, reported: { ...this.shadow.reported, ...reported } };
    this.#answer('accepted', { version: this.shadow.version, clientToken: token, state: { reported } });
  }

  reject(index: number, code: number): void {
    const [update] = this.updates.splice(index % this.updates.length, 1);
    this.#answer('rejected', { code, message: 'no', clientToken: update?.token });
  }

  deliver(index: number): void {
    const [message] = this.messages.splice(index % this.messages.length, 1);
    message?.session.deliver(message.topic, message.body);
  }

  /** Everything that is under way arrives, without time passing. */
  async settle(): Promise<void> {
    do {
      await turn();
      while (this.wills.length > 0) this.will(0);
      while (this.updates.length > 0) this.process(0);
      while (this.messages.length > 0) this.deliver(0);
      await turn();
    } while (this.wills.length + this.updates.length + this.messages.length > 0);
  }

  #answer(kind: string, body: object): void {
    if (this.session) this.messages.push({ session: this.session, topic: `${UPDATE}/${kind}`, body });
  }
}

function asUpdate({ topic, body }: Sent): Update {
  expect(topic).toBe(UPDATE);
  const { state, clientToken } = body as { state: { reported: Reported }; clientToken: string };
  return { reported: state.reported, token: clientToken };
}

const reports = (session: FakeSession): Reported[] => session.sent.map((sent) => asUpdate(sent).reported);

describe('presence in the shadow', () => {
  it('is reported at once on every connection, once, with all details', async () => {
    const world = new World();
    world.details = { firmwareVersion: '1.2.3' };

    const session = world.connect();
    await world.settle();
    world.clock.advance(DAY_MS);
    await world.settle();

    expect(reports(session)).toEqual([{ connected: true, session: 's1', firmwareVersion: '1.2.3' }]);
    expect(world.log.lines).toEqual([{ level: 'info', event: 'presence.reported', session: 's1', version: 1 }]);
  });

  it('is reported again when there is no answer, after pauses that grow', async () => {
    const world = new World();
    const session = world.connect();
    const times: number[] = [];
    for (let second = 0; second < 3600; second += 1) {
      await turn();
      if (times.length < session.sent.length) times.push(second);
      world.clock.advance(1000);
    }

    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(5);
    expect(gaps.length).toBeLessThan(25);
    expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
    expect(world.log.lines[0]).toMatchObject({ level: 'warn', event: 'presence.unanswered' });
  });

  it.each([
    [429, 2],
    [500, 2],
    [400, 1],
    [403, 1],
    [413, 1],
  ])('that is rejected with %d has been reported %d times when nothing else happens', async (code, times) => {
    const world = new World();
    const session = world.connect();
    await turn();
    world.reject(0, code);
    world.deliver(0);
    for (let hour = 0; hour < 24; hour += 1) {
      await world.settle();
      world.clock.advance(3_600_000);
    }

    expect(session.sent).toHaveLength(times);
    expect(world.log.lines[0]).toMatchObject({ level: 'warn', event: 'presence.rejected', reason: `${code}: no` });
  });

  it('is put right when a will of this session comes late, or somebody writes another session or removes it', async () => {
    const world = new World();
    world.connect();
    for (const disturbance of [{ connected: false }, { connected: null }, { session: 'another' }, { session: null }]) {
      await world.settle();
      world.updates.push({ reported: disturbance });
      await world.settle();
      world.clock.advance(1_200_000 + 2_000);
      await world.settle();
      expect(world.shadow.reported).toEqual({ connected: true, session: 's1' });
    }
    expect(world.log.lines.filter(({ event }) => event === 'presence.contradicted')).toHaveLength(4);
  });

  it('is not reported again for what others write about other things', async () => {
    const world = new World();
    const session = world.connect();
    await world.settle();
    world.updates.push({ reported: { temperature: 21 } }, { reported: { connected: true } });
    await world.settle();
    world.clock.advance(DAY_MS);
    await world.settle();

    expect(session.sent).toHaveLength(1);
  });

  it('is reported less and less often to somebody who contradicts it every time, across connections', async () => {
    const world = new World(() => 0.999);
    let count = 0;
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      if (minute % 120 === 0) {
        count += world.session?.sent.length ?? 0;
        world.connect();
      }
      await world.settle();
      world.updates.push({ reported: { connected: false } });
      await world.settle();
      world.clock.advance(60_000);
    }

    // Twelve connections, about six pauses of ten minutes in an hour, and the short ones of the beginning.
    expect(count).toBeGreaterThan(12);
    expect(count).toBeLessThan(12 + 24 * 6 + 12);
  });

  it('is taken back before the connection is ended, after the report that is under way', async () => {
    const world = new World();
    const session = world.connect();
    await turn();
    await world.current?.end();
    await session.disconnect();
    await world.settle();

    expect(reports(session)).toEqual([
      { connected: true, session: 's1' },
      { connected: false, session: 's1' },
    ]);
    world.clock.advance(DAY_MS);
    await world.settle();
    expect(session.sent).toHaveLength(2);
  });

  it('is not taken back before the broker has the report that is under way', async () => {
    const world = new World();
    const session = world.connect();
    const acknowledge = Promise.withResolvers<PublishOutcome>();
    session.onPublish = () => acknowledge.promise;
    await turn();
    const ended = world.current?.end();
    await turn();
    expect(session.sent).toHaveLength(1);

    acknowledge.resolve({ kind: 'acknowledged' });
    await ended;

    expect(reports(session).at(-1)).toEqual({ connected: false, session: 's1' });
  });

  it('is reported again when its details have changed, also while a report is under way', async () => {
    const world = new World();
    world.details = { settings: 1 };
    const session = world.connect();
    await turn();
    world.details = { settings: 2 };
    world.current?.changed();
    await world.settle();
    world.clock.advance(DAY_MS);
    await world.settle();

    expect(reports(session).map(({ settings }) => settings)).toEqual([1, 2]);
    expect(world.shadow.reported).toMatchObject({ settings: 2 });
  });

  it('is reported even if the answers cannot be subscribed', async () => {
    const world = new World();
    const session = new FakeSession('s1');
    session.onSubscribe = () => ({ kind: 'refused', reason: 'not authorized' });
    world.presence.on(session, () => session.subscribe([]));
    await turn();

    expect(reports(session)).toEqual([{ connected: true, session: 's1' }]);
  });

  it('is passed over when an answer is no shadow document', async () => {
    const world = new World();
    const session = world.connect();
    await turn();
    for (const body of ['', 'null', '[]', '{"version":"1"}', '{"version":1,"state":{"reported":7}}', '{"code":true}']) {
      for (const answer of ['accepted', 'rejected']) session.deliver(`${UPDATE}/${answer}`, body);
    }
    await world.settle();

    expect(world.shadow.reported).toEqual({ connected: true, session: 's1' });
  });

  it('ends up as connected in the present session, whatever happens in whatever order', async () => {
    const index = fc.nat(20);
    const step = fc.oneof(
      { arbitrary: fc.record({ do: fc.constant('process' as const), index }), weight: 4 },
      { arbitrary: fc.record({ do: fc.constant('deliver' as const), index }), weight: 4 },
      fc.record({ do: fc.constantFrom('connect' as const, 'lose' as const, 'changed' as const) }),
      fc.record({ do: fc.constantFrom('will' as const, 'lose-report' as const, 'repeat' as const), index }),
      fc.record({ do: fc.constant('reject' as const), index, code: fc.constantFrom(409, 429, 500) }),
      fc.record({
        do: fc.constant('foreign' as const),
        reported: fc.constantFrom({ connected: false }, { session: 'x' }),
      }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(100, 2_000, 11_000, 700_000) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (steps, random) => {
          const world = new World(() => random);
          for (const each of steps) {
            if (each.do === 'connect' || each.do === 'lose') world[each.do]();
            else if (each.do === 'changed') world.current?.changed();
            else if (each.do === 'lose-report') world.updates.splice(each.index % (world.updates.length + 1), 1);
            else if (each.do === 'repeat') world.messages.push(...world.messages.slice(0, each.index));
            else if (each.do === 'reject' && world.updates.length > 0) world.reject(each.index, each.code);
            else if (each.do === 'foreign') world.updates.push(each);
            else if (each.do === 'advance') world.clock.advance(each.ms);
            else if (each.do === 'will' || each.do === 'process' || each.do === 'deliver') world[each.do](each.index);
            await turn();
          }
          const session = world.session ?? world.connect();
          // The longest pause follows the longest wait for an answer; each may come twice.
          for (let minutes = 0; minutes < 45; minutes += 1) {
            await world.settle();
            world.clock.advance(60_000);
          }
          await world.settle();
          expect(world.shadow.reported).toEqual({ connected: true, session: session.id });

          const before = session.sent.length;
          world.clock.advance(DAY_MS);
          await world.settle();
          expect(session.sent).toHaveLength(before);
        },
      ),
      {
        numRuns: process.env.THINGSTEAD_EXHAUSTIVE === '1' ? 10_000 : 500,
        // What nobody needs to know arrives, and in the same moment what has to be put right.
        examples: [
          [
            [
              { do: 'foreign', reported: { connected: false } },
              { do: 'connect' },
              { do: 'process', index: 0 },
              { do: 'process', index: 0 },
              { do: 'deliver', index: 13 },
              { do: 'foreign', reported: { connected: false } },
            ],
            0,
          ],
        ],
      },
    );
  });
});
