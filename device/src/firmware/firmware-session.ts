import {
  DesiredFirmware,
  FIRMWARE_SHADOW,
  FirmwareAnswer,
  FirmwareRejection,
  type FirmwareRequest,
  RUNNING_FIRMWARE,
} from '@thingstead/contracts/firmware';
import { firmwareTopic } from '@thingstead/contracts/topics';
import { validate } from '@thingstead/contracts/validate';
import type * as v from 'valibot';
import { Backoff } from '../backoff.ts';
import { type Clock, pause } from '../clock.ts';
import { ShadowDocument, ShadowRejection } from '../desired-state/shadow-messages.ts';
import type { Log } from '../log.ts';
import { parseMessage } from '../parse-message.ts';
import type { Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';
import { shadowTopic } from '../shadow.ts';
import type { FirmwareCloud, GrantResult, Running, Status } from './firmware-cloud.ts';

/** How long an answer of the cloud may take. */
const ANSWER_MS = 20_000;
const PAUSES = { baseMs: 2_000, capMs: 600_000, stableMs: 1_200_000 };
const NOT_FOUND = 404;

export interface FirmwareSessionOptions {
  readonly thing: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What runs, as it is now. */
  readonly running: () => Running;
  /** Told what the cloud wants; undefined: nothing. Absent where no updates are taken. */
  readonly wanted?: ((desired: DesiredFirmware | undefined) => void) | undefined;
}

interface Connection {
  readonly session: Session;
  readonly subscribed: () => Promise<boolean>;
  readonly over: AbortSignal;
}

type Answer =
  | { readonly ok: true; readonly answer: FirmwareAnswer }
  | { readonly ok: false; readonly rejection: FirmwareRejection };

/** Firmware over MQTT: says what runs, hears what is wanted, and carries questions and reports of the update. */
export class FirmwareSession implements SessionPart, FirmwareCloud {
  readonly filters: readonly string[];
  readonly #options: FirmwareSessionOptions;
  readonly #pauses = new Backoff(PAUSES);
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  readonly #listeners = new Set<() => void>();
  #connection: Connection | undefined;
  /** What was said of what runs, and taken. */
  #said: string | undefined;

  constructor(options: FirmwareSessionOptions) {
    const { thing, wanted } = options;
    this.#options = options;
    const [updates, shadow] = [firmwareTopic(thing, '+'), namedShadowTopic(thing, 'get')];
    // Who takes no updates is told nothing, and says what it runs without an answer.
    this.filters = wanted ? [`${updates}/+`, `${shadow}/+`, namedShadowTopic(thing, 'update/delta')] : [];
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  async connected(signal: AbortSignal): Promise<void> {
    while (!this.#connection && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#listeners.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#listeners.add(done);
        signal.addEventListener('abort', done);
      });
    }
  }

  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void {
    const connection = { session, subscribed, over };
    over.addEventListener('abort', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    session.onMessage((topic, payload) => this.#receive(connection, topic, payload));
    void this.#begin(connection);
  }

  async ask(attempt: string, nonce: string, signal: AbortSignal): Promise<GrantResult> {
    const answer = await this.#request(attempt, { type: 'grant', nonce }, signal);
    if (!answer) return { kind: 'unanswered' };
    if (!answer.ok) return { kind: 'rejected', rejection: answer.rejection };
    return answer.answer.type === 'grant' ? { kind: 'granted', grant: answer.answer } : { kind: 'unanswered' };
  }

  async tell(attempt: string, status: Status, signal: AbortSignal): Promise<'taken' | 'refused' | 'unanswered'> {
    const answer = await this.#request(attempt, { type: 'status', ...status }, signal);
    if (!answer) return 'unanswered';
    if (answer.ok) return 'taken';
    const { log } = this.#options;
    log.warn('firmware.report_refused', { attempt, state: status.state, ...answer.rejection });
    return answer.rejection.retry ? 'unanswered' : 'refused';
  }

  /** Says what runs, until the cloud has taken it, and again when it has changed. */
  async sayRunning(): Promise<void> {
    const { running, log, clock } = this.#options;
    const connection = this.#connection;
    if (!connection) return;
    const { over } = connection;
    while (!over.aborted) {
      const now = running();
      const text = JSON.stringify(now);
      if (text === this.#said) return;
      const answer = await this.#request(RUNNING_FIRMWARE, { type: 'running', ...now }, over);
      if (answer && !answer.ok)
        log.warn('firmware.not_known', { message: 'the cloud does not take what runs', ...answer.rejection });
      if (answer && (answer.ok || !answer.rejection.retry)) this.#said = text;
      else await pause(clock, this.#pauses.nextAt(clock.uptime()), over);
    }
  }

  async #begin(connection: Connection): Promise<void> {
    if (!(await connection.subscribed()) || connection.over.aborted) return;
    this.#connection = connection;
    for (const listener of [...this.#listeners]) listener();
    void this.sayRunning();
    void this.#askShadow(connection);
  }

  /** Asks for the whole shadow, until it comes. */
  async #askShadow({ session, over }: Connection): Promise<void> {
    const { thing, clock, wanted } = this.#options;
    if (!wanted) return;
    while (!over.aborted) {
      const answered = new AbortController();
      this.#shadowAnswered = () => answered.abort();
      await session.publish(namedShadowTopic(thing, 'get'), Buffer.from('{}'));
      await pause(clock, ANSWER_MS, AbortSignal.any([over, answered.signal]));
      if (answered.signal.aborted) return;
      await pause(clock, this.#pauses.nextAt(clock.uptime()), over);
    }
  }

  #shadowAnswered = (): void => {};

  #receive(connection: Connection, topic: string, payload: Buffer): void {
    const { thing, wanted } = this.#options;
    const attempt = topic.split('/')[3] ?? '';
    if (topic === `${firmwareTopic(thing, attempt)}/accepted`) this.#answered(attempt, FirmwareAnswer, payload);
    else if (topic === `${firmwareTopic(thing, attempt)}/rejected`) this.#answered(attempt, FirmwareRejection, payload);
    else if (!wanted) return;
    else if (topic === namedShadowTopic(thing, 'get/accepted')) this.#document(payload);
    else if (topic === namedShadowTopic(thing, 'get/rejected')) this.#noDocument(payload);
    // Of a delta only that there is one counts: the whole also says what was removed.
    else if (topic === namedShadowTopic(thing, 'update/delta')) void this.#askShadow(connection);
  }

  #document(payload: Buffer): void {
    const { log, wanted } = this.#options;
    const document = parseMessage(ShadowDocument, payload);
    if (!document.ok) {
      log.warn('firmware.unreadable', { reason: document.reason });
      return;
    }
    this.#shadowAnswered();
    const desired = document.value.state.desired ?? {};
    const valid = validate(DesiredFirmware, desired);
    if (Object.keys(desired).length === 0) wanted?.(undefined);
    else if (valid.ok) wanted?.(valid.value);
    else log.warn('firmware.unreadable', { message: 'what the cloud wants is passed over', reason: valid.reason });
  }

  #noDocument(payload: Buffer): void {
    const rejection = parseMessage(ShadowRejection, payload);
    if (!rejection.ok || rejection.value.code !== NOT_FOUND) return;
    this.#shadowAnswered();
    this.#options.wanted?.(undefined);
  }

  #answered(attempt: string, schema: typeof FirmwareAnswer | typeof FirmwareRejection, payload: Buffer): void {
    const message = parseMessage<v.GenericSchema<unknown, FirmwareAnswer | FirmwareRejection>>(schema, payload);
    if (!message.ok) {
      this.#options.log.warn('firmware.unreadable', { attempt, reason: message.reason });
      return;
    }
    const { value } = message;
    const waiting = this.#waiting.get(keyOf(attempt, value));
    waiting?.('code' in value ? { ok: false, rejection: value } : { ok: true, answer: value });
  }

  /** Undefined when no answer came. A later request of the same kind takes the place of an earlier one. */
  async #request(attempt: string, body: FirmwareRequest, signal: AbortSignal): Promise<Answer | undefined> {
    const { thing, clock } = this.#options;
    const connection = this.#connection;
    if (!connection || signal.aborted) return undefined;
    const waiting = new AbortController();
    let answer: Answer | undefined;
    const key = keyOf(attempt, body);
    const take = (given: Answer): void => {
      // A late answer to an earlier report.
      if (given.ok && given.answer.type === 'status' && body.type === 'status' && given.answer.state !== body.state)
        return;
      answer = given;
      waiting.abort();
    };
    this.#waiting.set(key, take);
    const stop = AbortSignal.any([connection.over, signal, waiting.signal]);
    const sent = connection.session.publish(firmwareTopic(thing, attempt), Buffer.from(JSON.stringify(body)));
    void sent.then(({ kind }) => {
      if (kind === 'refused') waiting.abort();
      if (kind === 'acknowledged' && this.filters.length === 0) take({ ok: true, answer: { type: 'running' } });
    });
    await pause(clock, ANSWER_MS, stop);
    if (this.#waiting.get(key) === take) this.#waiting.delete(key);
    return answer;
  }
}

/** Which answer is to which request: an answer to a report names the state. */
function keyOf(attempt: string, body: { readonly type: string; readonly state?: string }): string {
  return body.type === 'status' ? `${attempt} status` : `${attempt} ${body.type}`;
}

function namedShadowTopic(thing: string, name: string): string {
  return shadowTopic(thing, `name/${FIRMWARE_SHADOW}/${name}`);
}
