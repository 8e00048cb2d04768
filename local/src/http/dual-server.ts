/**
 * One port for HTTP/1.1 and for HTTP/2 without TLS: the Kinesis client of the SDK speaks HTTP/2 with prior knowledge, all
 * others HTTP/1.1. The first bytes tell (RFC 9113, section 3.4: the preface begins with `PRI`).
 */
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import type { Duplex } from 'node:stream';

export type Handler = (
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
) => void;

export type UpgradeHandler = (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;

export class DualServer {
  readonly #http1: http.Server;
  readonly #http2: http2.Http2Server;
  readonly #net: net.Server;
  readonly #sockets = new Set<net.Socket>();

  constructor(handler: Handler, upgrade: UpgradeHandler) {
    // Clients keep connections for minutes; closing one just as a request arrives would show as ECONNRESET.
    this.#http1 = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, handler);
    this.#http1.on('upgrade', upgrade);
    this.#http2 = http2.createServer({ settings: { maxConcurrentStreams: 1000 } }, handler);
    this.#http2.on('sessionError', () => undefined);
    this.#net = net.createServer((socket) => this.#sniff(socket));
  }

  /** Resolves when it listens. Rejects with the system's error, EADDRINUSE for instance. */
  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ port, host }, () => {
        this.#net.off('error', reject);
        resolve();
      });
    });
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #sniff(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (!first) return;
      // Both servers read what lies ready in the socket before they take over its handle.
      socket.unshift(first);
      const server = first.toString('latin1', 0, 3) === 'PRI' ? this.#http2 : this.#http1;
      server.emit('connection', socket);
    });
  }
}
