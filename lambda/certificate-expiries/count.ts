import { expiryDay } from '@thingstead/contracts/registration';
import type { Ports } from './ports.ts';

const DAY_MS = 86_400_000;
/** Those that have expired are told of for so long: after it, they are on the shelf or gone. */
const EXPIRED_DAYS = 7;

/** Counts the things whose certificate expires within the days ahead, or has a week ago: one query for each day. */
export async function countExpiring({ claims, reports, noticeDays, now }: Ports): Promise<void> {
  const days: Record<string, number> = {};
  let expiring = 0;
  for (let day = -EXPIRED_DAYS; day <= noticeDays; day += 1) {
    const name = expiryDay(now() + day * DAY_MS);
    const count = await claims.countOf(name);
    if (count > 0) days[name] = count;
    expiring += count;
  }
  reports.counted(expiring, days);
}
