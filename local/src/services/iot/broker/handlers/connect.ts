import { randomUUID } from 'node:crypto';
import type { IConnectPacket } from 'mqtt-packet';
import { DEVICES } from '../../../../meter/meter.ts';
import { meterMessage, publishBytes } from '../../metering.ts';
import type { IotPrincipal } from '../../types.ts';
import { Access } from '../access.ts';
import { Client, type Will } from '../client.ts';
import { type Refusal, refuse, sendConnack } from '../connack.ts';
import type { Connection } from '../connection.ts';
import {
  MAX_CLIENT_ID_BYTES,
  MAX_KEEP_ALIVE_SECONDS,
  MIN_CLIENT_PACKET_BYTES,
  MIN_KEEP_ALIVE_SECONDS,
} from '../limits.ts';
import type { MessageBroker } from '../message-broker.ts';
import { REASON, RETURN_CODE } from '../reason-codes.ts';
import { readWill } from '../will.ts';

/**
 * Decides about a new connection: certificate (and with it just-in-time registration), limits, iot:Connect and the
 * will, in this order; an older connection of the same client id has to go.
 */
export function handleConnect(broker: MessageBroker, connection: Connection, packet: IConnectPacket): void {
  if (packet.protocolVersion !== 4 && packet.protocolVersion !== 5) {
    // AWS IoT speaks MQTT 3.1.1 and 5, not 3.1 (protocols).
    connection.end({ cmd: 'connack', returnCode: RETURN_CODE.unacceptableProtocolVersion, sessionPresent: false });
    return;
  }
  connection.version = packet.protocolVersion;
  const clientId = packet.clientId === '' ? randomUUID() : packet.clientId;
  const principal = identify(broker, connection, clientId);
  if (!principal) {
    // Measured on AWS: the registering connection closes without CONNACK (ministackorg/ministack PR 1755).
    connection.destroy();
    return;
  }
  const refusal = limitRefusal(packet);
  if (refusal) {
    refuse(connection, refusal);
    return;
  }
  const will = readWill(packet);
  if (will && 'reasonCode' in will) {
    refuse(connection, will);
    return;
  }
  const { authorizer, kernel } = broker;
  const { sourceIp } = connection.peer;
  const access = new Access({ authorizer, principal, clientId, sourceIp });
  const expirySeconds = sessionExpiry(packet, broker.sessionExpirySeconds);
  const who = {
    clientId,
    thing: principal.kind === 'certificate' ? broker.directory.thingOf(principal.certificate, clientId) : undefined,
    sessionIdentifier: randomUUID(),
    principalIdentifier: identifierOf(principal),
  };
  if (!mayConnect(broker, access, clientId, will, expirySeconds > 0)) {
    kernel.log.info('mqtt connection refused: not authorized', who);
    broker.presence.connectFailed(who, sourceIp);
    // The columns of the denial differ: MQTT 3.1.1 closes without CONNACK, MQTT 5 says 0x87 first.
    if (packet.protocolVersion === 4) connection.destroy();
    else refuse(connection, { reasonCode: REASON.notAuthorized, message: 'not authorized' });
    return;
  }

  const older = broker.clients.get(clientId);
  if (older) broker.end(older, 'DUPLICATE_CLIENTID', { reasonCode: REASON.sessionTakenOver });
  const opened = broker.sessions.open(clientId, {
    clean: packet.clean ?? true,
    version: packet.protocolVersion,
    expirySeconds,
    access,
  });
  const client = new Client({
    connection,
    session: opened.session,
    meter: kernel.meter,
    connectivity: kernel.meter.start(
      'iotConnection',
      principal.kind === 'certificate' ? DEVICES : 'clients with SigV4',
    ),
    sessionIdentifier: who.sessionIdentifier,
    principalIdentifier: who.principalIdentifier,
    thing: who.thing,
    keepAliveSeconds: effectiveKeepAlive(packet.keepalive ?? 0),
    connectedAt: kernel.clock.now(),
    will,
    receiveMaximum: packet.properties?.receiveMaximum,
    maximumPacketSize: packet.properties?.maximumPacketSize,
    wantsReasons: packet.properties?.requestProblemInformation,
  });
  opened.session.client = client;
  connection.client = client;
  broker.clients.set(clientId, client);
  meterMessage(kernel.meter, 'CONNECT', Buffer.byteLength(clientId) + (will ? publishBytes(will) : 0));
  sendConnack(client, packet, opened.resumed);
  client.versionNumber = broker.presence.connected(who, sourceIp);
  broker.watchKeepAlive(client);
  kernel.log.debug('mqtt connected', who);
  if (opened.resumed) broker.sessions.resume(opened.session);
}

