import type { Socket } from 'node:net';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { WebSocketUpgrade } from '../../../kernel/service.ts';
import { MAX_PACKET_BYTES, WEBSOCKET_SECONDS } from './limits.ts';
import type { MessageBroker } from './message-broker.ts';

const PATH = '/mqtt';
/** "The WebSocket subprotocol is mqtt" (protocols). */
const SUBPROTOCOL = 'mqtt';
/** What stands for a connection that ended without a Close frame (RFC 6455, section 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/**
 * MQTT over WebSocket at `/mqtt` on the AWS endpoint, signed for `iotdevicegateway`
 * (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws). False for another path.
 */
export function acceptMqtt(broker: MessageBroker): (upgrade: WebSocketUpgrade) => boolean {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PACKET_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  return ({ incoming, socket, head, caller }) => {
    if (incoming.url?.split('?')[0] !== PATH) return false;
    // What comes over HTTP is a TCP connection; the type of the event knows less.
    const network = socket as Socket;
    server.handleUpgrade(incoming, socket, head, (webSocket) => {
      // Before the stream hears of it: a Close frame says goodbye as DISCONNECT does (life-cycle-events).
      webSocket.once('close', (code) => {
        if (connection.client && code !== NO_CLOSE_FRAME) broker.end(connection.client, 'CLIENT_INITIATED_DISCONNECT');
      });
      const stream = Object.assign(createWebSocketStream(webSocket), { reset: () => void network.resetAndDestroy() });
      const connection = broker.accept(stream, {
        kind: 'iam',
        caller,
        sourceIp: network.remoteAddress,
        sourcePort: network.remotePort,
        targetIp: network.localAddress,
        targetPort: network.localPort,
      });
      const end = broker.kernel.clock.after(WEBSOCKET_SECONDS * 1000, () => {
        if (connection.client) broker.end(connection.client, 'WEBSOCKET_TTL_EXPIRATION');
        else connection.destroy();
      });
      stream.once('close', () => end.cancel());
    });
    return true;
  };
}
