import type { IConnectPacket } from 'mqtt-packet';
import type { Will } from './client.ts';
import type { Refusal } from './connack.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';
import { readProperties } from './properties.ts';
import { REASON } from './reason-codes.ts';
import { isReserved, topicProblem } from './topics.ts';

/**
 * The last will of a CONNECT, or why it is refused. AWS's list of MQTT 5 properties has no Will Delay Interval: the
 * will is published as soon as the connection has ended.
 */
export function readWill({ will }: IConnectPacket): Will | Refusal | undefined {
  if (!will) return undefined;
  if (will.qos === 2) return { reasonCode: REASON.qosNotSupported, message: 'AWS IoT has QoS 0 and 1 only' };
  const payload = Buffer.from(will.payload);
  if (payload.length > MAX_PAYLOAD_BYTES) {
    return { reasonCode: REASON.packetTooLarge, message: `a payload has at most ${MAX_PAYLOAD_BYTES} bytes` };
  }
  const problem = topicProblem(will.topic);
  if (problem !== undefined) return { reasonCode: REASON.topicNameInvalid, message: problem };
  const retain = will.retain ?? false;
  if (retain && isReserved(will.topic)) {
    return { reasonCode: REASON.topicNameInvalid, message: 'nothing is retained on reserved topics' };
  }
  const properties = readProperties(will.properties);
  if ('reasonCode' in properties) return properties;
  return { topic: will.topic, payload, qos: will.qos === 1 ? 1 : 0, retain, properties };
}
