/** What the agent makes of a command, and what it says of it over connections that come and go. */
import { setImmediate as turn } from 'node:timers/promises';
import { CommandOutcome, MAX_COMMAND_RESULT_BYTES } from '@thingstead/contracts/commands';
import * as v from 'valibot';
import { CommandMemory } from '../../device/src/commands/command-memory.ts';
import { executed, failed } from '../../device/src/commands/command-result.ts';
import { CommandRunner } from '../../device/src/commands/command-runner.ts';
import { CommandSession } from '../../device/src/commands/command-session.ts';
import { CommandWorld, idOf, NOW } from './agent-commands-world.ts';
import { FakeSession, type Sent } from './agent-session.ts';

const MINUTE = 60_000;
const OPEN = 0;
const BLINK = 2;
const UNKNOWN = 6;

describe('a command', () => {
  it('is called delivered before it begins, and executed with what its handler gave', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    expect(world.said.map(({ outcome }) => outcome)).toEqual([{ state: 'DELIVERED' }]);

    await world.endAll();
    expect(world.lastOf(OPEN)).toEqual({ state: 'EXECUTED', result: { done: { number: OPEN } } });
  });

  it('that fails says why, and the next one begins then and not before', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    world.deliver(1);
    expect(world.running).toHaveLength(1);

    await world.endOne(new Error('no motor'));
    expect(world.lastOf(OPEN)).toEqual({ state: 'FAILED', reason: 'no motor' });
    expect(world.running).toHaveLength(1);
    expect(world.begun).toHaveLength(2);
  });

  it.each([
    ['has a name that the configuration does not know', UNKNOWN, {}, 'the device knows no command "unknown"'],
    ['has the name of a member of every object', OPEN, { name: 'constructor' }, 'no command "constructor"'],
    [
      'has expired more than a minute ago',
      OPEN,
      { expiresAt: NOW - MINUTE - 1 },
      'it has expired; the clock of the device says 2026-06-01T00:00:00.000Z',
    ],
    ['has a payload that is too large', OPEN, { payload: 'x'.repeat(9000) }, 'more than 8192 bytes'],
  ])('that %s is rejected, for ever, and does not begin', async (_what, number, change, reason) => {
    const world = new CommandWorld();
    world.deliver(number, change);
    world.acknowledge();
    world.deliver(number);
    await world.endAll();

    expect(world.said).toHaveLength(2);
    for (const { outcome } of world.said)
      expect(outcome).toEqual({ state: 'REJECTED', reason: expect.stringContaining(reason) });
    expect(world.begun).toEqual([]);
  });

  it('that has expired half a minute ago begins: clocks differ', () => {
    const world = new CommandWorld();
    world.deliver(OPEN, { expiresAt: NOW - MINUTE / 2 });
    expect(world.begun).toHaveLength(1);
  });

  it('that has expired while another ran does not begin', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    world.deliver(1, { expiresAt: NOW + MINUTE });
    world.clock.advance(3 * MINUTE);
    await world.endAll();

    expect(world.lastOf(1)).toMatchObject({ state: 'REJECTED' });
    expect(world.begun).toHaveLength(1);
  });

  it.each([
    ['no JSON', 'is no JSON'],
    [{ name: 'open' }, 'expiresAt'],
    [{ id: idOf(1), name: 'open', payload: {}, expiresAt: NOW }, 'its id is not that of its topic'],
  ])('that cannot be read is rejected: %j', (body, reason) => {
    const world = new CommandWorld();
    world.deliverRaw(idOf(OPEN), body);
    expect(world.lastOf(OPEN)).toEqual({ state: 'REJECTED', reason: expect.stringContaining(reason) });
  });

  it('without an id in its topic gets no answer', () => {
    const world = new CommandWorld();
    world.deliverRaw('../../x', { id: idOf(1), name: 'open', payload: {}, expiresAt: NOW });
    expect(world.said).toEqual([]);
    expect(world.disk.files.size).toBe(0);
  });
});

