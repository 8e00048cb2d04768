import { pathToFileURL } from 'node:url';
import type { Clock } from '../clock.ts';
import { runProgram } from '../run-program.ts';
import type { HandlerConfig } from './handler-config.ts';

export interface HandlerCall {
  /** A program gets it as JSON on standard input, a module as the first argument. */
  readonly input: unknown;
  /** What it is about, `{ id }` or `{ name }`: the second argument of a module, with the signal. */
  readonly about: Readonly<Record<string, string>>;
  /** The same for a program. */
  readonly environment: Readonly<Record<string, string>>;
  /** Aborted when the agent ends. */
  readonly signal: AbortSignal;
}

/**
 * Runs it, and gives what it gives: of a program what it prints, as JSON if it is some, else as text, undefined for nothing.
 * Rejects when it fails or has not ended in time.
 */
export type Handler = (call: HandlerCall) => Promise<unknown>;

/** @param maxBytes so much of what a program prints is kept. */
export function createHandler({ run, module, timeoutSeconds }: HandlerConfig, maxBytes: number, clock: Clock): Handler {
  const timeoutMs = timeoutSeconds * 1000;
  if (run === undefined) return moduleHandler(module ?? '', timeoutMs, clock);
  return async ({ input, environment, signal }) => {
    const program = { command: run, input: Buffer.from(JSON.stringify(input) ?? ''), environment };
    return asResult(await runProgram({ ...program, timeoutMs, maxBytes, excess: 'drop', clock, signal }));
  };
}

function asResult(said: Buffer): unknown {
  const text = said.toString('utf8').trim();
  try {
    return JSON.parse(text);
  } catch {
    return text === '' ? undefined : text;
  }
}

/**
 * Calls the default export. A function cannot be killed: one that is not done in time, and does not heed its signal, goes on beside
 * what comes after it.
 */
function moduleHandler(file: string, timeoutMs: number, clock: Clock): Handler {
  return async ({ input, about, signal }) => {
    const stop = new AbortController();
    const ended = (): void => stop.abort(new Error('the agent ends'));
    signal.addEventListener('abort', ended, { once: true });
    const cancel = clock.after(timeoutMs, () =>
      stop.abort(new Error(`${file} has not ended after ${timeoutMs / 1000} s`)),
    );
    const stopped = new Promise<never>((_resolve, reject) => {
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
    });
    try {
      signal.throwIfAborted();
      return await Promise.race([call(file, input, { ...about, signal: stop.signal }), stopped]);
    } finally {
      cancel();
      signal.removeEventListener('abort', ended);
    }
  };
}

async function call(file: string, input: unknown, context: object): Promise<unknown> {
  const { default: main }: { default?: unknown } = await import(pathToFileURL(file).href);
  if (typeof main !== 'function') throw new Error(`${file} has no function as its default export`);
  return main(input, context);
}
