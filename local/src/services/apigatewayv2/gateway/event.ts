/**
 * The event of a function
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html). Paths are
 * percent-decoded, as AWS sends them.
 */
import type { PayloadFormatVersion, Stage } from '../types.ts';
import { type ClientRequest, type Exchange, headerOf } from './exchange.ts';

/** What was measured on AWS: these are text, everything else is binary, forms and requests without a type included. */
const TEXT_TYPE = /^(text\/.*|application\/(json|xml|javascript))$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The event of an integration. */
export function integrationEvent(exchange: Exchange, version: PayloadFormatVersion): Record<string, unknown> {
  const event = requestEvent(exchange, version);
  return { ...event, ...bodyOf(exchange.request, version) };
}

/** What events of integrations and of authorizers have in common; undefined members go with JSON. */
export function requestEvent(exchange: Exchange, version: PayloadFormatVersion): Record<string, unknown> {
  return version === '2.0' ? eventV2(exchange) : eventV1(exchange);
}

function eventV2(exchange: Exchange): Record<string, unknown> {
  const { request, route, stage, pathParameters } = exchange;
  const cookies = cookiesOf(request);
  return {
    version: '2.0',
    routeKey: route?.routeKey,
    rawPath: request.path,
    rawQueryString: request.rawQuery,
    cookies: cookies.length > 0 ? cookies : undefined,
    headers: Object.fromEntries(forwardedHeaders(exchange).filter(([name]) => name !== 'cookie')),
    queryStringParameters: notEmpty(joinedQuery(request)),
    requestContext: {
      accountId: exchange.kernel.accountId,
      apiId: exchange.api.definition.apiId,
      ...(exchange.principal && { authorizer: authorizerV2(exchange) }),
      domainName: domainName(exchange),
      domainPrefix: exchange.api.definition.apiId,
      http: {
        method: request.method,
        path: request.path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: headerOf(request, 'user-agent') ?? '',
      },
      requestId: exchange.requestId,
      routeKey: route?.routeKey,
      stage: stage?.stageName,
      time: requestTime(exchange.startedAt),
      timeEpoch: exchange.startedAt,
    },
    pathParameters: notEmpty(pathParameters),
    stageVariables: notEmpty(stageVariables(stage)),
  };
}

function eventV1(exchange: Exchange): Record<string, unknown> {
  const { request, route, stage, pathParameters, kernel } = exchange;
  const resourcePath = route?.routeKey.replace(/^\S+ /, '');
  // The client chooses the names: fromEntries makes a member even of `__proto__`.
  const multiValueHeaders = Object.fromEntries(
    forwardedHeaders(exchange).map(([name, value]) => [name, request.headers.get(name) ?? [value]]),
  );
  const multiValueQuery = Object.fromEntries(
    [...new Set(request.query.keys())].map((name) => [name, request.query.getAll(name)]),
  );
  return {
    version: '1.0',
    resource: resourcePath,
    path: request.path,
    httpMethod: request.method,
    headers: lastOfEach(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: notEmpty(lastOfEach(multiValueQuery)) ?? null,
    multiValueQueryStringParameters: notEmpty(multiValueQuery) ?? null,
    requestContext: {
      accountId: kernel.accountId,
      apiId: exchange.api.definition.apiId,
      ...(exchange.principal && { authorizer: authorizerV1(exchange) }),
      domainName: domainName(exchange),
      domainPrefix: exchange.api.definition.apiId,
      extendedRequestId: exchange.requestId,
      httpMethod: request.method,
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAmr: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: request.sourceIp,
        user: null,
        userAgent: headerOf(request, 'user-agent') ?? '',
        userArn: null,
        ...(exchange.principal?.kind === 'iam' && identityV1(exchange.principal.identity)),
      },
      path: request.path,
      protocol: request.protocol,
      requestId: exchange.requestId,
      requestTime: requestTime(exchange.startedAt),
      requestTimeEpoch: exchange.startedAt,
      resourceId: route?.routeKey,
      resourcePath,
      stage: stage?.stageName,
    },
    pathParameters: notEmpty(pathParameters) ?? null,
    stageVariables: notEmpty(stageVariables(stage)) ?? null,
  };
}

/** `12/Mar/2020:19:03:58 +0000` */
export function requestTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** The name that the API would have on AWS; the header `host` is that of this machine. */
export function domainName({ kernel, api }: Exchange): string {
  return `${api.definition.apiId}.execute-api.${kernel.region}.amazonaws.com`;
}

function authorizerV2({ principal }: Exchange): unknown {
  if (principal?.kind === 'jwt') return { jwt: { claims: principal.claims, scopes: principal.scopes } };
  if (principal?.kind === 'lambda') return { lambda: principal.context };
  return { iam: principal?.identity };
}

function authorizerV1({ principal }: Exchange): unknown {
  if (principal?.kind === 'jwt') return { claims: principal.claims, scopes: principal.scopes };
  if (principal?.kind === 'lambda') return { principalId: principal.principalId, ...principal.context };
  return undefined;
}

function identityV1({ accessKey, accountId, callerId, userArn, userId }: Readonly<Record<string, unknown>>) {
  return { accessKey, accountId, caller: callerId, user: userId, userArn };
}

/** The headers as sent and those that the gateway adds, by lower-case name, values joined by commas. */
function forwardedHeaders({ request, startedAt, requestId }: Exchange): [string, string][] {
  const port = /:(\d+)$/.exec(headerOf(request, 'host') ?? '')?.[1] ?? '80';
  const forwardedFor = headerOf(request, 'x-forwarded-for');
  const seconds = Math.floor(startedAt / 1000).toString(16);
  const trace = Buffer.from(requestId).toString('hex').slice(0, 24);
  return Object.entries({
    ...Object.fromEntries([...request.headers].map(([name, values]) => [name, values.join(',')])),
    'x-amzn-trace-id': headerOf(request, 'x-amzn-trace-id') ?? `Root=1-${seconds.padStart(8, '0')}-${trace}`,
    'x-forwarded-for': forwardedFor === undefined ? request.sourceIp : `${forwardedFor}, ${request.sourceIp}`,
    'x-forwarded-port': port,
    'x-forwarded-proto': 'http',
  });
}

function cookiesOf({ headers }: ClientRequest): readonly string[] {
  const sent = headers.get('cookie') ?? [];
  return sent.flatMap((each) => each.split(';').map((cookie) => cookie.trim())).filter((cookie) => cookie !== '');
}

function joinedQuery({ query }: ClientRequest): Record<string, string> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')]));
}

function bodyOf(request: ClientRequest, version: PayloadFormatVersion): Record<string, unknown> {
  const { body } = request;
  if (body.length === 0) return { ...(version === '1.0' && { body: null }), isBase64Encoded: false };
  const type = (headerOf(request, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const isText = TEXT_TYPE.test(type) && body.equals(Buffer.from(body.toString('utf8')));
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

function stageVariables(stage: Stage | undefined): Readonly<Record<string, string>> {
  return stage?.stageVariables ?? {};
}

function lastOfEach(lists: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.at(-1) ?? '']));
}

function notEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}
