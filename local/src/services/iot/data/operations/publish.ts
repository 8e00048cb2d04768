import { randomUUID } from 'node:crypto';
import type { PublishRequest } from '@aws-sdk/client-iot-data-plane';
import { AwsError } from '../../../../kernel/errors.ts';
import type { Kernel } from '../../../../kernel/kernel.ts';
import { MAX_PAYLOAD_BYTES } from '../../broker/limits.ts';
import { clampExpiry } from '../../broker/properties.ts';
import { hasWildcard, isBasicIngest, isReserved, reservedTopicProblem, topicProblem } from '../../broker/topics.ts';
import { meterPublish } from '../../metering.ts';
import type { MessageBus, MqttProperties } from '../../types.ts';
import { dataOperation, invalidRequest, required } from '../data-operation.ts';

/**
 * Publishes a message over HTTP (https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html).
 *
 * @throws AwsError InvalidRequestException, RequestEntityTooLargeException for more than 128 KB
 */
export function publishOperation(kernel: Kernel, bus: MessageBus) {
  return dataOperation<PublishRequest, { message: string; traceId: string }>({
    permissions({ topic, retain }) {
      const resource = kernel.arn('iot', `topic/${required(topic, 'topic')}`);
      return [{ action: 'iot:Publish', resource }, ...(retain ? [{ action: 'iot:RetainPublish', resource }] : [])];
    },
    run(input, { principal, sourceIp }) {
      const topic = required(input.topic, 'topic');
      const { qos = 0, retain = false, payload = Buffer.alloc(0) } = input;
      if (qos !== 0 && qos !== 1) throw invalidRequest(`qos is 0 or 1, not ${qos}`);
      if (payload.length > MAX_PAYLOAD_BYTES) {
        const message = `a payload has at most ${MAX_PAYLOAD_BYTES} bytes`;
        throw new AwsError('RequestEntityTooLargeException', message, 413);
      }
      const problem = topicProblem(topic) ?? reservedTopicProblem(topic);
      if (problem !== undefined) throw invalidRequest(problem);
      if (retain && isReserved(topic)) throw invalidRequest('nothing is retained on reserved topics');
      const traceId = randomUUID();
      const properties = readProperties(input);
      const message = { topic, payload: Buffer.from(payload), qos, retain, properties } as const;
      // What a rule republishes comes from inside: its action is charged, not a request.
      if (sourceIp !== undefined && !isBasicIngest(topic)) meterPublish(kernel.meter, 'PUBLISH over HTTPS', message);
      bus.publish({
        ...message,
        clientId: undefined,
        principal,
        sourceIp,
        receivedAt: kernel.clock.now(),
        traceId,
      });
      return { message: 'OK', traceId };
    },
  });
}

function readProperties(input: PublishRequest): MqttProperties {
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, messageExpiry, userProperties } = input;
  if (responseTopic !== undefined && hasWildcard(responseTopic))
    throw invalidRequest('a response topic has no wildcards');
  return {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData, 'base64') }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: payloadFormatIndicator === 'UTF8_DATA' }),
    ...(messageExpiry !== undefined && { messageExpiryInterval: clampExpiry(messageExpiry) }),
    ...(userProperties !== undefined && { userProperties: readUserProperties(String(userProperties)) }),
  };
}

/** The header holds base64 of a JSON list of objects with one member each: `[{"deviceName": "alpha"}]`. */
function readUserProperties(header: string): readonly (readonly [string, string])[] {
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(header, 'base64').toString());
  } catch {
    throw invalidRequest('userProperties is a base64-encoded JSON list');
  }
  if (!Array.isArray(list)) throw invalidRequest('userProperties is a list of objects');
  return list.flatMap((each: unknown) => {
    if (typeof each !== 'object' || each === null) throw invalidRequest('userProperties is a list of objects');
    return Object.entries(each).map(([key, value]) => {
      if (typeof value !== 'string') throw invalidRequest(`the user property ${key} is not a string`);
      return [key, value] as const;
    });
  });
}
