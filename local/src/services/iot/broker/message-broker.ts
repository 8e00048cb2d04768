import { randomUUID } from 'node:crypto';
import type { Packet } from 'mqtt-packet';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { CertificateDirectory, IotAuthorizer, IotMessage, MessageBus } from '../types.ts';
import type { Client, Will } from './client.ts';
import { Connection, type NetworkStream, type Peer } from './connection.ts';
import { dispatch } from './handlers/dispatch.ts';
import { CONNECT_TIMEOUT_SECONDS, SESSION_EXPIRY_SECONDS } from './limits.ts';
import { type DisconnectReason, Presence } from './presence.ts';
import { REASON } from './reason-codes.ts';
import { RetainedMessages } from './retained-messages.ts';
import { SessionStore } from './session-store.ts';
import { isBasicIngest, isReserved } from './topics.ts';

export interface MessageBrokerOptions {
  readonly bus: MessageBus;
  readonly directory: CertificateDirectory;
  readonly authorizer: IotAuthorizer;
  /** The account's "Persistent session expiry period" in seconds; AWS's default is an hour. */
  readonly sessionExpirySeconds?: number;
}

export interface EndOptions {
  /** The MQTT 5 reason code of the DISCONNECT that the client gets; without it the connection closes without one. */
  readonly reasonCode?: number;
  readonly message?: string;
  /** Overrides what the table of life-cycle-events says about the will. */
  readonly sendWill?: boolean;
}

/**
 * Sessions, subscriptions, retained messages and presence of the MQTT clients, whatever network they come by. Accepted
 * messages go to the bus; what the bus carries goes to the subscribers.
 */
export class MessageBroker {
  readonly kernel: Kernel;
  readonly directory: CertificateDirectory;
  readonly authorizer: IotAuthorizer;
  readonly sessionExpirySeconds: number;
  readonly sessions: SessionStore;
  readonly retained = new RetainedMessages();
  readonly presence: Presence;
  readonly clients = new Map<string, Client>();
  readonly #bus: MessageBus;
  readonly #connections = new Set<Connection>();

