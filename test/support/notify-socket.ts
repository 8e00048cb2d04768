/** A notify socket as systemd gives to a service: a datagram socket, and a watchdog that runs out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

type Variables = Readonly<Record<string, string>>;

export interface NotifySocket {
  /** What systemd puts into the environment of the service. */
  readonly environment: Readonly<Record<string, string>>;
  readonly received: readonly Variables[];
  /** The first message for which this holds, also one that has already come. */
  receives(matches: (variables: Variables, all: readonly Variables[]) => boolean): Promise<Variables>;
  /** Resolves when WATCHDOG=1 has stayed out for too long. */
  readonly expired: Promise<void>;
  close(): Promise<void>;
}

/** @param watchdogMs the unit's WatchdogSec=; without it nobody watches. */
export async function openNotifySocket(watchdogMs = 0): Promise<NotifySocket> {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-notify-'));
  const socket = path.join(folder, 'notify');
  const receiver = spawn('python3', [path.join(__dirname, 'notify_socket.py'), socket, String(watchdogMs * 1000)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(receiver, 'close');
  const received: Variables[] = [];
  const waiting = new Set<() => void>();
  let listening = (): void => {};
  let expire = (): void => {};
  const ready = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const expired = new Promise<void>((resolve) => {
    expire = resolve;
  });
  createInterface(receiver.stdout).on('line', (line) => {
    const message: { received?: Variables; expired?: true } = JSON.parse(line);
    if (message.received) received.push(message.received);
    else if (message.expired) expire();
    else listening();
    for (const look of waiting) look();
  });
  await Promise.race([ready, ended.then(() => Promise.reject(new Error('python3 could not open a notify socket')))]);
  return {
    environment: { NOTIFY_SOCKET: socket, ...(watchdogMs > 0 ? { WATCHDOG_USEC: String(watchdogMs * 1000) } : {}) },
    received,
    receives: (matches) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = received.find((each) => matches(each, received));
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    expired,
    close: async () => {
      receiver.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
