import { AwsError } from '../../../kernel/errors.ts';
import type { Integration } from '../types.ts';
import { integrationEvent } from './event.ts';
import { type Answer, type Exchange, internalServerError, ownAnswer } from './exchange.ts';
import { answerOf } from './function-response.ts';
import { invokeFunction } from './invoke.ts';

/** Asks the function behind a route. What goes wrong there shows to the client as 500 or 503 without a reason. */
export async function integrate(exchange: Exchange, integration: Integration): Promise<Answer> {
  const { kernel } = exchange;
  const { integrationUri, payloadFormatVersion, timeoutInMillis } = integration;
  const startedAt = performance.now();
  const fail = (reason: string, answer = internalServerError()) => {
    exchange.integrationError = reason;
    kernel.log.info('an integration gave no answer', { api: exchange.api.definition.name, reason });
    return answer;
  };
  try {
    const event = integrationEvent(exchange, payloadFormatVersion);
    const result = await invokeFunction(kernel, integrationUri, sourceArn(exchange), event, timeoutInMillis);
    if (result.kind === 'timed-out') {
      return fail('Endpoint request timed out', ownAnswer(503, 'Service Unavailable'));
    }
    if (result.kind === 'failed') return fail(result.message);
    return answerOf(result.value, payloadFormatVersion) ?? fail('The response of the function is malformed');
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === 'TooManyRequestsException') return fail(error.message, ownAnswer(503, 'Service Unavailable'));
    if (error.code === 'RequestTooLargeException') return fail(error.message, tooLarge());
    return fail(error.message);
  } finally {
    exchange.integrationLatencyMs = performance.now() - startedAt;
  }
}

export function tooLarge(): Answer {
  return ownAnswer(413, 'Request Entity Too Large');
}

/** What the permission of a function names: stage, method and the path of the route, variables included. */
function sourceArn({ kernel, api, stage, route, request }: Exchange): string {
  const key = route?.routeKey ?? '';
  const resource = key === '$default' ? key : `${request.method}${key.replace(/^\S+ /, '')}`;
  return kernel.arn('execute-api', `${api.definition.apiId}/${stage?.stageName}/${resource}`);
}
