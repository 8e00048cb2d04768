import { PAIRING_CODE_LENGTH, PairingAccepted, PairingCode, PairingRejected } from '@thingstead/contracts/pairing';
import { pairingTopic } from '@thingstead/contracts/topics';
import { type Validated, validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import { type Clock, pause } from '../clock.ts';
import { parseMessage } from '../parse-message.ts';
import type { Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';

/** How long it waits for a connection, and then for the answer. */
const CONNECTION_MS = 15_000;
const ANSWER_MS = 20_000;

/** What became of the question for a code. */
export const PairingAnswer = v.variant('kind', [
  /** `code` as a person reads it, `ACDE-F346`; `expiresAt` is epoch milliseconds. */
  v.object({ kind: v.literal('code'), code: v.string(), expiresAt: v.number() }),
  /** The cloud gives none; `error` is one of the contract's words. */
  v.object({ kind: v.literal('rejected'), error: PairingRejected.entries.error, reason: v.string() }),
  /** Not connected, or no answer in time. */
  v.object({ kind: v.literal('unanswered'), reason: v.string() }),
]);
export type PairingAnswer = v.InferOutput<typeof PairingAnswer>;
type Rejection = Extract<PairingAnswer, { kind: 'rejected' }>['error'];

/** What a person can do about a rejection. */
export const REJECTIONS: Readonly<Record<Rejection, string>> = {
  'already-owned':
    'This thing has an owner. Only when the owner gives it up it can be paired again; an owner can also share it.',
  'belongs-to-site': "This thing is part of a site and belongs to the site's owner, who can share it.",
  'too-many-requests': 'Too many codes were asked for. Wait a few minutes, then ask again.',
  'no-such-thing':
    'The cloud does not know this thing yet. It registers on its first connection: try again in a minute.',
  'invalid-request': 'The cloud does not understand this agent: are their versions too far apart?',
};

export interface PairingOptions {
  readonly thing: string;
  readonly clock: Clock;
  /** A new id for every question. */
  readonly newId: () => string;
}

/**
 * Asks the cloud for a pairing code over whatever session there is. The topics of the answers are subscribed only when it is
 * asked: a device is paired once in its life.
 */
export class Pairing implements SessionPart {
  readonly filters: readonly string[] = [];
  readonly #options: PairingOptions;
  #session: Session | undefined;
  #isSubscribed = false;
  /** Called when there is a session. */
  #connected = (): void => {};
  #asking: Promise<PairingAnswer> | undefined;
  /** That waits for its answer. */
  #question: { readonly id: string; readonly settle: (answer: PairingAnswer) => void } | undefined;

  constructor(options: PairingOptions) {
    this.#options = options;
  }

  on(session: Session, _subscribed: () => Promise<boolean>, over: AbortSignal): void {
    const [accepted, rejected] = this.#topics();
    session.onMessage((topic, payload) => {
      if (topic === accepted) this.#accepted(parseMessage(PairingAccepted, payload));
      else if (topic === rejected) this.#rejected(parseMessage(PairingRejected, payload));
    });
    this.#session = session;
    this.#isSubscribed = false;
    over.addEventListener('abort', () => {
      if (this.#session === session) this.#session = undefined;
    });
    this.#connected();
  }

  /** Asks for a code; the code before is void then. Who asks meanwhile gets the same answer. Never rejects. */
  ask(): Promise<PairingAnswer> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      this.#question = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<PairingAnswer> {
    const { thing, clock, newId } = this.#options;
    const session = this.#session ?? (await this.#connection());
    if (!session) return { kind: 'unanswered', reason: 'the device is not connected to the cloud' };
    if (!this.#isSubscribed) {
      const outcome = await session.subscribe(this.#topics());
      if (outcome.kind !== 'granted') return { kind: 'unanswered', reason: outcome.reason };
      this.#isSubscribed = true;
    }
    const id = newId();
    const waiting = new AbortController();
    let answer: PairingAnswer | undefined;
    const settle = (given: PairingAnswer): void => {
      answer ??= given;
      waiting.abort();
    };
    this.#question = { id, settle };
    const outcome = await session.publish(pairingTopic(thing), Buffer.from(JSON.stringify({ id })));
    if (outcome.kind !== 'acknowledged') return answer ?? { kind: 'unanswered', reason: outcome.reason };
    void session.closed.then(({ reason }) => settle({ kind: 'unanswered', reason }));
    await pause(clock, ANSWER_MS, waiting.signal);
    return answer ?? { kind: 'unanswered', reason: `the cloud has not answered within ${ANSWER_MS / 1000} s` };
  }

  async #connection(): Promise<Session | undefined> {
    const waiting = new AbortController();
    this.#connected = () => waiting.abort();
    await pause(this.#options.clock, CONNECTION_MS, waiting.signal);
    this.#connected = () => {};
    return this.#session;
  }

  #topics(): readonly [string, string] {
    const topic = pairingTopic(this.#options.thing);
    return [`${topic}/accepted`, `${topic}/rejected`];
  }

  #accepted(answer: Validated<PairingAccepted>): void {
    if (!answer.ok || answer.value.id !== this.#question?.id) return;
    const code = validate(PairingCode, answer.value.code);
    if (code.ok)
      this.#question?.settle({ kind: 'code', code: inGroups(code.value), expiresAt: answer.value.expiresAt });
    else this.#question?.settle({ kind: 'unanswered', reason: `the cloud has answered with no code: ${code.reason}` });
  }

  #rejected(answer: Validated<PairingRejected>): void {
    if (!answer.ok) return;
    const { id, error, reason } = answer.value;
    // One that could not be read is answered without an id.
    if (id === undefined || id === this.#question?.id) this.#question?.settle({ kind: 'rejected', error, reason });
  }
}

/** `ACDE-F346` */
function inGroups(code: string): string {
  return `${code.slice(0, PAIRING_CODE_LENGTH / 2)}-${code.slice(PAIRING_CODE_LENGTH / 2)}`;
}
