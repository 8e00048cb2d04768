import type { RolloutDeviceRow } from '@thingstead/contracts/rollout-store';
import type { RolloutSettings } from '@thingstead/contracts/rollouts';
import type { TickPorts } from '../rollouts/ports.ts';

const MINUTE_MS = 60_000;
/** What a device was like before is seen over so long, or over its soak if that is longer, but over a day at most. */
const BEFORE_MS = 60 * MINUTE_MS;
const MAX_BEFORE_MS = 24 * 60 * MINUTE_MS;

export interface Verdict {
  /** `away`: nobody can say yet. */
  readonly is: 'healthy' | 'unhealthy' | 'away';
  readonly reason: string;
}

/**
 * How a device does that has run the new version for its soak time: it is connected, has not connected again more often than
 * allowed, and its error sensor, if there is one, still reports, and no worse than before.
 */
export async function judge(
  { thing, startedAt = 0, committedAt = 0, connections }: RolloutDeviceRow,
  { health }: Pick<RolloutSettings, 'health'>,
  { presences, errors, now }: Pick<TickPorts, 'presences' | 'errors' | 'now'>,
): Promise<Verdict> {
  const presence = await presences.find(thing);
  if (!presence?.connected) return { is: 'away', reason: 'it is not connected at the end of its soak time' };
  const again = reconnects(connections, presence.connections);
  if (again > health.maxReconnects) {
    return {
      is: 'unhealthy',
      reason: `it has connected ${again} times since it committed; ${health.maxReconnects} are allowed`,
    };
  }
  const { errorSensor, maxErrorIncrease } = health;
  if (errorSensor === undefined) return { is: 'healthy', reason: `connected, ${again} times again` };
  const until = now();
  const window = Math.min(Math.max(BEFORE_MS, until - committedAt), MAX_BEFORE_MS);
  const [before, since] = await Promise.all([
    errors.between(thing, errorSensor, startedAt - window, startedAt),
    errors.between(thing, errorSensor, committedAt, until),
  ]);
  if (before.count > 0 && since.count === 0) {
    return { is: 'unhealthy', reason: `${errorSensor} reported before the update, and not since` };
  }
  const reason = `the mean of ${errorSensor} was ${shown(before.mean)} before and is ${shown(since.mean)}`;
  const worse = since.count > 0 && since.mean > (before.count > 0 ? before.mean : 0) + maxErrorIncrease;
  return worse
    ? { is: 'unhealthy', reason: `${reason}: more than ${maxErrorIncrease} higher` }
    : { is: 'healthy', reason };
}

/** The broker's count begins again after an absence of about an hour: then all that it says was since. */
function reconnects(then: number | undefined, now: number | undefined): number {
  if (then === undefined || now === undefined) return 0;
  return now >= then ? now - then : now + 1;
}

function shown(mean: number): number {
  return Math.round(mean * 1000) / 1000;
}
