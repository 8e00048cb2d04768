/** The device agent in a process of its own, with its log as events to wait for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

type Event = Readonly<Record<string, unknown>>;

export interface AgentProcess {
  readonly process: ChildProcess;
  readonly events: readonly Event[];
  /** The first event of this name, or the second, and so on; also one that has already passed. Rejects when the agent ends before. */
  seen(name: string, nth?: number): Promise<Event>;
  /** What it wrote that is no event: standard error, and the answers of commands. */
  words(): string;
  /** Everything it wrote. */
  output(): string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface AgentProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Another agent than the sources: program and first arguments. */
  readonly program?: readonly string[];
  readonly cwd?: string;
}

const sources = [process.execPath, path.resolve(__dirname, '../../device/bin/thingstead-agent.mjs')];

export function startAgentProcess(args: readonly string[], options: AgentProcessOptions = {}): AgentProcess {
  const { environment = {}, program = sources, cwd } = options;
  const [command = '', ...first] = program;
  const child = spawn(command, [...first, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  let words = '';
  let output = '';
  createInterface(child.stdout).on('line', (line) => {
    output += `${line}\n`;
    const event = parseEvent(line);
    if (!event) words += `${line}\n`;
    else events.push(event);
    for (const look of waiting) look();
  });
  child.stderr.on('data', (chunk) => {
    words += chunk;
    output += chunk;
  });
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  return {
    process: child,
    events,
    seen: (name, nth = 1) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const event = events.filter((each) => each.event === name)[nth - 1];
          if (!event) return;
          waiting.delete(look);
          resolve(event);
        };
        waiting.add(look);
        look();
        void exited.then(({ code }) => reject(new Error(`the agent ended with ${code} before ${name}:\n${output}`)));
      }),
    words: () => words,
    output: () => output,
    exited,
  };
}

function parseEvent(line: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'event' in value ? (value as Event) : undefined;
  } catch {
    return undefined;
  }
}
