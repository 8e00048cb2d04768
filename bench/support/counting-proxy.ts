/** A TCP proxy that counts: it stands between a client and the runtime and reads nothing of what passes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface CountingProxy {
  readonly port: number;
  /** Payload bytes of TCP in both directions since the start: TLS with its handshakes, without the headers of TCP and IP. */
  bytes(): number;
  /** Resolves when no connection is open. */
  quiet(): Promise<void>;
  stop(): void;
}

/** Starts a proxy to a port of this machine. */
export async function startCountingProxy(port: number): Promise<CountingProxy> {
  let bytes = 0;
  let ends = 0;
  let look = (): void => {};
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
  };
  const server = createServer((client) => {
    const upstream = connect({ port, host: 'localhost' });
    ends += 2;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', count);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.once('close', () => {
        ends -= 1;
        // Nothing is piped from the other end any more, and an end that is not read does not close.
        to.resume();
        look();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    quiet: () =>
      new Promise((resolve) => {
        look = () => {
          if (ends === 0) resolve();
        };
        look();
      }),
    stop: () => server.close(),
  };
}
