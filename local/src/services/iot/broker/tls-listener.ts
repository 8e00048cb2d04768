import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Log } from '../../../kernel/log.ts';
import type { NetworkStream, Peer } from './connection.ts';

export interface ServerCredentials {
  /** PEM of the private key and of the certificate with its chain. */
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

/** TLS as AWS IoT speaks it: 1.2 or later, and a client certificate, which the account decides about, not TLS. */
export const TLS_OPTIONS = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' } as const;

const LINGER_MS = 500;

/** A fleet that returns at once after an outage finds a place; the kernel's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

/** MQTT over TLS on 8883; on 443 AWS needs this ALPN name, on 8883 it takes it (protocols). */
const MQTT_ALPN = 'x-amzn-mqtt-ca';

export interface TlsListenerOptions {
  readonly tls: ServerCredentials;
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly onConnection: (stream: NetworkStream, peer: Peer) => void;
}

/** The listener for MQTT over mutual TLS. A client without a certificate is turned away. */
export class TlsListener {
  readonly #options: TlsListenerOptions;
  readonly #server: Server;
  /** By the client's address and port: the network below TLS, which alone can send an RST. */
  readonly #sockets = new Map<string, Socket>();
  readonly #open = new Set<TLSSocket>();

  constructor(options: TlsListenerOptions) {
    this.#options = options;
    this.#server = createServer({ ...options.tls, ...TLS_OPTIONS, ALPNProtocols: [MQTT_ALPN] });
    this.#server.on('connection', (socket) => {
      socket.setNoDelay(true);
      const remote = remoteOf(socket);
      this.#sockets.set(remote, socket);
      socket.on('close', () => this.#sockets.delete(remote));
    });
    this.#server.on('secureConnection', (socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
      this.#accept(socket);
    });
    this.#server.on('tlsClientError', (error) =>
      options.log.debug('mqtt tls handshake failed', { error: error.message }),
    );
  }

  /** The port it listens on: the one that was asked for, or the free one that was found for 0. */
  get port(): number {
    const address = this.#server.address();
    // A TCP server's address is never a string; before listen there is none.
    return (address as AddressInfo | null)?.port ?? this.#options.port;
  }

  /** @throws Error EADDRINUSE when the port is taken */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      const { port, host } = this.#options;
      this.#server.listen({ port, host, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Frees the port; what has been written to open connections still leaves. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#open].map(finish));
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }

  #accept(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) {
      this.#options.log.info('mqtt connection refused: the client showed no certificate');
      socket.destroy();
      return;
    }
    const raw = this.#sockets.get(remoteOf(socket));
    const stream = Object.assign(socket, { reset: () => void raw?.resetAndDestroy() });
    this.#options.onConnection(stream, {
      kind: 'certificate',
      der: certificate.raw,
      sni: sniOf(socket),
      sourceIp: socket.remoteAddress,
      sourcePort: socket.remotePort,
      targetIp: socket.localAddress,
      targetPort: socket.localPort,
    });
  }
}

/** The server name that a client asked for. Node's types leave it out; it is false without one. */
export function sniOf(socket: TLSSocket): string | undefined {
  return (socket as TLSSocket & { readonly servername?: string | false }).servername || undefined;
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function finish(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    // A client that does not read must not hold the runtime up.
    socket.setTimeout(LINGER_MS, () => socket.destroy());
    socket.destroySoon();
  });
}