  constructor(kernel: Kernel, options: MessageBrokerOptions) {
    this.kernel = kernel;
    this.#bus = options.bus;
    this.directory = options.directory;
    this.authorizer = options.authorizer;
    this.sessionExpirySeconds = options.sessionExpirySeconds ?? SESSION_EXPIRY_SECONDS;
    this.sessions = new SessionStore(kernel);
    this.presence = new Presence(kernel, options.bus);
    options.bus.listen((message) => this.#deliver(message));
    options.directory.onDeactivated((certificateId) => this.#endConnectionsOf(certificateId));
    kernel.faults.onPlanForNow(() => {
      for (const each of this.clients.values()) this.#isHarmed(each.connection, each.clientId, true);
    });
  }

  /** Takes a new network connection, whose first packet has to be a CONNECT. */
  accept(stream: NetworkStream, peer: Peer): Connection {
    const connection: Connection = new Connection(stream, peer, this.kernel.clock, {
      onPacket: (packet) => this.#handle(connection, packet),
      onMalformed: (message) => {
        if (connection.client)
          this.end(connection.client, 'CLIENT_ERROR', { reasonCode: REASON.malformedPacket, message });
        else connection.destroy();
      },
      onClosed: () => {
        timeout.cancel();
        this.#connections.delete(connection);
        if (connection.client) this.end(connection.client, 'CONNECTION_LOST');
      },
    });
    const timeout = this.kernel.clock.after(CONNECT_TIMEOUT_SECONDS * 1000, () => {
      if (!connection.client) connection.destroy();
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Hands a message that a client may publish to the bus. */
  publish(client: Client, message: Pick<IotMessage, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>): void {
    this.#bus.publish({
      ...message,
      // A copy: the payload is a part of a much larger buffer, which a queue would keep alive.
      payload: Buffer.from(message.payload),
      clientId: client.clientId,
      principal: client.principalIdentifier,
      sourceIp: client.connection.peer.sourceIp,
      receivedAt: this.kernel.clock.now(),
      traceId: randomUUID(),
    });
  }

  /**
   * Ends a connection as the table of life-cycle-events says: DISCONNECT for MQTT 5, event, and the will unless the
   * client has asked for the end.
   */
  end(client: Client, reason: DisconnectReason, options: EndOptions = {}): void {
    if (client.ended) return;
    client.ended = true;
    client.keepAliveTimer?.cancel();
    client.connectivity.stop();
    if (this.clients.get(client.clientId) === client) this.clients.delete(client.clientId);
    const { reasonCode, message } = options;
    this.kernel.log.debug('mqtt disconnected', { clientId: client.clientId, reason, message });
    client.connection.end(
      reasonCode === undefined || client.version === 4
        ? undefined
        : { cmd: 'disconnect', reasonCode, ...(message !== undefined && { properties: { reasonString: message } }) },
    );
    if (client.will && (options.sendWill ?? reason !== 'CLIENT_INITIATED_DISCONNECT'))
      this.#sendWill(client, client.will);
    this.presence.disconnected(client, client.versionNumber, reason, client.session.expirySeconds);
    this.sessions.detach(client, reason);
  }

  /** Closes a connection whose client has been silent for one and a half times its keep-alive. */
  watchKeepAlive(client: Client): void {
    const { clock } = this.kernel;
    const allowed = client.keepAliveSeconds * 1500;
    client.keepAliveTimer = clock.at(client.lastPacketAt + allowed, () => {
      if (client.ended) return;
      if (clock.now() < client.lastPacketAt + allowed) this.watchKeepAlive(client);
      else this.end(client, 'MQTT_KEEP_ALIVE_TIMEOUT', { reasonCode: REASON.keepAliveTimeout });
    });
  }

  /** Drops every client without events and wills: the account's state is thrown away. */
  close(): void {
    for (const connection of this.#connections) {
      if (connection.client) connection.client.ended = true;
      connection.client?.keepAliveTimer?.cancel();
      const tells = connection.client?.version === 5;
      connection.end(tells ? { cmd: 'disconnect', reasonCode: REASON.serverShuttingDown } : undefined);
    }
    this.clients.clear();
  }

  #handle(connection: Connection, packet: Packet): void {
    const clientId = packet.cmd === 'connect' ? packet.clientId : connection.client?.clientId;
    if (this.#isHarmed(connection, clientId, false)) return;
    if (connection.client) connection.client.lastPacketAt = this.kernel.clock.now();
    try {
      dispatch(this, connection, packet);
    } catch (error) {
      this.kernel.log.error('mqtt packet failed', { packet: packet.cmd, clientId: connection.client?.clientId, error });
      if (connection.client) this.end(connection.client, 'SERVER_ERROR', { reasonCode: REASON.unspecified });
      else connection.destroy();
    }
  }

  /** Does the harm that the plan of faults has for a connection; true when it gets no further packet. */
  #isHarmed(connection: Connection, clientId: string | undefined, now: boolean): boolean {
    const harm = this.kernel.faults.draw('connection', { clientId }, { now });
    if (harm?.do === 'cut') connection.cut();
    if (harm?.do === 'silence') connection.silence();
    return harm !== undefined;
  }

  #deliver(message: IotMessage): void {
    if (message.retain) this.retained.store(message);
    if (isBasicIngest(message.topic)) return;
    const { sessions, groups } = this.sessions.subscriptions.match(message.topic);
    if (sessions.size === 0 && groups.length === 0) return;
    const now = this.kernel.clock.now();
    for (const [session, subscription] of sessions) {
      if (subscription.noLocal && message.clientId === session.clientId) continue;
      const qos = message.qos === 1 && subscription.qos === 1 ? 1 : 0;
      const retain = message.retain && subscription.retainAsPublished;
      session.deliver({ message, qos, retain, group: undefined }, now);
    }
    for (const group of groups) group.dispatch(message, now);
  }

  #sendWill(client: Client, will: Will): void {
    // AWS does not act on wills on reserved topics: a rule has to republish them (device-shadow-data-flow).
    if (isReserved(will.topic)) {
      this.kernel.log.warn('a last will on a reserved topic is ignored, as on AWS', { topic: will.topic });
      return;
    }
    // Checked again: the policy may have changed since the CONNECT.
    if (client.access.mayPublish(will.topic, will.retain)) this.publish(client, will);
  }

  #endConnectionsOf(certificateId: string): void {
    for (const client of [...this.clients.values()]) {
      if (client.principalIdentifier !== certificateId) continue;
      this.end(client, 'AUTH_ERROR', { reasonCode: REASON.notAuthorized, message: 'the certificate is not active' });
    }
  }
}
