/** The Device Shadow service: shadows, and their requests over MQTT. */
import type { Kernel } from '../../../kernel/kernel.ts';
import type { IotMessage, MessageBus } from '../types.ts';
import type { JsonObject } from './json.ts';
import { ShadowError } from './shadow-error.ts';
import { parseShadowTopic, type ShadowRequest, shadowTopicPrefix } from './shadow-topics.ts';
import { type ShadowDocument, Shadows, type ShadowsOptions } from './shadows.ts';
import { parseClientToken } from './update-request.ts';

export type { Shadows, ShadowsOptions } from './shadows.ts';

/**
 * The shadows of the account, listening to their request topics on the bus; who may publish there has been decided
 * before (https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-mqtt.html).
 */
export function createShadows(kernel: Kernel, options: ShadowsOptions): Shadows {
  const shadows = new Shadows(kernel, options);
  options.bus.listen((message) => {
    const request = parseShadowTopic(message.topic);
    if (request) answer(kernel, options.bus, shadows, request, message);
  });
  return shadows;
}

function answer(
  kernel: Kernel,
  bus: MessageBus,
  shadows: Shadows,
  request: ShadowRequest,
  { payload }: IotMessage,
): void {
  const prefix = shadowTopicPrefix(request);
  try {
    if (request.action === 'update') shadows.update(request, payload);
    else if (request.action === 'delete') shadows.delete(request, leniently(payload));
    else bus.publishFromService(`${prefix}/get/accepted`, shadows.get(request, parseClientToken(payload)));
  } catch (error) {
    if (!(error instanceof ShadowError)) throw error;
    const timestamp = Math.floor(kernel.clock.now() / 1000);
    bus.publishFromService(`${prefix}/${request.action}/rejected`, rejection(error, timestamp));
  }
}

/** "The content of the message is ignored", but for its client token (device-shadow-mqtt, /delete). */
function leniently(payload: Buffer): string | undefined {
  try {
    return parseClientToken(payload);
  } catch {
    return undefined;
  }
}

/** "[timestamp] is not present in all error response documents": seen on AWS, a 404 has none. */
function rejection({ status, message, clientToken }: ShadowError, timestamp: number): ShadowDocument {
  const document: JsonObject = { code: status, message };
  return {
    ...document,
    ...(status !== 404 && { timestamp }),
    ...(clientToken !== undefined && { clientToken }),
  };
}
