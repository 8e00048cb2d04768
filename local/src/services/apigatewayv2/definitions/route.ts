import { optionalBoolean, optionalText, text } from '../../../template/property-values.ts';
import { badRequest, conflict, notEmulatedHere, notFound } from '../errors.ts';
import type { Authorizer, Route, StoredApi } from '../types.ts';
import { type Properties, textList } from './api.ts';

const ROUTE_KEY = /^(?:ANY|GET|HEAD|OPTIONS|PATCH|POST|PUT|DELETE) (\/\S*)$/;
const SEGMENT = /^(?:\{[\w.:-]+\}|[^{}]*)$/;
const GREEDY = /^\{[\w.:-]+\+\}$/;
/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_ROUTES = 300;
const MAX_SCOPES = 10;

/** What kind of authorizer a type of authorization needs. */
const AUTHORIZER_TYPES: Readonly<Record<string, Authorizer['authorizerType'] | undefined>> = {
  NONE: undefined,
  AWS_IAM: undefined,
  JWT: 'JWT',
  CUSTOM: 'REQUEST',
};

/**
 * A route from the properties of a template.
 *
 * @throws AwsError BadRequestException; ConflictException for a second route with the same key; NotFoundException for an
 *   integration or authorizer that is not there; NotEmulated for API keys
 */
export function readRoute(api: StoredApi, properties: Properties, routeId: string): Route {
  const routeKey = text(properties.RouteKey, 'RouteKey');
  requireRouteKey(routeKey);
  for (const other of api.routes.values()) {
    if (other.routeKey === routeKey && other.routeId !== routeId) {
      throw conflict(`Route with key ${routeKey} already exists for this API`);
    }
  }
  if (!api.routes.has(routeId) && api.routes.size >= MAX_ROUTES) {
    throw badRequest(`An API has at most ${MAX_ROUTES} routes.`);
  }
  if (optionalBoolean(properties.ApiKeyRequired)) throw notEmulatedHere('API keys: HTTP APIs have none');
  const target = optionalText(properties.Target);
  const integrationId = /^integrations\/(.+)$/.exec(target ?? '')?.[1];
  if (target !== undefined && !(integrationId && api.integrations.has(integrationId))) {
    throw notFound('Integration', target);
  }
  const authorizationScopes = textList(properties.AuthorizationScopes, 'AuthorizationScopes');
  if (authorizationScopes.length > MAX_SCOPES) throw badRequest(`A route has at most ${MAX_SCOPES} scopes.`);
  const { authorizationType, authorizerId } = readAuthorization(api, properties);
  if (authorizationScopes.length > 0 && authorizationType !== 'JWT') {
    throw badRequest('AuthorizationScopes are for routes with AuthorizationType JWT.');
  }
  return {
    routeId,
    routeKey,
    apiKeyRequired: false,
    authorizationType,
    authorizerId,
    authorizationScopes,
    operationName: optionalText(properties.OperationName),
    target,
  };
}

function requireRouteKey(routeKey: string): void {
  if (routeKey === '$default') return;
  const path = ROUTE_KEY.exec(routeKey)?.[1];
  const segments = path?.split('/').slice(1) ?? [];
  const last = segments.length - 1;
  if (path === undefined || !segments.every((each, at) => SEGMENT.test(each) || (at === last && GREEDY.test(each)))) {
    throw badRequest(
      `The provided route key is not formatted properly for HTTP protocol: "${routeKey}". Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"`,
    );
  }
}

function readAuthorization(api: StoredApi, properties: Properties): Pick<Route, 'authorizationType' | 'authorizerId'> {
  const given = optionalText(properties.AuthorizationType) ?? 'NONE';
  if (!Object.hasOwn(AUTHORIZER_TYPES, given)) {
    throw badRequest(`AuthorizationType is ${given}; it is one of ${Object.keys(AUTHORIZER_TYPES).join(', ')}.`);
  }
  const authorizationType = given as Route['authorizationType'];
  const wanted = AUTHORIZER_TYPES[given];
  const authorizerId = optionalText(properties.AuthorizerId);
  if (wanted === undefined) {
    if (authorizerId !== undefined) throw badRequest(`AuthorizationType ${given} takes no AuthorizerId.`);
    return { authorizationType, authorizerId };
  }
  const authorizer = api.authorizers.get(authorizerId ?? '');
  if (!authorizer) throw notFound('Authorizer', authorizerId);
  if (authorizer.authorizerType !== wanted) {
    throw badRequest(`AuthorizationType ${given} needs an authorizer of type ${wanted}.`);
  }
  return { authorizationType, authorizerId };
}
