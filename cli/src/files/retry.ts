import { ApiProblem, ApiUnreachable } from '@thingstead/client';
import { CommandError } from '../command-error.ts';
import { pause } from '../pause.ts';

const MAX_PAUSE_MS = 30_000;

/** S3 did not take or give something. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Tries again what the network or an expired URL has cut off, with growing pauses; `attempts` on end without any progress are the
 * end. `made` says so when something went on.
 */
export async function persistently<Result>(
  signal: AbortSignal,
  attempt: (made: () => void) => Promise<Result>,
  attempts = 8,
): Promise<Result> {
  let failures = 0;
  for (;;) {
    try {
      return await attempt(() => {
        failures = 0;
      });
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures >= attempts || !isPassing(error)) throw interrupted(error, signal);
      await pause(Math.min(500 * 2 ** failures, MAX_PAUSE_MS) * Math.random(), signal);
    }
  }
}

/** What the same request may not meet again. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiProblem) return error.status >= 500 || error.status === 429;
  if (error instanceof ApiUnreachable) return true;
  // 403: its URL has expired.
  if (error instanceof StoreError) return error.status >= 500 || error.status === 403;
  if (error instanceof CommandError) return false;
  return (
    error instanceof Error &&
    /fetch failed|terminated|aborted|ECONN|EPIPE|socket/i.test(`${error.message} ${error.cause}`)
  );
}

function interrupted(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return error;
  return new CommandError('interrupted', 'It was interrupted.', { causes: ['the same command goes on with it'] });
}
