/** An HTTP or HTTPS server on this machine that notes what it is sent. */
import { readFileSync } from 'node:fs';
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Endpoints } from './runtime.ts';

export interface ReceivedRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpReceiver {
  /** `http://127.0.0.1:<port>`, `https://localhost:<port>` */
  readonly url: string;
  /** Every request so far, in order. */
  readonly received: ReceivedRequest[];
  /** What it answers from now on, by the number of the request from 0. */
  answerWith(status: (request: number) => number): void;
  close(): Promise<void>;
}

/** Starts a server on a free port. With `endpoints` it speaks HTTPS, with the certificate of that runtime. */
export async function startHttpReceiver(endpoints?: Pick<Endpoints, 'rootCaFile'>): Promise<HttpReceiver> {
  const received: ReceivedRequest[] = [];
  let answer: (request: number) => number = () => 200;
  const listener: http.RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    received.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(answer(received.length - 1)).end();
  };
  const server = endpoints ? https.createServer(certificateOf(endpoints), listener) : http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: endpoints ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    received,
    answerWith(status) {
      answer = status;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function certificateOf({ rootCaFile }: Pick<Endpoints, 'rootCaFile'>) {
  const read = (name: string) => readFileSync(path.join(path.dirname(rootCaFile), name));
  return { key: read('server.key'), cert: read('server.pem') };
}
