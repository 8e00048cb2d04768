/** `thingstead-agent pair`: asks for a pairing code, through the agent that runs or over a connection of its own. */
import { randomBytes } from 'node:crypto';
import { lockFolder } from '../agent-lock.ts';
import { type Clock, pause } from '../clock.ts';
import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import { askAgent, type ControlAnswer } from '../control-socket.ts';
import { type Identity, loadIdentity } from '../identity.ts';
import { type Connect, ConnectionFailed, type Session } from '../session.ts';
import { Pairing, type PairingAnswer, REJECTIONS } from './pairing.ts';
import { pairingContent } from './pairing-content.ts';

/** As in sysexits.h: nobody answers, and the cloud says no. */
const EX_UNAVAILABLE = 69;
const EX_NOPERM = 77;

/** A new certificate is registered by its first connection, which the cloud closes. */
const CONNECT_MS = 60_000;
const PAUSE_MS = 2_000;

export interface PairOptions {
  readonly config: AgentConfig;
  /** Of the outbox. */
  readonly folder: string;
  readonly json: boolean;
  /** Connects even though an agent may run that cannot be seen. */
  readonly connect: boolean;
  readonly clock: Clock;
  /** The terminal takes colours. */
  readonly colours: boolean;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
}

/**
 * Asks for a code and writes it.
 *
 * @returns the exit code: 0, 69 when there is no connection or no answer, 77 when the cloud gives no code.
 * @throws ConfigurationError
 */
export async function pair(options: PairOptions): Promise<number> {
  const { config, json, clock, colours, write, complain } = options;
  const answer = await ask(options);
  if (json) write(`${JSON.stringify(asJson(answer, config))}\n`);
  switch (answer.kind) {
    case 'code': {
      const { pairingText } = await import('./pairing-text.ts');
      const { thing, pairing } = config;
      if (!json) write(pairingText({ thing, ...answer, now: clock.now(), url: pairing.url, colours }));
      return 0;
    }
    case 'rejected':
      if (!json)
        complain(`The cloud gives no code: ${answer.error}. ${REJECTIONS[answer.error]}\n(${answer.reason})\n`);
      return EX_NOPERM;
    case 'unanswered':
      if (!json) complain(`There is no code: ${answer.reason}.\n`);
      return EX_UNAVAILABLE;
  }
}

function asJson(answer: PairingAnswer, { thing, pairing }: AgentConfig): object {
  if (answer.kind !== 'code') return { thing, ...answer };
  const { code, expiresAt } = answer;
  return { thing, code, expiresAt: new Date(expiresAt).toISOString(), content: pairingContent(code, pairing.url) };
}

async function ask(options: PairOptions): Promise<PairingAnswer> {
  const { config, folder, connect } = options;
  const through: ControlAnswer = config.outbox.memory ? { kind: 'absent' } : await askAgent(folder);
  if (through.kind === 'denied') {
    const reason = `this user may not speak to the agent in ${folder}: ask as the agent's user (sudo -u thingstead thingstead-agent pair)`;
    return { kind: 'unanswered', reason };
  }
  if (through.kind !== 'absent') return through;
  if (config.outbox.memory && !connect) {
    const reason =
      'an agent without a disk (outbox.memory) cannot be asked, and a second connection would throw it out; send it SIGUSR1, or stop it and say --connect';
    return { kind: 'unanswered', reason };
  }
  return askAlone(options, loadIdentity(config));
}

/** No agent runs: connects for the moment. */
async function askAlone({ config, folder, clock }: PairOptions, identity: Identity): Promise<PairingAnswer> {
  const { sdkConnect } = await import('../sdk-session.ts');
  // So that no agent starts meanwhile, and is thrown out.
  const unlock = config.outbox.memory ? () => {} : await lockFolder(folder);
  try {
    const session = await connectSoon(sdkConnect(config, identity), clock);
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    const pairing = new Pairing({ thing: config.thing, clock, newId: () => randomBytes(9).toString('hex') });
    pairing.on(session, () => Promise.resolve(true), over.signal);
    const answer = await pairing.ask();
    await session.disconnect();
    return answer;
  } catch (error) {
    if (!(error instanceof ConnectionFailed)) throw error;
    return { kind: 'unanswered', reason: `${messageOf(error)}; thingstead-agent doctor looks at everything` };
  } finally {
    unlock();
  }
}

/** @throws ConnectionFailed */
async function connectSoon(connect: Connect, clock: Clock): Promise<Session> {
  const end = clock.uptime() + CONNECT_MS;
  for (;;) {
    try {
      return await connect(new AbortController().signal);
    } catch (error) {
      const waits = error instanceof ConnectionFailed && error.kind === 'closed-without-answer';
      if (!waits || clock.uptime() > end) throw error;
      await pause(clock, PAUSE_MS, new AbortController().signal);
    }
  }
}
