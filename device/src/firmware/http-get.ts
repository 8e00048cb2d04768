import http from 'node:http';
import https from 'node:https';

/** The head of a response, and its body as it comes. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Buffer>;
}

/**
 * GET without following redirects: what was signed for one host is fetched from there. Rejects when there is no response, and the body
 * throws when it breaks off.
 */
export type HttpGet = (
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<HttpResponse>;

/** One connection for each request. */
export const httpGet: HttpGet = (url, headers, signal) =>
  new Promise((resolve, reject) => {
    const { get } = url.startsWith('http:') ? http : https;
    const request = get(url, { headers: { ...headers, 'accept-encoding': 'identity' }, agent: false, signal }, (body) =>
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body }),
    );
    request.on('error', reject);
  });
