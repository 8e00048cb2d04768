import type { Packet } from 'mqtt-packet';
import { meterMessage } from '../../metering.ts';
import type { Connection } from '../connection.ts';
import type { MessageBroker } from '../message-broker.ts';
import { REASON } from '../reason-codes.ts';
import { handleConnect } from './connect.ts';
import { handleDisconnect } from './disconnect.ts';
import { handlePublish } from './publish.ts';
import { handleSubscribe } from './subscribe.ts';
import { handleUnsubscribe } from './unsubscribe.ts';

/** Hands a packet to its handler; a packet that AWS IoT does not take ends the connection. */
export function dispatch(broker: MessageBroker, connection: Connection, packet: Packet): void {
  const { client } = connection;
  if (!client) {
    // MQTT 3.1.1, [MQTT-3.1.0-1]: the first packet is a CONNECT.
    if (packet.cmd === 'connect') handleConnect(broker, connection, packet);
    else connection.destroy();
    return;
  }
  switch (packet.cmd) {
    case 'publish':
      handlePublish(broker, client, packet);
      return;
    case 'puback':
      meterMessage(broker.kernel.meter, 'PUBACK received');
      client.session.acknowledge(packet.messageId ?? 0, broker.kernel.clock.now());
      return;
    case 'subscribe':
      handleSubscribe(broker, client, packet);
      return;
    case 'unsubscribe':
      handleUnsubscribe(broker, client, packet);
      return;
    case 'pingreq':
      connection.send({ cmd: 'pingresp' });
      return;
    case 'disconnect':
      handleDisconnect(broker, client, packet);
      return;
    default:
      // PUBREC, PUBREL, PUBCOMP and AUTH are not supported; a second CONNECT is the documentation's own example of a
      // CLIENT_ERROR (mqtt, "AWS IoT differences from MQTT specifications"; life-cycle-events).
      broker.end(client, 'CLIENT_ERROR', {
        reasonCode: REASON.protocolError,
        message: `AWS IoT does not take ${packet.cmd.toUpperCase()} here`,
      });
  }
}
