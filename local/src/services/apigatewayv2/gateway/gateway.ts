/** The servers of all APIs, one port each: base paths are what they are on AWS. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { LocalIam } from '../../../iam/local-iam.ts';
import type { Apis } from '../apis.ts';
import type { StoredApi } from '../types.ts';
import { type Answer, internalServerError, ownAnswer } from './exchange.ts';
import { RequestHandler } from './handle.ts';
import { tooLarge } from './integrate.ts';
import { MAX_BODY_BYTES, readClientRequest } from './read-client-request.ts';

/** The request line and all headers: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_HEADER_BYTES = 10_240;
/** So that it is the gateway that refuses, not the HTTP server below it. */
const SERVER_HEADER_BYTES = 64 * 1024;

export class Gateway {
  readonly #apis: Apis;
  readonly #host: string;
  readonly #handler: RequestHandler;
  readonly #servers: http.Server[] = [];

  /** `host` is a loopback address. */
  constructor(apis: Apis, iam: LocalIam, host: string) {
    this.#apis = apis;
    this.#host = host;
    this.#handler = new RequestHandler(apis.kernel, iam);
  }

  /** Listens for each API that there is. Rejects with the system's error when a port is taken. */
  async listen(): Promise<void> {
    for (const api of this.#apis.all) {
      const options = { maxHeaderSize: SERVER_HEADER_BYTES, keepAliveTimeout: 0, requestTimeout: 0 };
      const server = http.createServer(options, (incoming, outgoing) => void this.#serve(api, incoming, outgoing));
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port: api.port, host: this.#host }, resolve);
      });
    }
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    }
  }

  async #serve(api: StoredApi, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    try {
      const { request, bytes } = await readClientRequest(incoming);
      const answer = await this.#handler.handle(api, request, refusalOf(incoming, bytes));
      send(outgoing, answer, incoming.method === 'HEAD');
    } catch (error) {
      // The client has gone, or the connection was broken in the middle of the request.
      if (outgoing.destroyed || incoming.errored) return;
      this.#apis.kernel.log.error('an API cannot answer', { error });
      send(outgoing, internalServerError(), false);
    }
  }
}

function refusalOf(incoming: IncomingMessage, bodyBytes: number): Answer | undefined {
  const headers = incoming.rawHeaders.reduce((sum, each) => sum + each.length + 2, 0);
  const line = `${incoming.method} ${incoming.url} HTTP/1.1\r\n`.length;
  if (line + headers > MAX_HEADER_BYTES) return ownAnswer(431, 'Request Header Fields Too Large');
  return bodyBytes > MAX_BODY_BYTES ? tooLarge() : undefined;
}

function send(outgoing: ServerResponse, { status, headers, body }: Answer, isHead: boolean): void {
  const plain = Object.entries(headers).map(([name, value]): [string, string | string[]] => [
    name,
    typeof value === 'string' ? value : [...value],
  ]);
  const hasBody = status !== 204 && status !== 304;
  try {
    outgoing.writeHead(status, {
      ...Object.fromEntries(plain),
      ...(hasBody && { 'content-length': String(body.length) }),
    });
  } catch {
    // A header that HTTP cannot carry is the fault of the function.
    send(outgoing, internalServerError(), isHead);
    return;
  }
  outgoing.end(hasBody && !isHead ? body : undefined);
}
