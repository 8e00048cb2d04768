import type { IncomingMessage } from 'node:http';
import type { ClientRequest } from './exchange.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Reads a request whole. Of a body beyond the limit only the size is kept. */
export async function readClientRequest(
  incoming: IncomingMessage,
): Promise<{ readonly request: ClientRequest; readonly bytes: number }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  const target = incoming.url ?? '/';
  const at = target.indexOf('?');
  const rawQuery = at < 0 ? '' : target.slice(at + 1);
  return {
    bytes,
    request: {
      method: incoming.method ?? 'GET',
      target,
      path: decoded(at < 0 ? target : target.slice(0, at)),
      rawQuery,
      query: new URLSearchParams(rawQuery),
      headers: headersOf(incoming.rawHeaders),
      body: Buffer.concat(chunks),
      sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
      protocol: `HTTP/${incoming.httpVersion}`,
    },
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function headersOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let at = 0; at < raw.length; at += 2) {
    const name = String(raw[at]).toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(String(raw[at + 1]));
    headers.set(name, values);
  }
  return headers;
}
