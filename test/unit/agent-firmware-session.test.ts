/** What is said and heard of firmware over MQTT. */
import { setImmediate as turn } from 'node:timers/promises';
import { FirmwareSession } from '../../device/src/firmware/firmware-session.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeSession, keptLog } from './agent-session.ts';

const THING = 'barn1';
const ATTEMPT = '01J00000000000000000000001';
const SHADOW = `$aws/things/${THING}/shadow/name/firmware`;
const RUNNING = `device/${THING}/firmware/running/v1`;
const TOPIC = `device/${THING}/firmware/${ATTEMPT}/v1`;
const DESIRED = { attempt: ATTEMPT, product: 'pump', version: '1.0.0', counter: 1, size: 10 };
const never = new AbortController().signal;

function open({ takesUpdates = true } = {}) {
  const clock = new ManualClock();
  const log = keptLog();
  const wanted: unknown[] = [];
  let running = { version: '1.0.0', counter: 1 };
  const part = new FirmwareSession({
    ...{ thing: THING, clock, log, running: () => running },
    ...(takesUpdates && { wanted: (desired) => wanted.push(desired) }),
  });
  let connections = 0;
  const connect = async (): Promise<FakeSession> => {
    connections += 1;
    const session = new FakeSession(`session-${connections}`);
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    part.on(session, async () => (await session.subscribe(part.filters)).kind === 'granted', over.signal);
    await settle();
    return session;
  };
  return { clock, log, wanted, part, connect, runs: (next: typeof running) => (running = next) };
}

async function settle(): Promise<void> {
  for (let each = 0; each < 5; each += 1) await turn();
}
const saidOn = ({ sent }: FakeSession, topic: string) =>
  sent.filter((each) => each.topic === topic).map(({ body }) => body);

describe('what runs', () => {
  it('is said once for each start, until it is taken, and again when it has changed', async () => {
    const { clock, connect, part, runs } = open();
    const first = await connect();
    expect(saidOn(first, RUNNING)).toEqual([{ type: 'running', version: '1.0.0', counter: 1 }]);
    first.lose();
    await settle();

    const second = await connect();
    for (const ms of [30_000, 700_000]) {
      clock.advance(ms);
      await settle();
    }
    expect(saidOn(second, RUNNING).length).toBeGreaterThan(1);
    second.deliver(`${RUNNING}/accepted`, { type: 'running' });
    clock.advance(700_000);
    await settle();
    const { length } = saidOn(second, RUNNING);
    clock.advance(7_000_000);
    await settle();
    expect(saidOn(second, RUNNING)).toHaveLength(length);

    runs({ version: '2.0.0', counter: 2 });
    void part.sayRunning();
    await settle();
    expect(saidOn(second, RUNNING).at(-1)).toEqual({ type: 'running', version: '2.0.0', counter: 2 });
  });

  it('is said without an answer where no updates are taken', async () => {
    const { connect, part, clock } = open({ takesUpdates: false });
    const session = await connect();
    clock.advance(7_000_000);
    await settle();

    expect(part.filters).toEqual([]);
    expect(session.sent.map(({ topic }) => topic)).toEqual([RUNNING]);
  });
});

describe('what is wanted', () => {
  it('is asked for on every connection and after every change, until it is told', async () => {
    const { connect, wanted, clock } = open();
    const session = await connect();
    expect(saidOn(session, `${SHADOW}/get`)).toHaveLength(1);
    clock.advance(60_000);
    await settle();
    clock.advance(60_000);
    await settle();
    expect(saidOn(session, `${SHADOW}/get`).length).toBeGreaterThan(1);

    session.deliver(`${SHADOW}/get/accepted`, { version: 1, state: { desired: DESIRED } });
    expect(wanted).toEqual([DESIRED]);
    const { length } = saidOn(session, `${SHADOW}/get`);
    session.deliver(`${SHADOW}/update/delta`, { version: 2, state: {} });
    await settle();
    expect(saidOn(session, `${SHADOW}/get`)).toHaveLength(length + 1);
    session.deliver(`${SHADOW}/get/accepted`, { version: 2, state: { desired: {} } });
    session.deliver(`${SHADOW}/get/rejected`, { code: 404 });
    expect(wanted).toEqual([DESIRED, undefined, undefined]);
  });

  it.each([
    ['no JSON', '{'],
    ['no shadow', {}],
    ['no offer', { version: 1, state: { desired: { attempt: '../../x' } } }],
  ])('is passed over when it is %s', async (_what, body) => {
    const { connect, wanted, log } = open();
    (await connect()).deliver(`${SHADOW}/get/accepted`, body);
    expect(wanted).toEqual([]);
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'firmware.unreadable' }));
  });
});

describe('a report', () => {
  const status = { state: 'VERIFYING', version: '1.0.0', counter: 1 } as const;

  it('is taken by the answer to it, and not by one that is late, of another attempt, or unreadable', async () => {
    const { connect, part } = open();
    const session = await connect();
    let answer: string | undefined;
    void part.tell(ATTEMPT, status, never).then((given) => {
      answer = given;
    });
    session.deliver(`${TOPIC}/accepted`, { type: 'status', state: 'DOWNLOADING' });
    session.deliver(`${TOPIC}/accepted`, { type: 'grant' });
    session.deliver(`${TOPIC.replace('01J0', '01J9')}/accepted`, { type: 'status', state: 'VERIFYING' });
    await settle();
    expect(answer).toBeUndefined();
    session.deliver(`${TOPIC}/accepted`, { type: 'status', state: 'VERIFYING' });
    await settle();
    expect(answer).toBe('taken');
    expect(saidOn(session, TOPIC)).toEqual([{ type: 'status', ...status }]);
  });

  it.each([
    [false, 'refused'],
    [true, 'unanswered'],
  ])('that is rejected is said again only if that may help: retry %s', async (retry, expected) => {
    const { connect, part } = open();
    const session = await connect();
    const told = part.tell(ATTEMPT, status, never);
    session.deliver(`${TOPIC}/rejected`, { type: 'status', code: 'busy', reason: 'words', retry });
    expect(await told).toBe(expected);
  });

  it('is unanswered without a connection, when it breaks, and when the answer does not come', async () => {
    const { connect, part, clock } = open();
    expect(await part.tell(ATTEMPT, status, never)).toBe('unanswered');
    const session = await connect();
    const late = part.tell(ATTEMPT, status, never);
    clock.advance(30_000);
    expect(await late).toBe('unanswered');
    const broken = part.ask(ATTEMPT, 'nonce', never);
    session.lose();
    expect(await broken).toEqual({ kind: 'unanswered' });
    expect(part.isConnected).toBe(false);
  });
});
