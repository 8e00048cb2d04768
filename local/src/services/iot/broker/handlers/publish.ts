import type { IPublishPacket } from 'mqtt-packet';
import { meterPublish } from '../../metering.ts';
import type { Client } from '../client.ts';
import { MAX_PAYLOAD_BYTES, MAX_TOPIC_ALIAS } from '../limits.ts';
import type { MessageBroker } from '../message-broker.ts';
import { readProperties } from '../properties.ts';
import { REASON } from '../reason-codes.ts';
import { isBasicIngest, isReserved, reservedTopicProblem, topicProblem } from '../topics.ts';

interface Refusal {
  readonly reasonCode: number;
  readonly message: string;
  /** True when also MQTT 5 closes the connection instead of answering with the PUBACK. */
  readonly fatal?: true;
}

/** Takes a message of a client: PUBACK follows when the bus has it. */
export function handlePublish(broker: MessageBroker, client: Client, packet: IPublishPacket): void {
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
  const topic = resolveAlias(client, packet);
  const refusal = typeof topic === 'string' ? refusalOf(client, topic, packet, payload) : topic;
  if (refusal) {
    refuse(broker, client, packet, refusal);
    return;
  }
  const properties = readProperties(packet.properties);
  if ('reasonCode' in properties) {
    refuse(broker, client, packet, properties);
    return;
  }
  if (typeof topic !== 'string') return;
  const message = { topic, payload, qos: packet.qos === 0 ? 0 : 1, retain: packet.retain, properties } as const;
  if (!isBasicIngest(topic)) meterPublish(broker.kernel.meter, 'PUBLISH received', message);
  broker.publish(client, message);
  if (packet.qos === 1) client.connection.acknowledge(packet.messageId ?? 0);
}

/** MQTT 5, section 3.3.2.3.4: the topic, or the one that the alias stands for. */
function resolveAlias(client: Client, packet: IPublishPacket): string | Refusal {
  const alias = packet.properties?.topicAlias;
  if (alias === undefined) return packet.topic;
  if (alias < 1 || alias > MAX_TOPIC_ALIAS) {
    return { reasonCode: REASON.topicAliasInvalid, message: `topic aliases are 1 to ${MAX_TOPIC_ALIAS}`, fatal: true };
  }
  if (packet.topic !== '') {
    client.topicAliases.set(alias, packet.topic);
    return packet.topic;
  }
  const topic = client.topicAliases.get(alias);
  return topic ?? { reasonCode: REASON.protocolError, message: `topic alias ${alias} stands for nothing`, fatal: true };
}

function refusalOf(client: Client, topic: string, packet: IPublishPacket, payload: Buffer): Refusal | undefined {
  // "When QoS level 2 is requested, the message broker doesn't send a PUBACK" (mqtt, differences).
  if (packet.qos === 2) {
    return { reasonCode: REASON.qosNotSupported, message: 'AWS IoT has QoS 0 and 1 only', fatal: true };
  }
  if (packet.qos === 1 && !packet.messageId) {
    return { reasonCode: REASON.protocolError, message: 'a QoS 1 PUBLISH has a packet identifier', fatal: true };
  }
  // "if the client attempts to publish with a payload that exceeds the payload limit" (life-cycle-events, CLIENT_ERROR).
  if (payload.length > MAX_PAYLOAD_BYTES) {
    const message = `a payload has at most ${MAX_PAYLOAD_BYTES} bytes`;
    return { reasonCode: REASON.packetTooLarge, message, fatal: true };
  }
  const problem = topicProblem(topic);
  if (problem !== undefined) return { reasonCode: REASON.topicNameInvalid, message: problem };
  if (!client.access.mayPublish(topic, packet.retain)) {
    return { reasonCode: REASON.notAuthorized, message: `not authorized to publish to ${topic}` };
  }
  if (!isReserved(topic)) return undefined;
  // "Unsupported publish or subscribe operations to reserved topics can result in a terminated connection."
  const reserved = reservedTopicProblem(topic);
  if (reserved !== undefined) return { reasonCode: REASON.topicNameInvalid, message: reserved, fatal: true };
  // "You can't publish to a reserved topic with the RETAIN flag set" (mqtt, "Creating a retained message").
  if (!packet.retain) return undefined;
  return { reasonCode: REASON.topicNameInvalid, message: 'nothing is retained on reserved topics', fatal: true };
}

/**
 * MQTT 3.1.1 has no negative PUBACK: the connection closes (aws/aws-sdk-java issue 144). MQTT 5 answers QoS 1 with the
 * reason code; QoS 0 has no answer, so the connection closes with it.
 */
function refuse(broker: MessageBroker, client: Client, packet: IPublishPacket, refusal: Refusal): void {
  const { reasonCode, message } = refusal;
  broker.kernel.log.info('mqtt publish refused', { clientId: client.clientId, topic: packet.topic, why: message });
  if (client.version === 5 && packet.qos === 1 && !refusal.fatal) {
    const properties = client.wantsReasons && { properties: { reasonString: message } };
    client.connection.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode, ...properties });
    return;
  }
  broker.end(client, reasonCode === REASON.notAuthorized ? 'AUTH_ERROR' : 'CLIENT_ERROR', { reasonCode, message });
}
