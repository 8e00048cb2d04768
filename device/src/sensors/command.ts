import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../clock.ts';
import { type Conversion, MAX_VALUE_BYTES, parseValue } from './parse-value.ts';
import type { Sensor } from './sensor.ts';

/** Nothing of the agent's own environment, which may name its files and its service manager. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** So much of what it says on standard error comes into the message. */
const MAX_COMPLAINT = 200;

export interface CommandOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly conversion: Conversion;
  readonly clock: Clock;
}

/**
 * A value that a program prints, run without a shell for every reading. The read rejects when the program cannot be started, ends
 * with another code than 0, takes too long, prints too much, or prints no such value. However it ends, everything that is left of
 * its process group is killed.
 */
export function command({ command: [program = '', ...args], timeoutMs, conversion, clock }: CommandOptions): Sensor {
  return {
    read: async (_time, signal) => {
      signal.throwIfAborted();
      // A session of its own: its group can be killed as one, and does not hear the Ctrl-C of a terminal.
      const child = spawn(program, args, {
        env: ENVIRONMENT,
        cwd: '/',
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return parseValue(await output(child, { program, timeoutMs, clock, signal }), conversion);
    },
  };
}

interface Limits {
  readonly program: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What it printed on standard output, when it has ended with 0. */
function output(child: ChildProcess, { program, timeoutMs, clock, signal }: Limits): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: Buffer[] = [];
    const complaint: Buffer[] = [];
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
      child.stdout?.destroy();
      child.stderr?.destroy();
      if (error) reject(error);
      else resolve(Buffer.concat(said).toString());
    };
    const ended = (): void => finish(new Error('the agent ends'));
    const cancel = clock.after(timeoutMs, () =>
      finish(new Error(`${program} has not ended after ${timeoutMs / 1000} s`)),
    );
    signal.addEventListener('abort', ended, { once: true });
    const keep = (parts: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_VALUE_BYTES) finish(new Error(`${program} prints more than ${MAX_VALUE_BYTES} bytes`));
      else parts.push(chunk);
    };
    child.stdout?.on('data', keep(said));
    child.stderr?.on('data', keep(complaint));
    child.once('error', (cause) => finish(new Error(`${program} cannot be run: ${cause.message}`, { cause })));
    // What it has left behind in its group would keep the pipes open, and 'close' away.
    child.once('exit', () => killGroup(child));
    child.once('close', (code, by) => {
      if (code === 0) return finish();
      const words = Buffer.concat(complaint).toString().trim().slice(0, MAX_COMPLAINT);
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
