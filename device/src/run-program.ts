import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from './clock.ts';

/** Where a program without a slash is looked for. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Nothing of the agent's own environment, which may name its files and its service manager. */
const ENVIRONMENT = { PATH: PROGRAM_PATH, LC_ALL: 'C' };
/** So much of what it says on standard error comes into the message of an error. */
const MAX_COMPLAINT = 200;

export interface ProgramOptions {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** What it reads on standard input; nothing without it. */
  readonly input?: Buffer;
  /** Added to an environment of `PATH` and `LC_ALL=C`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A run that takes longer is killed. */
  readonly timeoutMs: number;
  /** What it may print on both outputs together. */
  readonly maxBytes: number;
  /** What happens when it prints more: it is killed, or the rest is thrown away. */
  readonly excess: 'kill' | 'drop';
  readonly clock: Clock;
  /** Kills it when aborted. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program without a shell, in `/`, in a process group of its own. However it ends, everything that is left of the group is
 * killed.
 *
 * @returns what it printed on standard output, when it has ended with 0.
 * @throws Error (rejects) when it cannot be started, ends otherwise, takes too long, prints too much, or the signal is aborted. The
 * message holds the end of what it said on standard error.
 */
export async function runProgram(options: ProgramOptions): Promise<Buffer> {
  const { command, input, environment, signal } = options;
  const [program = '', ...args] = command;
  signal.throwIfAborted();
  // A session of its own: its group can be killed as one, and does not hear the Ctrl-C of a terminal.
  const child = spawn(program, args, {
    env: { ...ENVIRONMENT, ...environment },
    cwd: '/',
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  // A program need not read what it is given.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return output(child, program, options);
}

function output(child: ChildProcess, program: string, options: ProgramOptions): Promise<Buffer> {
  const { timeoutMs, maxBytes, excess, clock, signal } = options;
  return new Promise((resolve, reject) => {
    const said: Buffer[] = [];
    let complaint = Buffer.alloc(0);
    let bytes = 0;
    let finished = false;
    const finish = (error?: Error): void => {
      if (finished) return;
      finished = true;
      cancel();
      signal.removeEventListener('abort', ended);
      // Once it has ended, its number may be another process's.
      if (child.exitCode === null && child.signalCode === null) killGroup(child);
      // A process that has left the group may still hold the pipes.
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
      if (error) reject(error);
      else resolve(Buffer.concat(said));
    };
    const ended = (): void => finish(new Error('the agent ends'));
    const cancel = clock.after(timeoutMs, () =>
      finish(new Error(`${program} has not ended after ${timeoutMs / 1000} s`)),
    );
    signal.addEventListener('abort', ended, { once: true });
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes && excess === 'kill') finish(new Error(`${program} prints more than ${maxBytes} bytes`));
    };
    child.stdout?.on('data', (chunk: Buffer) => {
      said.push(chunk.subarray(0, Math.max(0, maxBytes - bytes)));
      count(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      // What went wrong stands at the end.
      complaint = Buffer.concat([complaint, chunk]).subarray(-4 * MAX_COMPLAINT);
      if (excess === 'kill') count(chunk);
    });
    child.once('error', (cause) => finish(new Error(`${program} cannot be run: ${cause.message}`, { cause })));
    // What it has left behind in its group would keep the pipes open, and 'close' away.
    child.once('exit', () => killGroup(child));
    child.once('close', (code, by) => {
      if (code === 0) return finish();
      const words = complaint.toString().trim().slice(-MAX_COMPLAINT);
      finish(new Error(`${program} ended with ${code ?? by}${words ? `: ${words}` : ''}`));
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}
