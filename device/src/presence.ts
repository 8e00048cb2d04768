import { Backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { Log } from './log.ts';
import type { Session } from './session.ts';
import { DeviceShadow, type ShadowUpdate } from './shadow.ts';

/** Pauses between reports of one session: from 1 s up to 10 min, and small again after 20 min without a second report. */
const PAUSES = { baseMs: 1_000, capMs: 600_000, stableMs: 1_200_000 };

export interface PresenceOptions {
  readonly thing: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What the shadow says beside the connection. All of it together below 1 KB, which is one billed operation. */
  readonly details: () => Readonly<Record<string, unknown>>;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/**
 * Says in the thing's shadow that the device is connected, and in which session. Of the topics on which it could see that
 * the shadow says otherwise, it hears `update/accepted`: that one carries only what an update changed, and answers its own
 * report too. `update/documents` would bring the whole document twice for every update, and `update/delta` nothing without
 * a `desired`. A connection is so one SUBSCRIBE, one update and one answer.
 */
export class Presence {
  readonly options: PresenceOptions;
  readonly #pauses: Backoff;

  constructor(options: PresenceOptions) {
    this.options = options;
    this.#pauses = new Backoff({ ...PAUSES, ...(options.random && { random: options.random }) });
  }

  /**
   * Reports at once on a new session.
   *
   * @param subscribed resolves when the answers are subscribed, or cannot be.
   */
  on(session: Session, subscribed: () => Promise<unknown>): SessionPresence {
    return new SessionPresence(this, session, subscribed);
  }

  /**
   * How long to wait, in milliseconds, before a report that is not the first of its session. The series outlives sessions:
   * whoever contradicts the reports for ever, perhaps another agent with this identity, gets a slow answer.
   */
  nextPause(): number {
    return this.#pauses.nextAt(this.options.clock.uptime());
  }
}

/**
 * The reports of one session. INVARIANT: as long as the session lasts, and the last accepted update that is known of is not a
 * report of this session that says it all, another report is under way. Updates are ordered by the shadow's version, since
 * answers come in any order.
 */
export class SessionPresence {
  readonly #presence: Presence;
  readonly #session: Session;
  readonly #subscribed: () => Promise<unknown>;
  readonly #shadow: DeviceShadow;
  /** Aborted when the session is over, or is about to be ended. */
  readonly #over = new AbortController();
  #running: Promise<void> | undefined;
  /** Falls in the same moment in which it was found that nothing is due, so that what comes after that starts anew. */
  #busy = false;
  /** Number of the last report. */
  #sent = 0;
  /** The first report that holds all that is to be said, and the last that was accepted. */
  #needed = 1;
  #accepted = 0;
  /** Versions of the shadow: of the last accepted report, and of the last update that says otherwise. */
  #acceptedVersion = -1;
  #otherwiseVersion = -1;

  constructor(presence: Presence, session: Session, subscribed: () => Promise<unknown>) {
    const { thing, clock } = presence.options;
    this.#presence = presence;
    this.#session = session;
    this.#subscribed = subscribed;
    this.#shadow = new DeviceShadow({ session, thing, clock, updated: (update) => this.#updated(update) });
    void session.closed.then(() => this.#over.abort());
    this.#run();
  }

  /** What is reported beside the connection has changed. */
  changed(): void {
    this.#needed = this.#sent + 1;
    this.#run();
  }

  /** Says that the device is about to go, and resolves when the broker has it. A last will is then not to be expected. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#running;
    this.#sent += 1;
    const reported = { connected: false, session: this.#session.id };
    await this.#shadow.update(reported, this.#token(), this.#over.signal);
  }

  #run(): void {
    if (!this.#busy) this.#running = this.#report();
  }

  async #report(): Promise<void> {
    const { clock, log, details } = this.#presence.options;
    const { signal } = this.#over;
    this.#busy = true;
    try {
      while (!signal.aborted && this.#isDue()) {
        if (this.#sent > 0) await pause(clock, this.#presence.nextPause(), signal);
        await Promise.race([this.#subscribed(), aborted(signal)]);
        if (signal.aborted || !this.#isDue()) continue;
        this.#sent += 1;
        const reported = { connected: true, session: this.#session.id, ...details() };
        const answer = await this.#shadow.update(reported, this.#token(), signal);
        if (answer.kind === 'accepted' || signal.aborted) continue;
        log.warn(`presence.${answer.kind}`, { message: 'the shadow does not say yet that it is connected', ...answer });
        // Until it connects again, or somebody else changes the shadow.
        if (answer.kind === 'rejected' && !answer.passing) return;
      }
    } finally {
      this.#busy = false;
    }
  }

  #isDue(): boolean {
    return this.#accepted < this.#needed || this.#otherwiseVersion > this.#acceptedVersion;
  }

  #updated({ version, token, reported }: ShadowUpdate): void {
    if (this.#over.signal.aborted) return;
    const { id } = this.#session;
    const { log } = this.#presence.options;
    const wasDue = this.#isDue();
    if (token?.startsWith(`${id}-`)) {
      this.#accepted = Math.max(this.#accepted, Number(token.slice(id.length + 1)));
      this.#acceptedVersion = Math.max(this.#acceptedVersion, version);
      if (wasDue && !this.#isDue()) log.info('presence.reported', { session: id, version });
      return;
    }
    if (!saysOtherwise(reported, id)) return;
    this.#otherwiseVersion = Math.max(this.#otherwiseVersion, version);
    if (!wasDue && this.#isDue()) {
      const message = 'the shadow was made to say something else about this connection; it is put right';
      log.warn('presence.contradicted', { message, reported, version });
    }
    this.#run();
  }

  #token(): string {
    return `${this.#session.id}-${this.#sent}`;
  }
}

/** Whether an update by somebody else has made the shadow say that this session is not the one that is connected. */
function saysOtherwise(reported: ShadowUpdate['reported'], session: string): boolean {
  if (reported === undefined) return false;
  if (reported === null) return true;
  const { connected = true, session: named = session } = reported;
  return connected !== true || named !== session;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
