import type { Timer } from '../../../kernel/clock.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Access } from './access.ts';
import type { Client, ConnectionInfo } from './client.ts';
import { CONNECTION_INFO_SECONDS } from './limits.ts';
import type { DisconnectReason } from './presence.ts';
import { Session, type Subscription } from './session.ts';
import type { SharedGroup } from './shared-group.ts';
import { SubscriptionTree } from './subscription-tree.ts';
import { type ParsedFilter, parseFilter } from './topics.ts';

/** What GetConnection tells of a client that has gone. */
export interface PastConnection extends ConnectionInfo {
  readonly disconnectedAt: number;
  readonly reason: DisconnectReason;
}

/** The sessions by client id, and where their subscriptions are found. */
export class SessionStore {
  readonly subscriptions = new SubscriptionTree();
  readonly #kernel: Kernel;
  readonly #sessions = new Map<string, Session>();
  readonly #expiries = new Map<Session, Timer>();
  readonly #past = new Map<string, PastConnection>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  find(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  get all(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** Takes over a kept session, which waits for its client as long as it would have. */
  restore(session: Session, detachedAt: number): void {
    session.detachedAt = detachedAt;
    this.#sessions.set(session.clientId, session);
    this.#expire(session, detachedAt);
  }

  /** The last connection of a client that is not connected; known for 30 minutes. */
  findPast(clientId: string): PastConnection | undefined {
    const past = this.#past.get(clientId);
    return past && !isForgotten(past, this.#kernel.clock.now()) ? past : undefined;
  }

  /** The session for a new connection: the one that is kept, if the client wants it and speaks the same version. */
  open(
    clientId: string,
    options: { clean: boolean; version: 4 | 5; expirySeconds: number; access: Access },
  ): { readonly session: Session; readonly resumed: boolean } {
    const kept = this.#sessions.get(clientId);
    this.#past.delete(clientId);
    if (kept && !options.clean && kept.version === options.version) {
      this.#expiries.get(kept)?.cancel();
      this.#expiries.delete(kept);
      kept.expirySeconds = options.expirySeconds;
      kept.detachedAt = undefined;
      this.#changeAccess(kept, options.access);
      return { session: kept, resumed: true };
    }
    if (kept) this.discard(kept);
    const session = new Session(clientId, options.version, options.expirySeconds, options.access);
    this.#sessions.set(clientId, session);
    return { session, resumed: false };
  }

  subscribe(session: Session, filter: ParsedFilter, subscription: Subscription): SharedGroup | undefined {
    session.subscriptions.set(subscription.text, subscription);
    return this.subscriptions.add(session, filter, subscription);
  }

  /** False when there was no such subscription. */
  unsubscribe(session: Session, text: string): boolean {
    const filter = parseFilter(text);
    if ('filter' in filter) this.subscriptions.remove(session, filter);
    return session.subscriptions.delete(text);
  }

  /** Sends a resumed session what has waited for it, in its own queue and in those of its shared subscriptions. */
  resume(session: Session): void {
    const now = this.#kernel.clock.now();
    session.pump(now);
    for (const text of session.subscriptions.keys()) {
      const filter = parseFilter(text);
      if ('filter' in filter) this.subscriptions.group(filter)?.drainTo(session, now);
    }
  }

  /** The connection of a session has ended: the session waits for its client, or ends. */
  detach(client: Client, reason: DisconnectReason): void {
    const { session } = client;
    const now = this.#kernel.clock.now();
    this.#remember({ ...client.info(), disconnectedAt: now, reason });
    const toOthers = session.detach();
    if (session.persistent) {
      session.detachedAt = now;
      this.#expire(session, now);
    } else {
      this.discard(session);
    }
    // "Unacknowledged QoS 1 messages published to a shared subscription group" go to another member or wait for one.
    for (const { message, group } of toOthers) group?.dispatch(message, now);
  }

  /** Ends a session: its subscriptions and what waits for it are gone. */
  discard(session: Session): void {
    this.#expiries.get(session)?.cancel();
    this.#expiries.delete(session);
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
    for (const text of [...session.subscriptions.keys()]) this.unsubscribe(session, text);
  }

  #expire(session: Session, detachedAt: number): void {
    const expiry = this.#kernel.clock.at(detachedAt + session.expirySeconds * 1000, () => this.discard(session));
    this.#expiries.set(session, expiry);
  }

  /** The map is in the order of disconnection, so what is too old stands first. */
  #remember(past: PastConnection): void {
    this.#past.delete(past.clientId);
    this.#past.set(past.clientId, past);
    for (const [clientId, each] of this.#past) {
      if (!isForgotten(each, past.disconnectedAt)) break;
      this.#past.delete(clientId);
    }
  }

  /** Another certificate may resume the session of a client id, but only what its own policies allow it. */
  #changeAccess(session: Session, access: Access): void {
    session.access = access;
    for (const text of [...session.subscriptions.keys()]) {
      if (!access.maySubscribe(text)) this.unsubscribe(session, text);
    }
  }
}

function isForgotten({ disconnectedAt }: PastConnection, now: number): boolean {
  return now >= disconnectedAt + CONNECTION_INFO_SECONDS * 1000;
}
