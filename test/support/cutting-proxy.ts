/** A network between a client and a port of this machine that breaks when the test says so. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** Payload bytes of TCP that have passed, both ways. */
  bytes(): number;
  /** Breaks every connection that is open; new ones pass. */
  cut(): void;
  /** Resolves when so many bytes have passed. */
  passed(bytes: number): Promise<void>;
  stop(): void;
}

export async function startCuttingProxy(port: number): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect({ port, host: 'localhost' });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on('data', (chunk) => {
        bytes += chunk.length;
        for (const look of waiting) look();
      });
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.once('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    cut,
    passed: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (bytes < wanted) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    stop: () => {
      cut();
      server.close();
    },
  };
}
