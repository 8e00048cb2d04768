/** Cross-origin requests, as HTTP APIs answer them (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html). */
import type { CorsConfiguration } from '../types.ts';
import { type Answer, type ClientRequest, headerOf } from './exchange.ts';

const PREFIX = 'access-control-';

/** The gateway answers these itself, whatever routes there are. */
export function isPreflight(request: ClientRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    headerOf(request, 'origin') !== undefined &&
    headerOf(request, 'access-control-request-method') !== undefined
  );
}

/** The answer to a preflight request; without any permission for an origin that is not allowed. */
export function preflightAnswer(cors: CorsConfiguration, request: ClientRequest): Answer {
  const headers = allowedOrigin(cors, request) === undefined ? {} : preflightHeaders(cors);
  return withCors({ status: 204, headers, body: Buffer.alloc(0) }, cors, request, headers);
}

/** Replaces whatever an integration says about origins by what the API is configured to say. */
export function withCors(
  answer: Answer,
  cors: CorsConfiguration,
  request: ClientRequest,
  more: Readonly<Record<string, string>> = {},
): Answer {
  const kept = Object.entries(answer.headers).filter(([name]) => !name.toLowerCase().startsWith(PREFIX));
  const origin = allowedOrigin(cors, request);
  const added = {
    ...(origin !== undefined && { 'access-control-allow-origin': origin }),
    ...(origin !== undefined && cors.allowCredentials && { 'access-control-allow-credentials': 'true' }),
    ...(origin !== undefined &&
      cors.exposeHeaders?.length && { 'access-control-expose-headers': cors.exposeHeaders.join(',') }),
    ...more,
  };
  return { ...answer, headers: { ...Object.fromEntries(kept), ...added } };
}

/** What `access-control-allow-origin` says; undefined when the origin is not allowed, or the request has none. */
function allowedOrigin({ allowOrigins = [] }: CorsConfiguration, request: ClientRequest): string | undefined {
  const origin = headerOf(request, 'origin');
  if (origin === undefined) return undefined;
  if (allowOrigins.includes('*')) return '*';
  return allowOrigins.some((each) => covers(each, origin)) ? origin : undefined;
}

/** `https://*` stands for every origin with this scheme. */
function covers(allowed: string, origin: string): boolean {
  if (allowed === 'https://*' || allowed === 'http://*') return origin.startsWith(allowed.slice(0, -1));
  return allowed.toLowerCase() === origin.toLowerCase();
}

function preflightHeaders({ allowMethods, allowHeaders, maxAge }: CorsConfiguration): Record<string, string> {
  return {
    ...(allowMethods?.length && { 'access-control-allow-methods': allowMethods.join(',') }),
    ...(allowHeaders?.length && { 'access-control-allow-headers': allowHeaders.join(',') }),
    ...(maxAge !== undefined && { 'access-control-max-age': String(maxAge) }),
  };
}
