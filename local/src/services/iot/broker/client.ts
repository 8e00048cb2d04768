import { generate } from 'mqtt-packet';
import type { Timer } from '../../../kernel/clock.ts';
import type { Meter, Running } from '../../../meter/meter.ts';
import { meterMessage, publishBytes } from '../metering.ts';
import type { ConnectedThing, MqttProperties } from '../types.ts';
import type { Access } from './access.ts';
import type { Connection, Peer } from './connection.ts';
import { MAX_IN_FLIGHT, MAX_UNSENT_BYTES } from './limits.ts';
import type { Outgoing } from './outgoing.ts';
import { writeProperties } from './properties.ts';
import type { Session } from './session.ts';

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties: MqttProperties;
}

export interface ClientOptions {
  readonly connection: Connection;
  readonly session: Session;
  readonly meter: Meter;
  /** Its connection-minutes. */
  readonly connectivity: Running;
  /** New for every connection, also when a session is resumed. */
  readonly sessionIdentifier: string;
  readonly principalIdentifier: string;
  readonly thing: ConnectedThing | undefined;
  readonly keepAliveSeconds: number;
  readonly connectedAt: number;
  readonly will: Will | undefined;
  /** MQTT 5: how many QoS 1 messages the client takes unacknowledged, and its longest packet. */
  readonly receiveMaximum?: number | undefined;
  readonly maximumPacketSize?: number | undefined;
  /** MQTT 5: false when acknowledgements must not explain themselves. */
  readonly wantsReasons?: boolean | undefined;
}

/** What the operators' API shows of a connection. */
export interface ConnectionInfo {
  readonly clientId: string;
  readonly thingName: string | undefined;
  readonly cleanSession: boolean;
  readonly keepAliveSeconds: number;
  readonly sessionExpirySeconds: number;
  readonly peer: Peer;
}

/** A connection whose CONNECT was accepted. */
export class Client {
  readonly connection: Connection;
  readonly session: Session;
  readonly connectivity: Running;
  readonly clientId: string;
  readonly sessionIdentifier: string;
  readonly principalIdentifier: string;
  readonly thing: ConnectedThing | undefined;
  readonly keepAliveSeconds: number;
  readonly connectedAt: number;
  readonly inFlightWindow: number;
  readonly wantsReasons: boolean;
  /** MQTT 5: what the client's topic aliases stand for. */
  readonly topicAliases = new Map<number, string>();
  readonly #meter: Meter;
  readonly #maximumPacketSize: number | undefined;
  will: Will | undefined;
  versionNumber = 0;
  /** Virtual time of the last packet, for the keep-alive. */
  lastPacketAt: number;
  keepAliveTimer: Timer | undefined;
  ended = false;

  constructor(options: ClientOptions) {
    this.connection = options.connection;
    this.session = options.session;
    this.#meter = options.meter;
    this.connectivity = options.connectivity;
    this.clientId = options.session.clientId;
    this.sessionIdentifier = options.sessionIdentifier;
    this.principalIdentifier = options.principalIdentifier;
    this.thing = options.thing;
    this.keepAliveSeconds = options.keepAliveSeconds;
    this.connectedAt = options.connectedAt;
    this.lastPacketAt = options.connectedAt;
    this.will = options.will;
    this.inFlightWindow = Math.min(options.receiveMaximum ?? MAX_IN_FLIGHT, MAX_IN_FLIGHT);
    this.wantsReasons = options.wantsReasons ?? true;
    this.#maximumPacketSize = options.maximumPacketSize;
  }

  get access(): Access {
    return this.session.access;
  }

  get version(): 4 | 5 {
    return this.session.version;
  }

  info(): ConnectionInfo {
    return {
      clientId: this.clientId,
      thingName: this.thing?.name,
      cleanSession: !this.session.persistent,
      keepAliveSeconds: this.keepAliveSeconds,
      sessionExpirySeconds: this.session.expirySeconds,
      peer: this.connection.peer,
    };
  }

  /** Sends a PUBLISH; `packetId` is there for QoS 1. Never with DUP, which AWS does not use. */
  sendPublish({ message, qos, retain }: Outgoing, packetId: number | undefined, now: number): void {
    // QoS 0 is at most once: a client that does not keep up misses messages instead of filling our memory.
    if (qos === 0 && this.connection.unsentBytes > MAX_UNSENT_BYTES) return;
    const properties = this.version === 5 ? writeProperties(message, now) : undefined;
    const bytes = generate(
      {
        cmd: 'publish',
        topic: message.topic,
        payload: message.payload,
        qos,
        dup: false,
        retain,
        ...(packetId !== undefined && { messageId: packetId }),
        ...(properties && { properties }),
      },
      { protocolVersion: this.version },
    );
    // MQTT 5, section 3.1.2.11.4: what is too long for the client is dropped as if it had been delivered.
    if (bytes.length > (this.#maximumPacketSize ?? Number.POSITIVE_INFINITY)) {
      if (packetId !== undefined) this.session.acknowledge(packetId, now);
      return;
    }
    meterMessage(this.#meter, 'PUBLISH sent', publishBytes(message));
    this.connection.sendBytes(bytes);
  }
}
