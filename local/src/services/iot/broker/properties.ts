/** MQTT 5 properties between packets and messages (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt5-properties). */
import type { IPublishPacket, UserProperties } from 'mqtt-packet';
import type { IotMessage, MqttProperties } from '../types.ts';
import {
  MAX_CONTENT_TYPE_BYTES,
  MAX_CORRELATION_DATA_BYTES,
  MAX_MESSAGE_EXPIRY_SECONDS,
  MAX_USER_PROPERTIES_BYTES,
} from './limits.ts';
import { REASON } from './reason-codes.ts';
import { hasWildcard } from './topics.ts';

type PacketProperties = NonNullable<IPublishPacket['properties']>;

export interface PropertyProblem {
  readonly reasonCode: number;
  readonly message: string;
}

const NONE: MqttProperties = {};

/** The properties of a PUBLISH or a will as messages carry them, or why they are refused. */
export function readProperties(
  given: Omit<PacketProperties, 'topicAlias'> | undefined,
): MqttProperties | PropertyProblem {
  if (!given) return NONE;
  // The parser makes a list of a property that came twice, which only user properties may.
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value)) return { reasonCode: REASON.protocolError, message: `${name} came twice` };
  }
  if (given.subscriptionIdentifier !== undefined) {
    return { reasonCode: REASON.protocolError, message: 'a client sends no subscription identifier in a PUBLISH' };
  }
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, messageExpiryInterval } = given;
  const userProperties = given.userProperties && toPairs(given.userProperties);
  const problem = tooLarge(contentType, correlationData, userProperties) ?? badResponseTopic(responseTopic);
  if (problem) return problem;
  return {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator }),
    ...(messageExpiryInterval !== undefined && { messageExpiryInterval: clampExpiry(messageExpiryInterval) }),
    ...(userProperties && { userProperties }),
  };
}

/** AWS takes 1 to 604 800 seconds; what is outside becomes the nearest (mqtt, "Message expiry"). */
export function clampExpiry(seconds: number): number {
  return Math.min(Math.max(seconds, 1), MAX_MESSAGE_EXPIRY_SECONDS);
}

/** When a message expires, epoch milliseconds; undefined when it never does. */
export function expiresAt(message: IotMessage): number | undefined {
  const seconds = message.properties.messageExpiryInterval;
  return seconds === undefined ? undefined : message.receivedAt + seconds * 1000;
}

/** The properties of a message for a PUBLISH to an MQTT 5 client; the expiry is what is left of it at `now`. */
export function writeProperties(message: IotMessage, now: number): PacketProperties | undefined {
  const given = message.properties;
  if (given === NONE) return undefined;
  const expiry = expiresAt(message);
  return {
    ...(given.contentType !== undefined && { contentType: given.contentType }),
    ...(given.responseTopic !== undefined && { responseTopic: given.responseTopic }),
    ...(given.correlationData !== undefined && { correlationData: given.correlationData }),
    ...(given.payloadFormatIndicator !== undefined && { payloadFormatIndicator: given.payloadFormatIndicator }),
    ...(expiry !== undefined && { messageExpiryInterval: Math.max(0, Math.floor((expiry - now) / 1000)) }),
    ...(given.userProperties && { userProperties: fromPairs(given.userProperties) }),
  };
}

function tooLarge(
  contentType: string | undefined,
  correlationData: Buffer | undefined,
  userProperties: readonly (readonly [string, string])[] | undefined,
): PropertyProblem | undefined {
  const reasonCode = REASON.quotaExceeded;
  if (contentType && Buffer.byteLength(contentType) > MAX_CONTENT_TYPE_BYTES) {
    return { reasonCode, message: `a content type has at most ${MAX_CONTENT_TYPE_BYTES} bytes` };
  }
  if (correlationData && correlationData.length > MAX_CORRELATION_DATA_BYTES) {
    return { reasonCode, message: `correlation data has at most ${MAX_CORRELATION_DATA_BYTES} bytes` };
  }
  const bytes = userProperties?.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0) ?? 0;
  if (bytes > MAX_USER_PROPERTIES_BYTES) {
    return { reasonCode, message: `user properties have at most ${MAX_USER_PROPERTIES_BYTES} bytes` };
  }
  return undefined;
}

function badResponseTopic(topic: string | undefined): PropertyProblem | undefined {
  if (topic === undefined || !hasWildcard(topic)) return undefined;
  return { reasonCode: REASON.protocolError, message: 'a response topic has no wildcards' };
}

function toPairs(properties: UserProperties): readonly (readonly [string, string])[] {
  return Object.entries(properties).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => [key, each] as const),
  );
}

function fromPairs(pairs: readonly (readonly [string, string])[]): UserProperties {
  // Without a prototype, so that a property may be called anything.
  const properties: Record<string, string[]> = Object.create(null);
  for (const [key, value] of pairs) {
    const values = properties[key];
    if (values) values.push(value);
    else properties[key] = [value];
  }
  return properties;
}
