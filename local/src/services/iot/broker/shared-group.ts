import type { IotMessage } from '../types.ts';
import { MAX_QUEUED_PER_SESSION, SESSION_EXPIRY_SECONDS } from './limits.ts';
import { expiresAt } from './properties.ts';
import type { Session, Subscription } from './session.ts';

/**
 * The subscribers of one `$share/<name>/<filter>`. Each message goes to one of those online, at random; while none is
 * online and one of them has a persistent session, QoS 1 messages wait for the next
 * (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5-shared-subscription).
 */
export class SharedGroup {
  readonly members = new Map<Session, Subscription>();
  #queue: IotMessage[] = [];

  /** What waits for a member to come online. */
  get waiting(): readonly IotMessage[] {
    return this.#queue;
  }

  /** Takes over what waited in a kept group. */
  restore(waiting: readonly IotMessage[]): void {
    this.#queue = [...waiting];
  }

  dispatch(message: IotMessage, now: number): void {
    const online = [...this.members.keys()].filter((each) => each.client);
    const chosen = online[Math.floor(Math.random() * online.length)];
    if (chosen) {
      this.#deliver(chosen, message, now);
      return;
    }
    const keeps = [...this.members.keys()].some((each) => each.persistent);
    if (keeps && message.qos === 1 && this.#queue.length < MAX_QUEUED_PER_SESSION) this.#queue.push(message);
  }

  /** A member has come online or joined: it gets what waits and has not expired. */
  drainTo(session: Session, now: number): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const message of waiting) {
      const until = expiresAt(message) ?? message.receivedAt + SESSION_EXPIRY_SECONDS * 1000;
      if (until > now) this.#deliver(session, message, now);
    }
  }

  #deliver(session: Session, message: IotMessage, now: number): void {
    const qos = this.members.get(session)?.qos === 1 && message.qos === 1 ? 1 : 0;
    session.deliver({ message, qos, retain: false, group: this }, now);
  }
}