/** Who connects; undefined when the certificate may not, for instance because it has just been registered. */
function identify(broker: MessageBroker, { peer }: Connection, clientId: string): IotPrincipal | undefined {
  if (peer.kind === 'iam') return { kind: 'iam', caller: peer.caller };
  const found = broker.directory.identify({ der: peer.der, sni: peer.sni, clientId });
  if (found.kind === 'active') return { kind: 'certificate', certificate: found.certificate };
  broker.kernel.log.info('mqtt connection refused', { clientId, why: found.reason });
  return undefined;
}

function identifierOf(principal: IotPrincipal): string {
  return principal.kind === 'certificate' ? principal.certificate.certificateId : principal.caller.arn;
}

function limitRefusal({ protocolVersion, clientId, clean, properties }: IConnectPacket): Refusal | undefined {
  if (clientId === '' && !clean && protocolVersion === 4) {
    // MQTT 3.1.1, [MQTT-3.1.3-8].
    const message = 'a client without a client id needs a clean session';
    return { reasonCode: REASON.clientIdNotValid, returnCode: RETURN_CODE.identifierRejected, message };
  }
  if (Buffer.byteLength(clientId) > MAX_CLIENT_ID_BYTES || clientId.includes('\u0000')) {
    const message = `a client id has at most ${MAX_CLIENT_ID_BYTES} bytes and no null character`;
    return { reasonCode: REASON.clientIdNotValid, returnCode: RETURN_CODE.identifierRejected, message };
  }
  if (properties?.authenticationMethod !== undefined) {
    // "AWS IoT doesn't support ... AUTH" (mqtt, differences).
    return { reasonCode: REASON.badAuthenticationMethod, message: 'AWS IoT has no enhanced authentication' };
  }
  if (properties?.receiveMaximum === 0 || properties?.maximumPacketSize === 0) {
    return { reasonCode: REASON.protocolError, message: 'receive maximum and maximum packet size are not zero' };
  }
  if ((properties?.maximumPacketSize ?? MIN_CLIENT_PACKET_BYTES) < MIN_CLIENT_PACKET_BYTES) {
    const message = `the maximum packet size is at least ${MIN_CLIENT_PACKET_BYTES} bytes`;
    return { reasonCode: REASON.unspecified, message };
  }
  return undefined;
}

/** iot:Connect with its condition keys, then the rights to publish the will (mqtt, "Using connectAttributes"). */
function mayConnect(
  broker: MessageBroker,
  access: Access,
  clientId: string,
  will: Will | undefined,
  persistent: boolean,
): boolean {
  const context = {
    'iot:ConnectAttributes': [...(persistent ? ['PersistentConnect'] : []), ...(will ? ['LastWill'] : [])],
    ...(will && { 'iot:LastWillTopic': broker.kernel.arn('iot', `topic/${will.topic}`) }),
  };
  return (
    access.allows('iot:Connect', `client/${clientId}`, context) && (!will || access.mayPublish(will.topic, will.retain))
  );
}

/** Seconds that the session outlives the connection: clean session or session expiry interval, up to the quota. */
function sessionExpiry({ protocolVersion, clean, properties }: IConnectPacket, maximum: number): number {
  if (protocolVersion === 5) return Math.min(properties?.sessionExpiryInterval ?? 0, maximum);
  return clean ? 0 : maximum;
}

/** Quotas, "Connection inactivity (keep-alive interval)". */
function effectiveKeepAlive(requested: number): number {
  if (requested === 0 || requested > MAX_KEEP_ALIVE_SECONDS) return MAX_KEEP_ALIVE_SECONDS;
  return Math.max(requested, MIN_KEEP_ALIVE_SECONDS);
}