describe('the disk', () => {
  it('that refuses lets no command begin, and lets it begin when it takes the record in time', async () => {
    const world = new CommandWorld();
    world.disk.fault = (operation) => {
      if (operation === 'sync') throw new Error('ENOSPC');
    };
    world.deliver(OPEN);
    world.deliver(1, { expiresAt: NOW + MINUTE });
    expect(world.said).toEqual([]);
    await turn();
    expect(world.begun).toEqual([]);

    world.clock.advance(3 * MINUTE);
    world.disk.fault = () => {};
    await turn();
    world.clock.advance(MINUTE / 2);
    await world.endAll();
    expect(world.begun.map(({ id }) => id)).toEqual([idOf(OPEN)]);
    expect(world.lastOf(OPEN)).toMatchObject({ state: 'EXECUTED' });
    expect(world.lastOf(1)).toMatchObject({ state: 'REJECTED' });
  });

  it('that cannot be read lets no command begin: nobody knows which were done', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    await world.endAll();
    world.disk.fault = (operation) => {
      if (operation === 'list') throw new Error('EIO');
    };
    world.restart();
    world.deliver(OPEN);
    world.deliver(1);
    expect(world.running).toEqual([]);

    world.disk.fault = () => {};
    world.deliver(OPEN);
    world.deliver(1);
    await world.endAll();
    expect(world.begun.map(({ id }) => id)).toEqual([idOf(OPEN), idOf(1)]);
  });

  it('with a record that is damaged makes nobody do it again', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    await world.endAll();
    const file = world.disk.create(`${idOf(OPEN)}.json`);
    file.write(Buffer.from('{"id'));
    world.restart();
    world.deliver(OPEN);
    await world.endAll();

    expect(world.begun).toHaveLength(1);
    expect(world.lastOf(OPEN)).toMatchObject({ state: 'FAILED' });
  });

  it('holds 128 commands at most, and one that is forgotten is not done again', async () => {
    const world = new CommandWorld();
    const numbers = Array.from({ length: 200 }, (_, number) => 10 * 21 + number * 21);
    for (const number of numbers) {
      world.deliver(number);
      await world.endAll();
      world.acknowledge();
    }
    expect(world.disk.files.size).toBeLessThanOrEqual(128 + 1);
    expect(world.begun).toHaveLength(200);

    const [oldest = 0] = numbers;
    const restarted = [false, true];
    for (const restart of restarted) {
      if (restart) world.restart();
      world.deliver(oldest);
      await world.endAll();
      expect(world.lastOf(oldest)).toEqual({
        state: 'FAILED',
        reason: expect.stringContaining('older than what the device remembers'),
      });
    }
    expect(world.begun).toHaveLength(200);
  });

  it('is rid of what has expired a day ago, with the next command', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    await world.endAll();
    world.acknowledge();
    world.clock.advance(26 * 60 * MINUTE);
    world.deliver(1);
    await world.endAll();

    expect([...world.disk.files.keys()].toSorted()).toEqual([`${idOf(1)}.json`, 'forgotten.json']);
  });

  it('takes no more than 128 that wait', () => {
    const world = new CommandWorld();
    for (let number = 0; number < 130; number += 1) world.deliver(21 * number);
    expect(world.lastOf(21 * 127)).toEqual({ state: 'DELIVERED' });
    expect(world.lastOf(21 * 128)).toEqual({ state: 'REJECTED', reason: 'too many commands wait' });
  });
});

describe('the end of the agent', () => {
  it('waits two seconds for what runs, and begins nothing', async () => {
    const world = new CommandWorld();
    world.deliver(OPEN);
    world.deliver(1);
    const ended = world.runner.end();
    world.clock.advance(1_000);
    await world.endOne();
    await ended;
    expect(world.lastOf(OPEN)).toMatchObject({ state: 'EXECUTED' });
    expect(world.begun).toHaveLength(1);

    world.restart();
    await world.endAll();
    expect(world.lastOf(1)).toMatchObject({ state: 'EXECUTED' });
  });

  it.each([
    [OPEN, 1, { state: 'FAILED', reason: 'the agent was ended while it ran' }],
    [BLINK, 2, { state: 'EXECUTED', result: { done: { number: BLINK } } }],
  ])('cuts command %d off then; with the next start it has begun %d times', async (number, times, outcome) => {
    const world = new CommandWorld();
    world.deliver(number);
    const ended = world.runner.end();
    world.clock.advance(2_000);
    await ended;
    world.restart();
    await world.endAll();

    expect(world.begun).toHaveLength(times);
    expect(world.lastOf(number)).toEqual(outcome);
  });
});

describe('a result', () => {
  it.each([
    ['x'.repeat(20_000)],
    ['\u0000'.repeat(20_000)],
    ['€'.repeat(8_000)],
    [{ lines: Array(5_000).fill('line') }],
    [10n],
    [() => {}],
  ])('that is too large or no JSON becomes a text that is small enough', (result) => {
    const outcome = executed(result);
    expect(v.is(CommandOutcome, outcome)).toBe(true);
    expect(typeof outcome.result).toBe('string');
    expect(Buffer.byteLength(JSON.stringify(outcome.result))).toBeLessThanOrEqual(MAX_COMMAND_RESULT_BYTES);
  });

  it('is left as it is else, and absent when there is none', () => {
    expect(executed({ a: [1, null] })).toEqual({ state: 'EXECUTED', result: { a: [1, null] } });
    expect(executed(undefined)).toEqual({ state: 'EXECUTED' });
    expect(failed('FAILED', `${'x'.repeat(2_000)}end`).reason).toMatch(/^x{1021}end$/);
  });
});

