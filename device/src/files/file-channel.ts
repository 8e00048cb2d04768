import {
  FileAnswer,
  FileRejection,
  type FileRequest,
  PENDING_TRANSFERS,
  TransferId,
} from '@thingstead/contracts/files';
import { filesTopic } from '@thingstead/contracts/topics';
import * as v from 'valibot';
import { Backoff } from '../backoff.ts';
import { type Clock, pause } from '../clock.ts';
import type { Log } from '../log.ts';
import { parseMessage } from '../parse-message.ts';
import type { Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';
import { GiveUp, TryLater } from './transfer-error.ts';

/** The function may have to start, and the rule repeats what failed. */
const ANSWER_MS = 30_000;
const AGAIN = { baseMs: 1_000, capMs: 300_000, stableMs: 60_000 };

type Asked = Exclude<FileRequest['type'], 'pending'>;
type Asks<Type extends Asked> = Extract<FileRequest, { type: Type }>;
/** An upload that is over is answered with that. */
type AnswerTo<Type extends Asked> = Extract<FileAnswer, { type: Type | (Type extends 'upload' ? 'complete' : never) }>;

export interface FileChannelOptions {
  readonly thing: string;
  /** The device takes files: the cloud is asked for those that wait. */
  readonly takesFiles: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
}

export interface FileChannelListener {
  offered(id: string, offer: Extract<FileAnswer, { type: 'offer' }>): void;
  /** A person has cancelled it. */
  cancelled(id: string): void;
}

interface Question {
  readonly id: string;
  readonly type: Asked;
  settle(answer: FileAnswer | FileRejection): void;
}

/** Requests about files and their answers over whatever session there is: each is sent until it is answered, since each may come twice. */
export class FileChannel implements SessionPart {
  readonly filters: readonly string[];
  readonly #options: FileChannelOptions;
  readonly #questions = new Set<Question>();
  readonly #connected = new Set<() => void>();
  #session: Session | undefined;
  #listener: FileChannelListener | undefined;

  constructor(options: FileChannelOptions) {
    this.#options = options;
    const topic = filesTopic(options.thing, '+');
    this.filters = [`${topic}/accepted`, `${topic}/rejected`];
  }

  /** From now on this one, and no other, hears what the cloud says by itself. */
  listen(listener: FileChannelListener): void {
    this.#listener = listener;
  }

  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void {
    session.onMessage((topic, payload) => this.#hear(topic, payload));
    over.addEventListener('abort', () => {
      if (this.#session === session) this.#session = undefined;
    });
    void subscribed().then((granted) => {
      if (!granted || over.aborted) return;
      this.#session = session;
      for (const wake of this.#connected) wake();
      void this.askForWaiting();
    });
  }

  /** Asks for the files that wait in the cloud; they come as offers. One that is lost is made up for by the next connection. */
  async askForWaiting(): Promise<void> {
    if (this.#options.takesFiles) await this.#publish(PENDING_TRANSFERS, { type: 'pending' });
  }

  /** Says it once, if there is a connection. */
  tell(id: string, progress: Asks<'progress'>): void {
    void this.#publish(id, progress);
  }

  /**
   * Asks until there is an answer, over as many connections as it takes.
   *
   * @throws TryLater and GiveUp when the answer is no, and the reason of the signal.
   */
  async ask<Type extends Asked>(id: string, request: Asks<Type>, signal: AbortSignal): Promise<AnswerTo<Type>> {
    const { clock, random } = this.#options;
    const backoff = new Backoff({ ...AGAIN, ...(random && { random }) });
    for (;;) {
      await this.#connection(signal);
      const answer = await this.#askOnce(id, request, signal);
      signal.throwIfAborted();
      if (!answer) {
        await pause(clock, backoff.next(), signal);
        continue;
      }
      if (!('code' in answer)) return answer as AnswerTo<Type>;
      const reason = `the cloud says no (${answer.code}): ${answer.reason}`;
      throw answer.retry ? new TryLater(reason) : new GiveUp(reason, answer.code !== 'unknown-transfer');
    }
  }

  /** Undefined when no answer came. */
  async #askOnce(
    id: string,
    request: Asks<Asked>,
    signal: AbortSignal,
  ): Promise<FileAnswer | FileRejection | undefined> {
    let answer: FileAnswer | FileRejection | undefined;
    const waiting = new AbortController();
    const stop = AbortSignal.any([waiting.signal, signal]);
    const question: Question = {
      id,
      type: request.type,
      settle: (given) => {
        answer ??= given;
        waiting.abort();
      },
    };
    this.#questions.add(question);
    try {
      const session = this.#session;
      void session?.closed.then(() => waiting.abort());
      if (await this.#publish(id, request)) await pause(this.#options.clock, ANSWER_MS, stop);
      return answer;
    } finally {
      this.#questions.delete(question);
    }
  }

  async #publish(id: string, request: FileRequest): Promise<boolean> {
    const { thing, log } = this.#options;
    const outcome = await this.#session?.publish(filesTopic(thing, id), Buffer.from(JSON.stringify(request)));
    if (outcome?.kind === 'refused') {
      log.warn('file.refused', { message: 'the broker refuses this message', id, reason: outcome.reason });
    }
    return outcome?.kind === 'acknowledged';
  }

  async #connection(signal: AbortSignal): Promise<void> {
    while (!this.#session) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#connected.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#connected.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  #hear(topic: string, payload: Buffer): void {
    const id = topic.split('/')[3] ?? '';
    const ours = filesTopic(this.#options.thing, id);
    if (topic === `${ours}/accepted`) this.#accepted(id, payload);
    else if (topic === `${ours}/rejected`) this.#settle(id, FileRejection, payload);
  }

  #accepted(id: string, payload: Buffer): void {
    const answer = this.#settle(id, FileAnswer, payload);
    if (!v.is(TransferId, id)) return;
    if (answer?.type === 'offer') this.#listener?.offered(id, answer);
    if (answer?.type === 'cancelled') this.#listener?.cancelled(id);
  }

  #settle<S extends typeof FileAnswer | typeof FileRejection>(
    id: string,
    schema: S,
    payload: Buffer,
  ): v.InferOutput<S> | undefined {
    const message = parseMessage(schema, payload);
    if (!message.ok) {
      // The reason might quote a key.
      this.#options.log.warn('file.unreadable', { message: 'this answer is passed over', id });
      return undefined;
    }
    const { value } = message;
    for (const question of this.#questions) {
      if (question.id === id && answers(question.type, value.type)) question.settle(value);
    }
    return value;
  }
}

function answers(asked: Asked, type: string): boolean {
  return type === asked || type === 'unknown' || (asked === 'upload' && type === 'complete');
}
