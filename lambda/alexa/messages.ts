/** What we say to Alexa. https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html */

/** A value of a thing, and when it was so. */
export interface Property {
  readonly namespace: string;
  readonly name: string;
  readonly value: unknown;
  /** ISO 8601 in UTC. */
  readonly timeOfSample: string;
  readonly uncertaintyInMilliseconds: number;
}

interface Scope {
  readonly type: 'BearerToken';
  readonly token: string;
}

export interface Message {
  readonly context?: { readonly properties: readonly Property[] };
  readonly event: {
    readonly header: {
      readonly namespace: string;
      readonly name: string;
      readonly payloadVersion: '3';
      readonly messageId: string;
      readonly correlationToken?: string;
    };
    readonly endpoint?: { readonly scope?: Scope; readonly endpointId: string };
    readonly payload: Readonly<Record<string, unknown>>;
  };
}

/** Why a directive could not be done. https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-errorresponse.html */
export interface Failure {
  readonly type:
    | 'ACCEPT_GRANT_FAILED'
    | 'ENDPOINT_BUSY'
    | 'ENDPOINT_UNREACHABLE'
    | 'EXPIRED_AUTHORIZATION_CREDENTIAL'
    | 'INTERNAL_ERROR'
    | 'INVALID_AUTHORIZATION_CREDENTIAL'
    | 'INVALID_DIRECTIVE'
    | 'INVALID_VALUE'
    | 'NO_SUCH_ENDPOINT'
    | 'VALUE_OUT_OF_RANGE';
  /** For the log of Alexa; people do not hear it. */
  readonly message: string;
  readonly validRange?: { readonly minimumValue: number; readonly maximumValue: number };
}

/** To which directive a message is the answer. */
export interface AnswerTo {
  readonly messageId: string;
  readonly correlationToken: string | undefined;
  readonly endpointId: string | undefined;
}

/** An answer to a directive. */
export function answer(
  [namespace, name]: readonly [namespace: string, name: string],
  { messageId, correlationToken, endpointId }: AnswerTo,
  payload: Message['event']['payload'] = {},
  properties?: readonly Property[],
): Message {
  return {
    ...(properties && { context: { properties } }),
    event: {
      header: {
        ...{ namespace, name, payloadVersion: '3', messageId },
        ...(correlationToken !== undefined && { correlationToken }),
      },
      ...(endpointId !== undefined && { endpoint: { endpointId } }),
      payload,
    },
  };
}

/** The answer to a directive that could not be done. */
export function errorResponse({ type, message, validRange }: Failure, to: AnswerTo): Message {
  const namespace = type === 'ACCEPT_GRANT_FAILED' ? 'Alexa.Authorization' : 'Alexa';
  return answer([namespace, 'ErrorResponse'], to, { type, message, ...(validRange && { validRange }) });
}

/** What is sent to the event gateway, once it is known with which token. */
export type Report = (token: string) => Message;

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-changereport.html */
export function changeReport(
  thing: string,
  cause: 'APP_INTERACTION' | 'PHYSICAL_INTERACTION',
  { changed, others }: { readonly changed: readonly Property[]; readonly others: readonly Property[] },
  messageId: string,
): Report {
  return (token) => ({
    context: { properties: others },
    event: {
      header: { namespace: 'Alexa', name: 'ChangeReport', payloadVersion: '3', messageId },
      endpoint: { scope: { type: 'BearerToken', token }, endpointId: thing },
      payload: { change: { cause: { type: cause }, properties: changed } },
    },
  });
}

/** `AddOrUpdateReport` with whole endpoints, or `DeleteReport` with their ids. */
export function endpointsReport(
  name: 'AddOrUpdateReport' | 'DeleteReport',
  endpoints: readonly unknown[],
  messageId: string,
): Report {
  return (token) => ({
    event: {
      header: { namespace: 'Alexa.Discovery', name, payloadVersion: '3', messageId },
      payload: { endpoints, scope: { type: 'BearerToken', token } },
    },
  });
}
