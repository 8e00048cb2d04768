import { contextVariable } from '../gateway/context-variables.ts';
import { type Exchange, headerOf } from '../gateway/exchange.ts';

/** The value of a selection expression, `$request.header.Authorization`; undefined when the request has none. */
export function identityOf(exchange: Exchange, source: string): string | undefined {
  const [, place, name = ''] =
    /^\$(request\.header|request\.querystring|context|stageVariables)\.(.+)$/.exec(source) ?? [];
  const value = valueIn(exchange, place, name);
  return value === '' ? undefined : value;
}

function valueIn(exchange: Exchange, place: string | undefined, name: string): string | undefined {
  switch (place) {
    case 'request.header':
      return headerOf(exchange.request, name);
    case 'request.querystring':
      return exchange.request.query.get(name) ?? undefined;
    case 'context':
      return contextVariable(exchange, name);
    default:
      return exchange.stage?.stageVariables?.[name];
  }
}
