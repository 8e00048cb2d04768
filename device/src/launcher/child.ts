import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { TrialFailure } from './boot-record.ts';

/** Where the version hears that its launcher is gone, and says that it lives. */
const LAUNCHER_FD = 3;
/** What runs gets so long to end as asked. */
const STOP_MS = 30_000;

export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** It says that it lives at least every so many milliseconds. */
  readonly silenceMs: number;
  /** Asked once, `deadlineMs` after the start: whether it may go on. */
  readonly deadlineMs?: number | undefined;
  readonly mayStay: () => boolean;
}

export interface ChildEnd {
  readonly code: number | null;
  /** What happened, in words. */
  readonly reason: string;
  readonly failure: TrialFailure['failure'];
  /** How long it has run, in milliseconds. */
  readonly livedMs: number;
}

export interface Child {
  readonly ended: Promise<ChildEnd>;
  /** Passes a signal on. */
  signal(name: NodeJS.Signals): void;
  /** Asks it to end, and makes it so. */
  stop(name: NodeJS.Signals): void;
}

/**
 * Starts a version in a process group of its own, with a socket to the launcher. It is killed, with all of its group, when it stays
 * silent or its deadline has passed; and so is what it leaves behind.
 */
export function startChild(options: ChildOptions): Child {
  const { program, args, environment, silenceMs, deadlineMs, mayStay } = options;
  const started = performance.now();
  const child = spawn(program, args, {
    // Which process the watchdog of systemd means was for the launcher.
    env: { ...environment, WATCHDOG_PID: undefined, THINGSTEAD_LAUNCHER_FD: String(LAUNCHER_FD) },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    detached: true,
  });
  let why: Pick<ChildEnd, 'failure' | 'reason'> | undefined;
  let alive = false;
  const timers = new Set<NodeJS.Timeout>();
  const after = (ms: number, task: () => void): NodeJS.Timeout => {
    const timer = setTimeout(task, ms);
    timers.add(timer);
    return timer;
  };
  const send = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // Nobody is left.
    }
  };
  const kill = (failure: ChildEnd['failure'], reason: string): void => {
    why ??= { failure, reason };
    send('SIGKILL');
  };
  const silence = after(silenceMs, () =>
    kill(alive ? 'unhealthy' : 'does-not-start', `did not say for ${silenceMs / 1000} s that it lives`),
  );
  const line = child.stdio[LAUNCHER_FD] as Readable | null;
  line?.on('error', () => {});
  line?.on('data', () => {
    alive = true;
    silence.refresh();
  });
  if (deadlineMs !== undefined) {
    after(deadlineMs, () => {
      if (!mayStay()) kill('unhealthy', `was not found good within ${deadlineMs / 1000} s`);
    });
  }
  const ended = new Promise<ChildEnd>((resolve) => {
    const end = (code: number | null, reason: string): void => {
      for (const timer of timers) clearTimeout(timer);
      send('SIGKILL');
      line?.destroy();
      const livedMs = performance.now() - started;
      resolve({ code, livedMs, failure: alive ? 'unhealthy' : 'does-not-start', reason, ...why });
    };
    child.once('error', (error) => end(null, `cannot be run: ${error.message}`));
    child.once('exit', (code, by) => end(code, `ended with ${code ?? by}`));
  });
  return {
    ended,
    signal: send,
    stop: (name) => {
      send(name);
      after(STOP_MS, () => send('SIGKILL'));
    },
  };
}
