import type { Access } from './access.ts';
import type { Client } from './client.ts';
import { MAX_QUEUED_PER_SESSION } from './limits.ts';
import type { Outgoing } from './outgoing.ts';
import { expiresAt } from './properties.ts';

export interface Subscription {
  /** As the client wrote it, with the `$share` prefix. */
  readonly text: string;
  readonly qos: 0 | 1;
  /** MQTT 5: not the client's own messages. */
  readonly noLocal: boolean;
  /** MQTT 5: keep the RETAIN flag as it was published. */
  readonly retainAsPublished: boolean;
}

/**
 * What the broker keeps for a client id: subscriptions, QoS 1 messages not yet acknowledged and those that wait. A
 * session outlives its connection when the client asked for that.
 *
 * INVARIANT: a QoS 1 message is in flight, in the queue, acknowledged, expired or dropped for one of the reasons that
 * AWS names; a disconnection moves what is in flight back to the front of the queue.
 */
export class Session {
  readonly clientId: string;
  /** A session cannot be resumed with the other MQTT version (mqtt, "Creating a persistent session"). */
  readonly version: 4 | 5;
  readonly subscriptions = new Map<string, Subscription>();
  /** Seconds it is kept after a disconnection; 0: it ends with the connection. */
  expirySeconds: number;
  access: Access;
  client: Client | undefined;
  /** When its connection ended; undefined while it is connected. */
  detachedAt: number | undefined;
  #inFlight = new Map<number, Outgoing>();
  #queue: Outgoing[] = [];
  #nextPacketId = 1;

  constructor(clientId: string, version: 4 | 5, expirySeconds: number, access: Access) {
    this.clientId = clientId;
    this.version = version;
    this.expirySeconds = expirySeconds;
    this.access = access;
  }

  get persistent(): boolean {
    return this.expirySeconds > 0;
  }

  /** Sends now, keeps for later, or drops: what iot:Receive does not allow is dropped without a word. */
  deliver(outgoing: Outgoing, now: number): void {
    if (!this.access.onTopic('iot:Receive', outgoing.message.topic)) return;
    const { client } = this;
    if (outgoing.qos === 0) {
      client?.sendPublish(outgoing, undefined, now);
      return;
    }
    if (client && this.#queue.length === 0 && this.#inFlight.size < client.inFlightWindow) {
      this.#send(client, outgoing, now);
    } else if (this.#queue.length < MAX_QUEUED_PER_SESSION) {
      this.#queue.push(outgoing);
    }
  }

  /** A PUBACK came; false when nothing with this packet id is in flight. */
  acknowledge(packetId: number, now: number): boolean {
    const known = this.#inFlight.delete(packetId);
    if (this.#queue.length > 0) this.pump(now);
    return known;
  }

  /** Sends what waits, as far as the client's window allows. */
  pump(now: number): void {
    const { client } = this;
    if (!client) return;
    let sent = 0;
    for (const outgoing of this.#queue) {
      if (this.#inFlight.size >= client.inFlightWindow) break;
      sent += 1;
      // Rights may have changed since it was stored; an expired message is not delivered (mqtt, "Message expiry").
      const allowed = this.access.onTopic('iot:Receive', outgoing.message.topic);
      if (allowed && (expiresAt(outgoing.message) ?? Number.POSITIVE_INFINITY) > now) this.#send(client, outgoing, now);
    }
    this.#queue.splice(0, sent);
  }

  /** What is not acknowledged and what waits, in the order of delivery. */
  get undelivered(): readonly Outgoing[] {
    return [...this.#inFlight.values(), ...this.#queue];
  }

  /** Takes over what waited in a kept session. */
  restore(waiting: readonly Outgoing[]): void {
    this.#queue = [...waiting];
  }

  /**
   * The connection is gone. What was not acknowledged waits again, first in the queue and later under a new packet id
   * ("messages delivered more than once might be sent with a different packet ID"); messages of shared subscriptions
   * are given back for another member.
   */
  detach(): readonly Outgoing[] {
    this.client = undefined;
    const waiting = [...this.#inFlight.values(), ...this.#queue];
    this.#inFlight = new Map();
    this.#queue = waiting.filter((each) => !each.group);
    return waiting.filter((each) => each.group);
  }

  #send(client: Client, outgoing: Outgoing, now: number): void {
    const packetId = this.#freePacketId();
    this.#inFlight.set(packetId, outgoing);
    client.sendPublish(outgoing, packetId, now);
  }

  #freePacketId(): number {
    let id = this.#nextPacketId;
    while (this.#inFlight.has(id)) id = id === 0xffff ? 1 : id + 1;
    this.#nextPacketId = id === 0xffff ? 1 : id + 1;
    return id;
  }
}
