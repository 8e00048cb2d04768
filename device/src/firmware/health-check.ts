import { type Clock, pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';

const LOOK_EVERY_MS = 5_000;

export interface HealthCheckOptions {
  readonly clock: Clock;
  /** For so long without a break. */
  readonly healthyMs: number;
  /** Within so long. */
  readonly deadlineMs: number;
  /** What is wrong now; undefined when nothing is. May reject: that is wrong, too. */
  readonly problem: () => Promise<string | undefined>;
  readonly signal: AbortSignal;
}

/**
 * Watches a new version. Resolves with undefined when it has been healthy for long enough, else with what was wrong with it; or when
 * the signal is aborted, with undefined too: who calls looks at the signal.
 */
export async function watchHealth(options: HealthCheckOptions): Promise<string | undefined> {
  const { clock, healthyMs, deadlineMs, problem, signal } = options;
  const started = clock.uptime();
  const everyMs = Math.min(LOOK_EVERY_MS, healthyMs / 3);
  let since: number | undefined;
  let last = 'was never healthy';
  while (!signal.aborted) {
    const wrong = await problem().catch(messageOf);
    const now = clock.uptime();
    if (wrong === undefined) {
      since ??= now;
      if (now - since >= healthyMs) return undefined;
    } else {
      since = undefined;
      last = wrong;
    }
    if (now - started >= deadlineMs) return since === undefined ? last : `was healthy too late; before: ${last}`;
    await pause(clock, everyMs, signal);
  }
  return undefined;
}
