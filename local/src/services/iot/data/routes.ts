import { restJsonProtocol, route } from '../../../http/protocols/rest-json-protocol.ts';
import type { WireProtocol } from '../../../kernel/wire.ts';

const SHADOW = { query: { shadowName: 'name' }, response: { payload: 'payload' } };

const PUBLISH = {
  query: {
    qos: 'qos',
    retain: 'retain',
    contentType: 'contentType',
    responseTopic: 'responseTopic',
    messageExpiry: 'messageExpiry',
  },
  headers: {
    userProperties: 'x-amz-mqtt5-user-properties',
    payloadFormatIndicator: 'x-amz-mqtt5-payload-format-indicator',
    correlationData: 'x-amz-mqtt5-correlation-data',
  },
  payload: 'payload',
};

/** Operations that are known only to be refused by name are here too. */
const ROUTES = [
  route('GET', '/things/{thingName}/shadow', 'GetThingShadow', SHADOW),
  route('POST', '/things/{thingName}/shadow', 'UpdateThingShadow', { ...SHADOW, payload: 'payload' }),
  route('DELETE', '/things/{thingName}/shadow', 'DeleteThingShadow', SHADOW),
  route('GET', '/api/things/shadow/ListNamedShadowsForThing/{thingName}', 'ListNamedShadowsForThing', {
    query: { nextToken: 'nextToken', pageSize: 'pageSize' },
  }),
  // The SDK encodes the topic's slashes, `curl` does not.
  route('POST', '/topics/{topic+}', 'Publish', PUBLISH),
  route('GET', '/retainedMessage', 'ListRetainedMessages', {
    query: { nextToken: 'nextToken', maxResults: 'maxResults' },
  }),
  route('GET', '/retainedMessage/{topic+}', 'GetRetainedMessage'),
  route('DELETE', '/connections/{clientId}', 'DeleteConnection', {
    query: { cleanSession: 'cleanSession', preventWillMessage: 'preventWillMessage' },
  }),
  route('GET', '/connections/{clientId}', 'GetConnection', {
    query: { includeSocketInformation: 'includeSocketInformation' },
  }),
  route('GET', '/connections/{clientId}/subscriptions', 'ListSubscriptions', {
    query: { nextToken: 'nextToken', maxResults: 'maxResults' },
  }),
  route('POST', '/connections/{clientId}/messages', 'SendDirectMessage', { payload: 'payload' }),
];

const INPUT_TYPES = {
  Publish: { qos: 'number', retain: 'boolean', messageExpiry: 'number' },
  ListNamedShadowsForThing: { pageSize: 'number' },
  ListRetainedMessages: { maxResults: 'number' },
  ListSubscriptions: { maxResults: 'number' },
  DeleteConnection: { cleanSession: 'boolean', preventWillMessage: 'boolean' },
  GetConnection: { includeSocketInformation: 'boolean' },
} as const;

/** REST-JSON as the data plane speaks it: a denial is a ForbiddenException here, not an AccessDeniedException. */
export function dataPlaneProtocol(): WireProtocol {
  const protocol = restJsonProtocol(ROUTES, { inputTypes: INPUT_TYPES });
  return {
    ...protocol,
    encodeError(error, requestId) {
      const code = error.code === 'AccessDeniedException' ? 'ForbiddenException' : error.code;
      return protocol.encodeError({ ...error, code, message: error.message, status: error.status }, requestId);
    },
  };
}
