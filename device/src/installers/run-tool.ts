import type { Clock } from '../clock.ts';
import { runProgram } from '../run-program.ts';

/** Writing a whole system takes its time on a slow card. */
const TIMEOUT_MS = 3_600_000;
const MAX_BYTES = 256 * 1024;

/** Runs a tool of the system, and gives what it prints. @throws (rejects) Error with the end of what it said on standard error. */
export type RunTool = (command: readonly string[], signal?: AbortSignal) => Promise<string>;

export function toolRunner(clock: Clock): RunTool {
  return async (command, signal = new AbortController().signal) => {
    const output = await runProgram({
      ...{ command, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, excess: 'kill', clock, signal },
    });
    return output.toString('utf8');
  };
}
