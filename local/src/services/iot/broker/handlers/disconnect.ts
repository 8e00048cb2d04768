import type { IDisconnectPacket } from 'mqtt-packet';
import type { Client } from '../client.ts';
import type { MessageBroker } from '../message-broker.ts';
import { REASON } from '../reason-codes.ts';

/** MQTT 5, section 3.14.2.1: the client wants its will to be published. */
const DISCONNECT_WITH_WILL = 0x04;

/** The client ends the connection; MQTT 5 may change the session expiry with it. */
export function handleDisconnect(broker: MessageBroker, client: Client, packet: IDisconnectPacket): void {
  const expiry = packet.properties?.sessionExpiryInterval;
  if (expiry !== undefined) {
    // "If the current session has a Session Expiry Interval of 0, you can't set it to greater than 0" (mqtt).
    if (!client.session.persistent && expiry > 0) {
      broker.end(client, 'CLIENT_ERROR', {
        reasonCode: REASON.protocolError,
        message: 'a session without expiry cannot get one with DISCONNECT',
      });
      return;
    }
    client.session.expirySeconds = Math.min(expiry, broker.sessionExpirySeconds);
  }
  broker.end(client, 'CLIENT_INITIATED_DISCONNECT', { sendWill: packet.reasonCode === DISCONNECT_WITH_WILL });
}
