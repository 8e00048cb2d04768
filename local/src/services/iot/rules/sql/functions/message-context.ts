/** What a message says about itself, and functions without arguments. */
import { randomUUID } from 'node:crypto';
import type { MqttProperties } from '../../../types.ts';
import type { Evaluate } from '../compilation.ts';
import { toLowerInt } from '../convert.ts';
import type { SqlValue } from '../sql-value.ts';
import { argument, type SqlFunction, type SqlFunctions } from './sql-function.ts';

export const messageFunctions: SqlFunctions = {
  topic: {
    arity: [0, 1],
    compile(args) {
      if (args.length === 0) return ({ message }) => message.topic;
      const value = argument(args, 0);
      return (scope) => {
        const segment = toLowerInt(value(scope));
        return typeof segment === 'number' ? scope.message.segments[segment - 1] : undefined;
      };
    },
  },
  clientid: context(({ message }) => message.source.clientId ?? 'n/a'),
  timestamp: context(({ message }) => message.source.receivedAt),
  newuuid: context(() => randomUUID()),
  principal: context(({ message }) => message.source.principal),
  accountid: context(({ accountId }) => accountId),
  traceid: context(({ message }) => (message.source.clientId === undefined ? undefined : message.source.traceId)),
  sourceip: context(({ message }) => message.source.sourceIp),
  sql_version: context(() => '2016-03-23'),
  get_mqtt_property: {
    arity: [1, 1],
    compile(args) {
      const name = argument(args, 0);
      return (scope) => property(scope.message.source.properties, name(scope));
    },
  },
  get_user_properties: {
    arity: [0, 1],
    compile(args) {
      const name = argument(args, 0);
      const all = args.length === 0;
      return (scope) => {
        const given = scope.message.source.properties.userProperties ?? [];
        const key = name(scope);
        const found = all
          ? given.map(([each, value]) => ({ [each]: value }))
          : given.filter(([each]) => each === key).map(([, value]) => value);
        return found.length === 0 ? undefined : found;
      };
    },
  },
};

function context(evaluate: Evaluate): SqlFunction {
  return { arity: [0, 0], compile: () => evaluate };
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-sql-function-get-mqtt-property */
function property(properties: MqttProperties, name: SqlValue): SqlValue {
  switch (name) {
    case 'content_type':
      return properties.contentType;
    case 'format_indicator':
      return properties.payloadFormatIndicator ? 'UTF8_DATA' : 'UNSPECIFIED_BYTES';
    case 'response_topic':
      return properties.responseTopic;
    case 'correlation_data':
      return properties.correlationData?.toString('base64');
    default:
      return undefined;
  }
}
