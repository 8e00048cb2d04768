/**
 * Notes what the processes that this one starts write. Noted here and not there, it includes what Node.js itself writes
 * when a process dies.
 */
import childProcess, { ChildProcess, type SpawnSyncReturns } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { noteOutput } from './notes.ts';

const root = path.resolve(import.meta.dirname, '../../..');
/** The answer of a foreign tool may be a secret that was asked for (`aws sts assume-role`); its complaints may not. */
const OUR_COMMANDS = /^(node|npm|npx)$/;
/** Jest's own workers: what they write is a report of tests. */
const TEST_PROCESS = /jest-worker|jest\/bin/;

interface Command {
  readonly isOurs: boolean;
  readonly label: string;
}

function commandOf(file: string, args: readonly unknown[]): Command | undefined {
  const words = args.map(String);
  if (TEST_PROCESS.test(words.join(' '))) return undefined;
  const script = words.find((word) => /\.(ts|mjs|js)$/.test(word));
  const label = script ? path.relative(root, path.resolve(script)) : file;
  return { isOurs: OUR_COMMANDS.test(path.basename(file)), label };
}

function noteStream(stream: Readable | null | undefined, place: string): void {
  if (!stream) return;
  // Every chunk comes through here. A listener for 'data' would take it from who listens later.
  const push = stream.push;
  stream.push = function noteAndPush(this: Readable, chunk: unknown, ...rest) {
    if (chunk instanceof Uint8Array || typeof chunk === 'string') noteOutput(place, chunk);
    return push.call(this, chunk, ...rest);
  };
}

function noteResult(command: Command | undefined, stdout: unknown, stderr: unknown): void {
  const note = (place: string, text: unknown): void => {
    if (text instanceof Uint8Array || typeof text === 'string') noteOutput(place, text);
  };
  if (command?.isOurs) note(`standard output of ${command.label}`, stdout);
  if (command) note(`standard error of ${command.label}`, stderr);
}

/** Notes the arguments, which everybody on the machine can see, and what is written on both outputs. */
export function noteChildren(): void {
  // Everything that starts a process in the background comes through here, in every version of Node.js so far.
  const prototype = ChildProcess.prototype as unknown as {
    spawn(this: ChildProcess, options: { readonly file: string; readonly args?: readonly string[] }): unknown;
  };
  const spawn = prototype.spawn;
  prototype.spawn = function spawnAndNote(options) {
    const started = spawn.call(this, options);
    const args = (options.args ?? []).slice(1);
    const command = commandOf(options.file, args);
    if (!command) return started;
    noteOutput(`arguments of ${command.label}`, args.join(' '));
    if (command.isOurs) noteStream(this.stdout, `standard output of ${command.label}`);
    noteStream(this.stderr, `standard error of ${command.label}`);
    return started;
  };
  const { spawnSync, execFileSync } = childProcess;
  const functions = {
    spawnSync(file: string, ...rest: readonly unknown[]): SpawnSyncReturns<unknown> {
      const result = Reflect.apply(spawnSync, childProcess, [file, ...rest]);
      const args = Array.isArray(rest[0]) ? rest[0] : [];
      const command = commandOf(file, args);
      if (command) noteOutput(`arguments of ${command.label}`, args.join(' '));
      noteResult(command, result.stdout, result.stderr);
      return result;
    },
    execFileSync(file: string, ...rest: readonly unknown[]): unknown {
      const command = commandOf(file, Array.isArray(rest[0]) ? rest[0] : []);
      try {
        const stdout = Reflect.apply(execFileSync, childProcess, [file, ...rest]);
        noteResult(command, stdout, undefined);
        return stdout;
      } catch (error) {
        noteResult(command, Object(error).stdout, Object(error).stderr);
        throw error;
      }
    },
  };
  Object.assign(childProcess, functions);
  syncBuiltinESMExports();
}