describe('commands over a connection', () => {
  const topic = (number: number): string => `device/barn1/command/${idOf(number)}/v1`;
  const PENDING = 'device/barn1/command/pending/v1/outcome';

  function connect(world: CommandWorld, part: CommandSession, onPublish?: FakeSession['onPublish']) {
    const session = new FakeSession('s');
    if (onPublish) session.onPublish = onPublish;
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    const subscribed = session.subscribe(part.filters).then(({ kind }) => kind === 'granted');
    part.on(session, () => subscribed, over.signal);
    const message = { name: 'open', payload: {}, expiresAt: world.clock.now() + MINUTE };
    const deliver = (number: number): void => session.deliver(topic(number), { id: idOf(number), ...message });
    const outcomes = (number: number): unknown[] =>
      session.sent.filter((sent) => sent.topic === `${topic(number)}/outcome`).map(({ body }) => body.state);
    return { session, deliver, outcomes };
  }

  const partOf = ({ runner, clock, log }: CommandWorld): CommandSession =>
    new CommandSession({ thing: 'barn1', runner, clock, log });

  it('asks for those that wait on every connection, once it hears them', async () => {
    const world = new CommandWorld();
    const part = partOf(world);
    for (let count = 0; count < 2; count += 1) {
      const { session } = connect(world, part);
      expect(session.sent).toEqual([]);
      await turn();
      expect(session.sent).toEqual([{ topic: PENDING, body: {} }]);
      expect(session.subscribed).toEqual(['device/barn1/command/+/v1']);
      session.lose();
      await turn();
    }
  });

  it('asks again after half a minute when that was not acknowledged', async () => {
    const world = new CommandWorld();
    const { session } = connect(world, partOf(world));
    session.onPublish = () => ({ kind: 'unanswered', reason: 'no PUBACK' });
    await turn();
    world.clock.advance(30_000);
    await turn();
    expect(session.sent).toHaveLength(2);
  });

  it('asks for none without handlers, and rejects what comes all the same', async () => {
    const { clock, log } = new CommandWorld();
    const memory = new CommandMemory({ clock, log });
    const runner = new CommandRunner({ handlers: new Map(), memory, clock, log });
    const world = { runner, clock, log } as CommandWorld;
    const { session, deliver, outcomes } = connect(world, partOf(world));
    await turn();
    expect(session.sent).toEqual([]);
    deliver(OPEN);
    await turn();
    expect(outcomes(OPEN)).toEqual(['REJECTED']);
  });

  it('says an outcome until it is acknowledged: on this connection, on the next one, and after a restart', async () => {
    const world = new CommandWorld();
    const part = partOf(world);
    const first = connect(world, part);
    await turn();
    first.deliver(OPEN);
    const silent = (sent: Sent) =>
      sent.body.state === 'EXECUTED'
        ? ({ kind: 'unanswered', reason: 'no PUBACK' } as const)
        : ({ kind: 'acknowledged' } as const);
    first.session.onPublish = silent;
    await world.endAll();
    await turn();
    world.clock.advance(30_000);
    await turn();
    expect(first.outcomes(OPEN)).toEqual(['DELIVERED', 'EXECUTED', 'EXECUTED']);
    first.session.lose();
    await turn();

    const second = connect(world, part, silent);
    await turn();
    expect(second.outcomes(OPEN)).toEqual(['EXECUTED']);
    second.session.lose();
    await turn();

    world.restart();
    const third = connect(world, partOf(world));
    await turn();
    expect(third.outcomes(OPEN)).toEqual(['EXECUTED']);
    third.session.lose();
    await turn();

    world.restart();
    const fourth = connect(world, partOf(world));
    await turn();
    expect(fourth.outcomes(OPEN)).toEqual([]);
    fourth.deliver(OPEN);
    await turn();
    expect(fourth.outcomes(OPEN)).toEqual(['EXECUTED']);
    expect(world.begun).toHaveLength(1);
  });

  it('passes over an outcome that is refused, until the next connection', async () => {
    const world = new CommandWorld();
    const part = partOf(world);
    const first = connect(world, part);
    await turn();
    first.session.onPublish = ({ topic: to }) =>
      to === `${topic(OPEN)}/outcome`
        ? { kind: 'refused', reasonCode: 0x87, reason: 'NotAuthorized' }
        : { kind: 'acknowledged' };
    first.deliver(OPEN);
    first.deliver(1);
    await world.endAll();
    await turn();
    expect(first.outcomes(1)).toEqual(['DELIVERED', 'EXECUTED']);
    expect(first.outcomes(OPEN)).toEqual(['DELIVERED', 'EXECUTED']);
    first.session.lose();
    await turn();

    const second = connect(world, part);
    await turn();
    expect(second.outcomes(OPEN)).toEqual(['EXECUTED']);
    expect(second.outcomes(1)).toEqual([]);
  });

  it('ends when its last outcome is acknowledged', async () => {
    const world = new CommandWorld();
    const part = partOf(world);
    const { session, deliver, outcomes } = connect(world, part);
    await turn();
    deliver(OPEN);
    let acknowledge = (): void => {};
    session.onPublish = () =>
      new Promise((resolve) => {
        acknowledge = () => resolve({ kind: 'acknowledged' });
      });
    let ended = false;
    const end = part.end().then(() => {
      ended = true;
    });
    await world.endOne();
    await turn();
    expect(outcomes(OPEN)).toEqual(['DELIVERED', 'EXECUTED']);
    expect(ended).toBe(false);
    acknowledge();
    await end;
  });
});
