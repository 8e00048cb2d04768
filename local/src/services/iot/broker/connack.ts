import type { IConnackPacket, IConnectPacket } from 'mqtt-packet';
import type { Client } from './client.ts';
import type { Connection } from './connection.ts';
import { MAX_IN_FLIGHT, MAX_PACKET_BYTES, MAX_TOPIC_ALIAS } from './limits.ts';
import { REASON, RETURN_CODE } from './reason-codes.ts';

/** Why a CONNECT is refused, for both versions; without a return code MQTT 3.1.1 gets no CONNACK. */
export interface Refusal {
  readonly reasonCode: number;
  readonly returnCode?: number;
  readonly message: string;
}

/** Refuses a CONNECT and closes. */
export function refuse(connection: Connection, { reasonCode, returnCode, message }: Refusal): void {
  if (connection.version === 5) {
    connection.end({ cmd: 'connack', reasonCode, sessionPresent: false, properties: { reasonString: message } });
  } else {
    connection.end(returnCode === undefined ? undefined : { cmd: 'connack', returnCode, sessionPresent: false });
  }
}

/** Accepts a CONNECT; MQTT 5 is told what AWS supports and what it has changed (mqtt, "MQTT 5 properties"). */
export function sendConnack(client: Client, connect: IConnectPacket, sessionPresent: boolean): void {
  if (client.version === 4) {
    client.connection.send({ cmd: 'connack', returnCode: RETURN_CODE.accepted, sessionPresent });
    return;
  }
  const requestedExpiry = connect.properties?.sessionExpiryInterval;
  const properties: NonNullable<IConnackPacket['properties']> = {
    receiveMaximum: MAX_IN_FLIGHT,
    maximumQoS: 1,
    retainAvailable: true,
    maximumPacketSize: MAX_PACKET_BYTES,
    topicAliasMaximum: MAX_TOPIC_ALIAS,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: true,
    serverKeepAlive: client.keepAliveSeconds,
    ...(requestedExpiry !== undefined && { sessionExpiryInterval: client.session.expirySeconds }),
    ...(connect.clientId === '' && { assignedClientIdentifier: client.clientId }),
  };
  client.connection.send({ cmd: 'connack', reasonCode: REASON.success, sessionPresent, properties });
}
