/** Processes that the bench starts; every one ends with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** True for a process whose log nobody reads. */
  readonly quiet?: boolean;
}

/** Starts a process that speaks over `send` and `message`; what it writes on standard error goes to ours unless it is to be quiet. */
export function start(command: string, args: readonly string[], options: StartOptions = {}): ChildProcess {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', options.quiet ? 'ignore' : 'inherit', 'ipc'],
  });
  // Nobody has to read it, and a full pipe would stop the process.
  child.stdout?.resume();
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** A Node.js process like this one. */
export function startNode(args: readonly string[], options: StartOptions = {}): ChildProcess {
  return start(process.execPath, args, options);
}

/** Ends a process and waits for it. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** The next message of a process. Rejects when it ends instead. */
export function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`${child.spawnargs.slice(0, 3).join(' ')} ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      // Both ends are files of the bench, which agree on the message.
      resolve(message as Message);
    });
  });
}

/** Asks a process and gives its answer. */
export function ask<Answer>(child: ChildProcess, question: string | object): Promise<Answer> {
  const answer = nextMessage<Answer>(child);
  child.send(question);
  return answer;
}

/** Resident memory of a process in bytes, as the kernel counts it. */
export function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** A port that is free now, below those that the system gives to outgoing connections. */
export async function freePort(needed: readonly number[] = [0]): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(needed.map((each) => isFree(port + each)));
    if (free.every(Boolean)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
