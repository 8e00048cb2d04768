/** The question for a pairing code, against answers that the test decides. */
import { setImmediate as turn } from 'node:timers/promises';
import { Pairing } from '../../device/src/pairing/pairing.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeSession } from './agent-session.ts';

const TOPIC = 'device/barn1/pairing/v1';
const CODE = { code: 'ACDEF346', expiresAt: 1_800_000_000_000 };

let clock: ManualClock;
let pairing: Pairing;

beforeEach(() => {
  let questions = 0;
  clock = new ManualClock();
  pairing = new Pairing({ thing: 'barn1', clock, newId: () => `q${++questions}` });
});

function connect(): FakeSession {
  const session = new FakeSession('s1');
  const over = new AbortController();
  void session.closed.then(() => over.abort());
  pairing.on(session, () => Promise.resolve(true), over.signal);
  return session;
}

/** Subscribed, and asked. */
async function asked(session: FakeSession, count = 1): Promise<void> {
  while (session.sent.length < count) await turn();
}

describe('a question for a pairing code', () => {
  it('takes the answer to itself, and none to an earlier question', async () => {
    const session = connect();
    const first = pairing.ask();
    await asked(session);
    clock.advance(20_000);
    expect(await first).toEqual({ kind: 'unanswered', reason: 'the cloud has not answered within 20 s' });

    const second = pairing.ask();
    await asked(session, 2);
    session.deliver(`${TOPIC}/accepted`, { id: 'q1', ...CODE, code: 'VVVVVVVV' });
    session.deliver(`${TOPIC}/rejected`, { id: 'q1', error: 'already-owned', reason: 'late' });
    session.deliver(`${TOPIC}/accepted`, 'no JSON');
    session.deliver(`${TOPIC}/accepted`, { id: 'q2', ...CODE });

    expect(await second).toEqual({ kind: 'code', ...CODE, code: 'ACDE-F346' });
    expect(session.sent).toEqual([
      { topic: TOPIC, body: { id: 'q1' } },
      { topic: TOPIC, body: { id: 'q2' } },
    ]);
    expect(session.subscribed).toEqual([`${TOPIC}/accepted`, `${TOPIC}/rejected`]);
  });

  it('is one for all who ask meanwhile', async () => {
    const session = connect();
    const both = Promise.all([pairing.ask(), pairing.ask()]);
    await asked(session);
    session.deliver(`${TOPIC}/accepted`, { id: 'q1', ...CODE });

    const [one, other] = await both;
    expect(one).toBe(other);
    expect(session.sent).toHaveLength(1);
  });

  it('waits for a connection, and not for ever', async () => {
    const early = pairing.ask();
    const session = connect();
    await asked(session);
    session.deliver(`${TOPIC}/rejected`, { error: 'too-many-requests', reason: 'slowly' });
    expect(await early).toEqual({ kind: 'rejected', error: 'too-many-requests', reason: 'slowly' });

    session.lose();
    await turn();
    const late = pairing.ask();
    clock.advance(15_000);
    expect(await late).toMatchObject({ kind: 'unanswered', reason: expect.stringContaining('not connected') });
  });

  it('ends with its connection, and the next connection is subscribed anew', async () => {
    const first = connect();
    const lost = pairing.ask();
    await asked(first);
    first.lose();
    expect(await lost).toEqual({ kind: 'unanswered', reason: 'lost' });

    const second = connect();
    const again = pairing.ask();
    await asked(second);
    second.deliver(`${TOPIC}/accepted`, { id: 'q2', ...CODE });
    expect(await again).toMatchObject({ kind: 'code' });
  });

  it('shows nothing that is no code', async () => {
    const session = connect();
    const answer = pairing.ask();
    await asked(session);
    session.deliver(`${TOPIC}/accepted`, { id: 'q1', ...CODE, code: '\u001b[2J' });

    expect(await answer).toMatchObject({ kind: 'unanswered', reason: expect.stringContaining('no code') });
  });

  it('says when it may not subscribe', async () => {
    const session = connect();
    session.onSubscribe = () => ({ kind: 'refused', reason: 'not authorized' });

    expect(await pairing.ask()).toEqual({ kind: 'unanswered', reason: 'not authorized' });
    expect(session.sent).toEqual([]);
  });
});
