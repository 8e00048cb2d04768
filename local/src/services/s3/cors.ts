/** Cross-origin requests as S3 answers them: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html */
import type { CORSRule } from '@aws-sdk/client-s3';
import { AwsError } from '../../kernel/errors.ts';
import type { WireRequest } from '../../kernel/wire.ts';

/** What a browser that keeps an answer has to ask again for. */
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

interface Asked {
  readonly origin: string;
  readonly method: string;
  /** Of a preflight, in lower case. */
  readonly headers: readonly string[];
}

/**
 * The headers that answer a preflight. `rules` undefined: the bucket has no configuration, or there is none.
 *
 * @throws AwsError BadRequest without origin or method; AccessForbidden where no rule allows it
 */
export function preflightHeaders(
  { headers }: WireRequest,
  rules: readonly CORSRule[] | undefined,
): Record<string, string> {
  const { origin, 'access-control-request-method': method, 'access-control-request-headers': list = '' } = headers;
  if (origin === undefined) throw new AwsError('BadRequest', insufficient('Origin request header needed.'), 400);
  if (method === undefined) {
    throw new AwsError('BadRequest', insufficient('Access-Control-Request-Method request header needed.'), 400);
  }
  const wanted = list.split(',').map((each) => each.trim().toLowerCase());
  const asked = { origin, method, headers: wanted.filter((each) => each !== '') };
  if (!rules || rules.length === 0) throw forbidden('CORS is not enabled for this bucket.', method);
  const rule = rules.find((each) => allows(each, asked));
  if (!rule) throw forbidden('This CORS request is not allowed.', method);
  const allowed = asked.headers.join(', ');
  return { ...corsHeaders(rule, origin), ...(allowed !== '' && { 'access-control-allow-headers': allowed }) };
}

/** The headers for the answer to any other request, also to one that fails; none where no rule allows its origin and method. */
export function answerHeaders(
  { method, headers: { origin } }: WireRequest,
  rules: readonly CORSRule[],
): Record<string, string> {
  const rule = origin === undefined ? undefined : rules.find((each) => allows(each, { origin, method, headers: [] }));
  return rule && origin !== undefined ? corsHeaders(rule, origin) : {};
}

function allows({ AllowedOrigins, AllowedMethods, AllowedHeaders = [] }: CORSRule, asked: Asked): boolean {
  return (
    (AllowedOrigins ?? []).some((each) => covers(each, asked.origin)) &&
    (AllowedMethods ?? []).includes(asked.method) &&
    asked.headers.every((name) => AllowedHeaders.some((each) => covers(each.toLowerCase(), name)))
  );
}

/** One `*` stands for any text. */
function covers(pattern: string, text: string): boolean {
  const [begin = '', end] = pattern.split('*');
  if (end === undefined) return pattern === text;
  return text.length >= begin.length + end.length && text.startsWith(begin) && text.endsWith(end);
}

function corsHeaders(rule: CORSRule, origin: string): Record<string, string> {
  const isForAll = rule.AllowedOrigins?.find((each) => covers(each, origin)) === '*';
  return {
    'access-control-allow-origin': isForAll ? '*' : origin,
    'access-control-allow-methods': (rule.AllowedMethods ?? []).join(', '),
    ...(!isForAll && { 'access-control-allow-credentials': 'true' }),
    ...(rule.ExposeHeaders?.length && { 'access-control-expose-headers': rule.ExposeHeaders.join(', ') }),
    ...(rule.MaxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.MaxAgeSeconds) }),
    vary: VARY,
  };
}

function insufficient(what: string): string {
  return `Insufficient information. ${what}`;
}

function forbidden(reason: string, Method: string): AwsError {
  return new AwsError('AccessForbidden', `CORSResponse: ${reason}`, 403, { Method, ResourceType: 'OBJECT' });
}
