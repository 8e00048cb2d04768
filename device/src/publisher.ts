import type { Log } from './log.ts';
import type { Outbox, OutboxMessage } from './outbox.ts';
import { blamesPacket, type PublishOutcome, type Session, type SessionEnd } from './session.ts';

/** AWS IoT takes 100 unacknowledged messages; a few keep the line busy. */
const WINDOW = 20;
/** PUBACK "quota exceeded": too much was sent, and no message is to blame for it. */
const QUOTA_EXCEEDED = 0x97;
/** PUBACK "implementation specific error": of a server in trouble, or of one that stumbles over this very message. */
const SERVER_TROUBLE = 0x83;
/** So many times a message is tried over which the server stumbles while it takes others, and one for which it closes the connection. */
const MAX_STRIKES = { trouble: 10, closed: 3 } as const;

export interface PublisherOptions {
  readonly outbox: Outbox;
  readonly topicOf: (sensor: string) => string;
  readonly log: Log;
}

/**
 * Sends what waits in the outbox over a session. A message leaves the outbox on PUBACK only. One that the cloud refuses, or
 * for which it closes the connection again and again, is set aside, so that it cannot hold up the others.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  /** `published`: how many messages were acknowledged at the last strike. */
  readonly #strikes = new Map<string, { readonly count: number; readonly published: number }>();
  #unanswered: OutboxMessage[] = [];
  #window = WINDOW;
  #running: Promise<void> | undefined;
  /** Messages acknowledged since the start. */
  published = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Sends until nothing waits or an answer stays out. Calls while it runs join the run. */
  flush(session: Session): Promise<void> {
    this.#running ??= this.#send(session).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends a session's run; when the server blamed a packet, finds out which one. */
  async sessionEnded(end: SessionEnd): Promise<void> {
    await this.#running;
    const suspects = this.#unanswered;
    this.#unanswered = [];
    const [first] = suspects;
    if (!first || !blamesPacket(end)) {
      for (const message of suspects) this.#options.outbox.putBack(message);
      return;
    }
    // One at a time from now on, so that the next time it is clear which one it was.
    this.#window = 1;
    if (suspects.length === 1) this.#strike(first, end.reason, MAX_STRIKES.closed);
    else for (const message of suspects) this.#options.outbox.putBack(message);
  }

  async #send(session: Session): Promise<void> {
    const { outbox } = this.#options;
    // The session lives, so these were given up waiting for.
    for (const message of this.#unanswered.splice(0)) outbox.putBack(message);
    const inFlight = new Set<Promise<boolean>>();
    let going = true;
    while (going) {
      const message = outbox.take();
      if (!message) break;
      const sent = this.#sendOne(session, message).finally(() => inFlight.delete(sent));
      inFlight.add(sent);
      if (inFlight.size >= this.#window) going = await Promise.race(inFlight);
    }
    const results = await Promise.all(inFlight);
    if (going && results.every(Boolean)) this.#window = WINDOW;
  }

  /** False when there is no use in sending more now. */
  async #sendOne(session: Session, message: OutboxMessage): Promise<boolean> {
    const { log, outbox, topicOf } = this.#options;
    const { id, sensor, readings, payload } = message;
    const outcome: PublishOutcome = await session.publish(topicOf(sensor), payload);
    switch (outcome.kind) {
      case 'acknowledged':
        outbox.acknowledge(message);
        this.#strikes.delete(id);
        this.published += 1;
        log.info('telemetry.published', { sensor, id, readings, bytes: payload.length });
        return true;
      case 'refused':
        return this.#refused(message, outcome);
      case 'unanswered':
        this.#unanswered.push(message);
        log.debug('telemetry.unanswered', { sensor, id, readings, reason: outcome.reason });
        return false;
    }
  }

  #refused(message: OutboxMessage, { reasonCode, reason }: Extract<PublishOutcome, { kind: 'refused' }>): boolean {
    if (reasonCode !== QUOTA_EXCEEDED && reasonCode !== SERVER_TROUBLE) {
      this.#setAside(message, reason);
      return true;
    }
    this.#options.log.debug('telemetry.unanswered', { sensor: message.sensor, id: message.id, reason });
    // A server that takes nothing at all says nothing about this message.
    const othersPass = this.#strikes.get(message.id)?.published !== this.published;
    if (reasonCode === SERVER_TROUBLE && othersPass) this.#strike(message, reason, MAX_STRIKES.trouble);
    else this.#options.outbox.putBack(message);
    return false;
  }

  #strike(message: OutboxMessage, reason: string, most: number): void {
    const count = (this.#strikes.get(message.id)?.count ?? 0) + 1;
    if (count >= most) {
      this.#setAside(message, reason);
    } else {
      this.#strikes.set(message.id, { count, published: this.published });
      this.#options.outbox.putBack(message);
    }
  }

  #setAside(message: OutboxMessage, reason: string): void {
    const { id, sensor, readings, payload } = message;
    this.#options.outbox.setAside(message);
    this.#strikes.delete(id);
    this.#options.log.error('telemetry.set_aside', {
      message: 'the cloud refuses this message; it is not sent again',
      ...{ sensor, id, readings, reason, payload: payload.toString() },
    });
  }
}
