/**
 * What a function returned, as an answer
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
 */
import type { PayloadFormatVersion } from '../types.ts';
import type { Answer } from './exchange.ts';

const TEXT = 'text/plain;charset=utf-8';
/** The connection is the gateway's own matter. */
const NOT_PASSED_ON = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade']);

type Members = Readonly<Record<string, unknown>>;

/** Undefined when the result is malformed, for which the client gets an Internal Server Error. */
export function answerOf(result: unknown, version: PayloadFormatVersion): Answer | undefined {
  const members = membersOf(result);
  if (!members || members.statusCode === undefined) return version === '2.0' ? inferred(result) : undefined;
  const status = Number(members.statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const { body = '', isBase64Encoded = false } = members;
  if (body !== null && typeof body !== 'string') return undefined;
  const headers = headersOf(members, version);
  if (!headers) return undefined;
  return {
    status,
    headers: { 'content-type': TEXT, ...headers },
    body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

/** A result without a status code is the body, as JSON; a text is itself. */
function inferred(result: unknown): Answer {
  const body = typeof result === 'string' ? result : JSON.stringify(result ?? null);
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
}

function headersOf(members: Members, version: PayloadFormatVersion): Record<string, string | string[]> | undefined {
  const given = membersOf(members.headers ?? {});
  if (!given) return undefined;
  const headers: Record<string, string | string[]> = {};
  const set = (name: string, value: string | string[]) => {
    if (!NOT_PASSED_ON.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  };
  for (const [name, value] of Object.entries(given)) set(name, String(value));
  if (version === '1.0') {
    const lists = membersOf(members.multiValueHeaders ?? {});
    if (!lists) return undefined;
    for (const [name, values] of Object.entries(lists)) set(name, [values].flat().map(String));
  } else if (members.cookies !== undefined && members.cookies !== null) {
    if (!Array.isArray(members.cookies)) return undefined;
    const single = headers['set-cookie'];
    set('set-cookie', [...(single === undefined ? [] : [single].flat()), ...members.cookies.map(String)]);
  }
  return headers;
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}
