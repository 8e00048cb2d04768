import type * as v from 'valibot';
import { Backoff } from '../backoff.ts';
import { type Clock, pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import { parseMessage } from '../parse-message.ts';
import type { Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';
import { DeviceShadow, type ShadowUpdate, shadowTopic } from '../shadow.ts';
import type { Applier } from './appliers.ts';
import { isValues, Members } from './members.ts';
import { ShadowDelta, ShadowDocument, ShadowRejection } from './shadow-messages.ts';

/** Pauses between questions and reports that were not answered: from 1 s up to 10 min. */
const PAUSES = { baseMs: 1_000, capMs: 600_000, stableMs: 1_200_000 };
/** What could not be applied is tried again after 30 s to an hour. */
const RETRIES = { baseMs: 30_000, capMs: 3_600_000, stableMs: 7_200_000 };
/** How long the shadow may take. */
const ANSWER_MS = 10_000;
/** A thing without a shadow. */
const NOT_FOUND = 404;

export interface DesiredStateOptions {
  readonly thing: string;
  readonly appliers: ReadonlyMap<string, Applier>;
  readonly clock: Clock;
  readonly log: Log;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

interface Connection {
  readonly session: Session;
  readonly shadow: DeviceShadow;
  readonly over: AbortSignal;
  /** The version of the shadow that is known; older news are passed over. */
  version: number;
  /** Ends the wait for the whole shadow. */
  answered: () => void;
  /** The shadow does not take what is reported. */
  refused: boolean;
  reports: number;
}

/**
 * Makes the device be as the shadow's `desired` says, member by member, and reports it then and not before. On every connection it
 * asks for the whole shadow, so that nothing is missed; in between it hears deltas. Values are states, not orders: only the latest
 * counts, and after a start all are applied once, since what they were may be gone with the power.
 */
export class DesiredState implements SessionPart {
  readonly filters: readonly string[];
  readonly #options: DesiredStateOptions;
  readonly #members: Members;
  readonly #ending = new AbortController();
  readonly #pauses: Backoff;
  readonly #retries: Backoff;
  #connection: Connection | undefined;
  #busy = false;

  constructor(options: DesiredStateOptions) {
    const random = options.random && { random: options.random };
    this.#options = options;
    this.#members = new Members(options.appliers.keys());
    this.#pauses = new Backoff({ ...PAUSES, ...random });
    this.#retries = new Backoff({ ...RETRIES, ...random });
    this.filters = ['update/delta', 'get/accepted', 'get/rejected'].map((name) => shadowTopic(options.thing, name));
  }

  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void {
    const { thing, clock } = this.#options;
    const updated = ({ version, reported }: ShadowUpdate): void => {
      this.#members.taken(reported?.errors, version);
      void this.#work();
    };
    const shadow = new DeviceShadow({ session, thing, clock, updated });
    const connection: Connection = {
      session,
      shadow,
      over,
      version: -1,
      answered: () => {},
      refused: false,
      reports: 0,
    };
    this.#connection = connection;
    over.addEventListener('abort', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    const [delta, accepted, rejected] = this.filters;
    session.onMessage((topic, payload) => {
      if (topic === delta) this.#read(ShadowDelta, payload, (news) => this.#delta(connection, news));
      else if (topic === accepted) this.#read(ShadowDocument, payload, (news) => this.#document(connection, news));
      else if (topic === rejected) this.#read(ShadowRejection, payload, (news) => this.#rejected(connection, news));
    });
    void this.#begin(connection, subscribed);
  }

  /** What is under way is given up: it is applied with the next start. */
  end(): Promise<void> {
    this.#ending.abort();
    return Promise.resolve();
  }

  async #begin(connection: Connection, subscribed: () => Promise<boolean>): Promise<void> {
    if (await subscribed()) await this.#ask(connection);
  }

  /** Asks for the whole shadow until it comes; this question takes the place of an earlier one. */
  async #ask(connection: Connection): Promise<void> {
    const { thing, clock } = this.#options;
    const { session, over } = connection;
    const waiting = new AbortController();
    connection.answered();
    connection.answered = () => waiting.abort();
    const stop = AbortSignal.any([over, waiting.signal]);
    while (!stop.aborted) {
      await session.publish(shadowTopic(thing, 'get'), Buffer.from('{}'));
      await pause(clock, ANSWER_MS, stop);
      await pause(clock, this.#pauses.nextAt(clock.uptime()), stop);
    }
  }

  #document(connection: Connection, { version, state }: v.InferOutput<typeof ShadowDocument>): void {
    // An older one does not say all that a later delta has left out.
    if (version < connection.version) {
      void this.#ask(connection);
      return;
    }
    connection.answered();
    connection.version = version;
    this.#members.document(state.desired ?? {}, state.reported ?? {}, version);
    void this.#work();
  }

  #delta(connection: Connection, { version, state }: v.InferOutput<typeof ShadowDelta>): void {
    if (version <= connection.version) return;
    connection.version = version;
    const entries = Object.entries(state);
    // Of an object it holds only what differs; the whole is needed.
    if (entries.some(([name, value]) => this.#members.has(name) && isValues(value))) void this.#ask(connection);
    this.#members.delta(Object.fromEntries(entries.filter(([, value]) => !isValues(value))), version);
    void this.#work();
  }

  #rejected(connection: Connection, { code, message: reason }: v.InferOutput<typeof ShadowRejection>): void {
    // There is no shadow yet; its first `desired` comes as a delta.
    if (code === NOT_FOUND) connection.answered();
    else this.#options.log.warn('state.rejected', { message: 'the shadow is not shown', reason });
  }

  #read<S extends v.GenericSchema>(schema: S, payload: Buffer, take: (news: v.InferOutput<S>) => void): void {
    const message = parseMessage(schema, payload);
    if (message.ok) take(message.value);
    else this.#options.log.warn('state.unreadable', { message: 'this news of the shadow is passed over', ...message });
  }

  /** Applies and reports until nothing is left to do. */
  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (!this.#ending.signal.aborted) {
        const next = this.#members.toApply();
        if (next) {
          await this.#apply(next.name, next.value);
          continue;
        }
        const report = this.#members.toReport();
        if (!report || !this.#connection || this.#connection.refused) return;
        await this.#report(this.#connection, report);
      }
    } finally {
      this.#busy = false;
    }
  }

  async #apply(name: string, value: unknown): Promise<void> {
    const { appliers, clock, log } = this.#options;
    const { signal } = this.#ending;
    try {
      await appliers.get(name)?.(value, signal);
      this.#members.applied(name, value);
      log.info('state.applied', { name, value });
    } catch (error) {
      if (signal.aborted) return;
      const reason = messageOf(error);
      const retryInMs = this.#retries.nextAt(clock.uptime());
      this.#members.failed(name, value, reason);
      log.warn('state.failed', { name, value, reason, retryInMs });
      void pause(clock, retryInMs, signal).then(() => {
        this.#members.retry();
        void this.#work();
      });
    }
  }

  async #report(connection: Connection, report: Readonly<Record<string, unknown>>): Promise<void> {
    const { clock, log } = this.#options;
    const { session, shadow, over } = connection;
    connection.reports += 1;
    this.#members.reporting(report);
    const answer = await shadow.update(report, `state-${session.id}-${connection.reports}`, over);
    if (answer.kind === 'accepted') {
      this.#members.reported(report, answer.version);
      return;
    }
    if (over.aborted) return;
    log.warn('state.not_reported', { message: 'the shadow does not say yet what was applied', ...answer });
    connection.refused = answer.kind === 'rejected' && !answer.passing;
    if (!connection.refused) await pause(clock, this.#pauses.nextAt(clock.uptime()), over);
  }
}
