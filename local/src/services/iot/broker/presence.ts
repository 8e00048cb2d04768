/** Life-cycle events (https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html). */
import type { Timer } from '../../../kernel/clock.ts';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { ConnectedThing, MessageBus } from '../types.ts';
import { VERSION_RESET_SECONDS } from './limits.ts';

export type DisconnectReason =
  | 'API_INITIATED_DISCONNECT'
  | 'AUTH_ERROR'
  | 'CLIENT_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_ERROR'
  | 'SERVER_INITIATED_DISCONNECT'
  | 'WEBSOCKET_TTL_EXPIRATION';

/** Who an event is about. */
export interface PresenceOf {
  readonly clientId: string;
  /** Events name it only "if the client is connecting using the exclusive thing feature". */
  readonly thing: ConnectedThing | undefined;
  readonly sessionIdentifier: string;
  readonly principalIdentifier: string;
}

interface Counter {
  readonly version: number;
  /** Undefined while connected. */
  readonly resetsAt: number | undefined;
}

interface RunningCounter extends Counter {
  readonly reset: Timer | undefined;
}

/** Publishes the events and counts the version numbers of client ids. */
export class Presence {
  readonly #kernel: Kernel;
  readonly #bus: MessageBus;
  /** Without those whose time is over: clients that call themselves differently each time would fill the memory. */
  readonly #counters = new Map<string, RunningCounter>();

  constructor(kernel: Kernel, bus: MessageBus) {
    this.#kernel = kernel;
    this.#bus = bus;
  }

  /** Gives the version number of this connection; its disconnection carries the same. */
  connected(who: PresenceOf, ipAddress: string | undefined): number {
    const versionNumber = this.#nextVersion(who.clientId);
    this.#publish('presence/connected', who, { eventType: 'connected' }, { ipAddress, versionNumber });
    return versionNumber;
  }

  /** `sessionSeconds`: how long the session is kept; the counter is kept as long, or for an hour. */
  disconnected(
    who: PresenceOf,
    versionNumber: number,
    disconnectReason: DisconnectReason,
    sessionSeconds: number,
  ): void {
    const seconds = sessionSeconds || VERSION_RESET_SECONDS;
    if (this.#counters.get(who.clientId)?.version === versionNumber) {
      this.#count(who.clientId, { version: versionNumber, resetsAt: this.#kernel.clock.now() + seconds * 1000 });
    }
    const clientInitiatedDisconnect = disconnectReason === 'CLIENT_INITIATED_DISCONNECT';
    this.#publish(
      'presence/disconnected',
      who,
      { eventType: 'disconnected' },
      { clientInitiatedDisconnect, disconnectReason, versionNumber },
    );
  }

  *save(): Generator<KeptRecord> {
    for (const [clientId, { version, resetsAt }] of this.#counters) {
      yield [`presence/${clientId}`, { clientId, version, resetsAt }];
    }
  }

  restore(records: KeptRecords): void {
    for (const { clientId, version, resetsAt } of records.all<Counter & { readonly clientId: string }>('presence/')) {
      this.#count(clientId, { version, resetsAt });
    }
  }

  connectFailed(who: PresenceOf, ipAddress: string | undefined): void {
    const what = { eventType: 'connect_failed', connectFailureReason: 'AUTHORIZATION_FAILED' };
    this.#publish('presence/connect_failed', who, what, { ipAddress });
  }

  subscribed(who: PresenceOf, topics: readonly string[]): void {
    this.#publish('subscriptions/subscribed', who, { eventType: 'subscribed' }, { topics });
  }

  unsubscribed(who: PresenceOf, topics: readonly string[]): void {
    this.#publish('subscriptions/unsubscribed', who, { eventType: 'unsubscribed' }, { topics });
  }

  #nextVersion(clientId: string): number {
    const counter = this.#counters.get(clientId);
    const version = counter ? counter.version + 1 : 0;
    this.#count(clientId, { version, resetsAt: undefined });
    return version;
  }

  #count(clientId: string, { version, resetsAt }: Counter): void {
    this.#counters.get(clientId)?.reset?.cancel();
    const forget = () => this.#counters.delete(clientId);
    const reset = resetsAt === undefined ? undefined : this.#kernel.clock.at(resetsAt, forget);
    this.#counters.set(clientId, { version, resetsAt, reset });
  }

  #publish(
    topic: string,
    { clientId, thing, sessionIdentifier, principalIdentifier }: PresenceOf,
    what: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, unknown>>,
  ): void {
    // "Client IDs that contain # or + do not receive lifecycle events."
    if (clientId.includes('#') || clientId.includes('+')) return;
    const timestamp = this.#kernel.clock.now();
    this.#bus.publishFromService(`$aws/events/${topic}/${clientId}`, {
      clientId,
      ...(thing?.isExclusive && { thingName: thing.name }),
      timestamp,
      ...what,
      sessionIdentifier,
      principalIdentifier,
      ...more,
    });
  }
}
