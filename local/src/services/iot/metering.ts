/**
 * What AWS IoT Core counts of messages, shadows and rules
 * (https://aws.amazon.com/iot-core/pricing/additional-details).
 */
import { IOT_MESSAGE_BYTES, IOT_OPERATION_BYTES, increments } from '../../meter/increments.ts';
import type { Meter } from '../../meter/meter.ts';
import type { IotMessage, MqttProperties } from './types.ts';

/** What is counted apart of messaging. */
type MessageKind =
  | 'CONNECT'
  | 'SUBSCRIBE'
  | 'PUBACK received'
  | 'PUBLISH received'
  | 'PUBLISH sent'
  | 'PUBLISH over HTTPS'
  | 'RETAINED';

/** Counts a message of so many bytes. */
export function meterMessage(meter: Meter, kind: MessageKind, bytes = 0): void {
  meter.add('iotMessage', kind, increments(bytes, IOT_MESSAGE_BYTES));
}

/** Counts a message that was accepted; one with the RETAIN flag counts a second time for being kept. */
export function meterPublish(
  meter: Meter,
  kind: MessageKind,
  message: Pick<IotMessage, 'topic' | 'payload' | 'retain' | 'properties'>,
): void {
  const bytes = publishBytes(message);
  meterMessage(meter, kind, bytes);
  if (message.retain) meterMessage(meter, 'RETAINED', bytes);
}

/** Payload and topic and, with MQTT 5, user properties, response topic, correlation data and content type. */
export function publishBytes({
  topic,
  payload,
  properties,
}: Pick<IotMessage, 'topic' | 'payload' | 'properties'>): number {
  return Buffer.byteLength(topic) + payload.length + propertyBytes(properties);
}

function propertyBytes({ userProperties, responseTopic, correlationData, contentType }: MqttProperties): number {
  let bytes = (correlationData?.length ?? 0) + textBytes(responseTopic) + textBytes(contentType);
  for (const [key, value] of userProperties ?? []) bytes += textBytes(key) + textBytes(value);
  return bytes;
}

function textBytes(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text);
}

/** Counts a request to a shadow, by the size of its state in 1 KB steps. */
export function meterShadow(meter: Meter, operation: string, stateBytes: number): void {
  meter.add('iotOperation', operation, increments(stateBytes, IOT_OPERATION_BYTES));
}

/** The size of a message as rules and actions count it, in 5 KB steps. */
export function ruleIncrements({ payload }: IotMessage): number {
  return increments(payload.length, IOT_MESSAGE_BYTES);
}
