/** The processes of `npm start`: the same commands that a person would type. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..', '..');
export const state = path.join(root, '.thingstead');
export const endpointsFile = path.join(state, 'endpoints.json');

const children = new Set<ChildProcess>();

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Starts a script of ours, with these variables beside those of the environment. */
export function start(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(process.execPath, [path.join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

/** Runs a command to its end and gives what it printed. @throws Error with its words when it fails. */
export async function run(
  script: string,
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  const child = start(script, args, environment);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`${script} ${args.join(' ')} exited with ${code}:\n${stderr || stdout}`);
  return stdout;
}

/** Resolves with the exit code; 1 when a signal ended it. */
export function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

/** Ends what was started last first, so that devices say goodbye to a runtime that is still there. */
export async function endAll(): Promise<void> {
  for (const child of [...children].reverse()) {
    child.kill('SIGTERM');
    await exitOf(child);
  }
}
