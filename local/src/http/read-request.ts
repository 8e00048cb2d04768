import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { AwsError } from '../kernel/errors.ts';
import type { HttpRequest } from './signature/scope.ts';

/** Above every limit of the services that are emulated; an object of S3 is the largest. */
const LARGEST_BODY = 512 * 1024 * 1024;

/** Reads a request whole. Throws EntityTooLarge. */
export async function readRequest(incoming: IncomingMessage | Http2ServerRequest): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new AwsError('EntityTooLarge', `The request is larger than ${LARGEST_BODY} bytes`);
    chunks.push(chunk);
  }
  return requestOf(incoming, chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
}

/** A request with a given body: the body of a WebSocket upgrade is empty. */
export function requestOf(incoming: IncomingMessage | Http2ServerRequest, body: Buffer): HttpRequest {
  const url = incoming.url ?? '/';
  const at = url.indexOf('?');
  const rawQuery = at < 0 ? '' : url.slice(at + 1);
  return {
    method: incoming.method ?? 'GET',
    path: at < 0 ? url : url.slice(0, at),
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: plainHeaders(incoming.headers),
    body,
  };
}

function plainHeaders(given: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(',') : value;
    // HTTP/2 names the host otherwise; signatures cover it as `host`.
    if (name === ':authority') headers.host = text;
    else if (!name.startsWith(':')) headers[name] = text;
  }
  return headers;
}
