import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { type Onboarding, registerAnswerTopics } from './onboarding.ts';
import { Presence, type SessionPresence } from './presence.ts';
import { blamesPacket, type Session, type SessionEnd } from './session.ts';
import type { SessionPart } from './session-part.ts';
import { shadowAnswerTopics } from './shadow.ts';

/** In one SUBSCRIBE: https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits */
const MAX_FILTERS = 8;
/** So long it says nothing of itself after the server has ended a connection for it. */
const SILENCE_MS = 3_600_000;

export interface IntroductionOptions {
  readonly thing: string;
  readonly onboarding: Onboarding;
  /** What else speaks with the cloud. */
  readonly parts: readonly SessionPart[];
  readonly clock: Clock;
  readonly log: Log;
  /** What the shadow says beside the connection. */
  readonly details: () => Readonly<Record<string, unknown>>;
}

export interface SessionIntroduction {
  /** What is reported beside the connection has changed. */
  changed(): void;
  /** Says that the device is about to go; never rejects. */
  end(): Promise<void>;
  /**
   * The end of the session as far as it is the readings' business: without the reason code when the server may have meant
   * something that was said here.
   */
  judge(end: SessionEnd): SessionEnd;
}

/**
 * What the agent says and hears on a session, beside its readings and without holding them up: that it is connected, what it
 * is, and what its other parts are about. All that comes from the cloud comes through one SUBSCRIBE, or as many as its filters need. Where the device's policy does not allow this, the server may end the connection:
 * then readings alone are sent for an hour.
 */
export class Introduction {
  readonly #options: IntroductionOptions;
  readonly #presence: Presence;
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(options: IntroductionOptions) {
    this.#options = options;
    this.#presence = new Presence(options);
  }

  on(session: Session): SessionIntroduction {
    const { clock, onboarding, parts } = this.#options;
    if (clock.uptime() < this.#silentUntil) {
      return { changed: () => {}, end: () => Promise.resolve(), judge: (end) => end };
    }
    let unanswered = 0;
    const counted = countUnanswered(session, (change) => {
      unanswered += change;
    });
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    const subscribed = this.#subscription(counted);
    void onboarding.on(counted, subscribed, over.signal);
    for (const part of parts) part.on(counted, subscribed, over.signal);
    const presence: SessionPresence = this.#presence.on(counted, subscribed);
    return {
      changed: () => presence.changed(),
      end: () => presence.end(),
      judge: (end) => {
        if (unanswered === 0 || !blamesPacket(end)) return end;
        this.#fallSilent(end.reason);
        return { reason: end.reason };
      },
    };
  }

  /** Subscribes when it is asked for the first time, and again when it was asked before in vain. */
  #subscription(session: Session): () => Promise<boolean> {
    const { thing, log, parts } = this.#options;
    const filters = [
      ...shadowAnswerTopics(thing),
      ...registerAnswerTopics(thing),
      ...parts.flatMap((part) => part.filters),
    ];
    const subscribe = async (): Promise<boolean> => {
      for (let at = 0; at < filters.length; at += MAX_FILTERS) {
        const some = filters.slice(at, at + MAX_FILTERS);
        const outcome = await session.subscribe(some);
        if (outcome.kind === 'granted') continue;
        attempt = undefined;
        log.warn('subscription.failed', { message: 'answers of the cloud do not arrive', filters: some, ...outcome });
        return false;
      }
      return true;
    };
    let attempt: Promise<boolean> | undefined;
    return () => {
      attempt ??= subscribe();
      return attempt;
    };
  }

  #fallSilent(reason: string): void {
    const { clock, log } = this.#options;
    this.#silentUntil = clock.uptime() + SILENCE_MS;
    const message =
      'the server ended the connection while the device spoke of itself: does its policy allow its shadow and its own topics? For an hour it sends readings only';
    log.error('presence.silent', { message, reason });
  }
}

/** Tells of everything that is sent, +1, and that it was answered, -1. */
function countUnanswered(session: Session, count: (change: 1 | -1) => void): Session {
  const counted = async <Outcome extends { readonly kind: string }>(sent: Promise<Outcome>): Promise<Outcome> => {
    count(1);
    const outcome = await sent;
    if (outcome.kind !== 'unanswered') count(-1);
    return outcome;
  };
  return {
    id: session.id,
    closed: session.closed,
    disconnect: () => session.disconnect(),
    onMessage: (listener) => session.onMessage(listener),
    subscribe: (filters) => counted(session.subscribe(filters)),
    publish: (topic, payload) => counted(session.publish(topic, payload)),
  };
}
