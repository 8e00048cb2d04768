import {
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalText,
  text,
} from '../../../template/property-values.ts';
import { badRequest, notEmulatedHere } from '../errors.ts';
import type { Api, CorsConfiguration } from '../types.ts';

export type Properties = Readonly<Record<string, unknown>>;

const MAX_CORS_AGE_SECONDS = 86_400;

/**
 * An API from the properties of a template.
 *
 * @throws AwsError BadRequestException; NotEmulated for WebSocket APIs and for one without its default endpoint
 */
export function readApi(properties: Properties, made: Pick<Api, 'apiId' | 'apiEndpoint' | 'createdDate'>): Api {
  const protocolType = text(properties.ProtocolType, 'ProtocolType');
  if (protocolType === 'WEBSOCKET') throw notEmulatedHere('WebSocket APIs (ProtocolType WEBSOCKET)');
  if (protocolType !== 'HTTP') throw badRequest(`ProtocolType is ${protocolType}; it is HTTP or WEBSOCKET.`);
  if (optionalBoolean(properties.DisableExecuteApiEndpoint)) {
    throw notEmulatedHere(
      'DisableExecuteApiEndpoint: there are no custom domain names here, nobody could reach the API',
    );
  }
  const expression = '$request.method $request.path';
  return {
    ...made,
    name: text(properties.Name, 'Name'),
    protocolType,
    routeSelectionExpression: expression,
    corsConfiguration: readCors(optionalObject(properties.CorsConfiguration)),
    description: optionalText(properties.Description),
    version: optionalText(properties.Version),
    tags: textMap(properties.Tags) ?? {},
  };
}

/** A map of texts; undefined stays. */
export function textMap(value: unknown): Readonly<Record<string, string>> | undefined {
  const given = optionalObject(value);
  if (!given) return undefined;
  return Object.fromEntries(Object.entries(given).map(([name, each]) => [name, text(each, name)]));
}

/** A list of texts. */
export function textList(value: unknown, name: string): readonly string[] {
  return optionalList(value).map((each) => text(each, name));
}

function readCors(given: Properties | undefined): CorsConfiguration | undefined {
  if (!given) return undefined;
  const optional = (name: string) => (given[name] === undefined ? undefined : textList(given[name], name));
  const cors = {
    allowCredentials: optionalBoolean(given.AllowCredentials),
    allowHeaders: optional('AllowHeaders'),
    allowMethods: optional('AllowMethods'),
    allowOrigins: optional('AllowOrigins'),
    exposeHeaders: optional('ExposeHeaders'),
    maxAge: optionalNumber(given.MaxAge),
  };
  if (cors.allowCredentials && cors.allowOrigins?.includes('*')) {
    throw badRequest('allow-origin of * is not permitted when allow-credentials is set to true');
  }
  if (cors.maxAge !== undefined && (cors.maxAge < -1 || cors.maxAge > MAX_CORS_AGE_SECONDS)) {
    throw badRequest(`MaxAge is ${cors.maxAge}; it is -1 to ${MAX_CORS_AGE_SECONDS} seconds.`);
  }
  return cors;
}
