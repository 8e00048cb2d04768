import { MAX_ROWS_EXAMINED, type Thing } from '@thingstead/contracts/routes/things';
import type { ThingRow } from '@thingstead/contracts/things';
import * as v from 'valibot';
import type { Candidate, Candidates } from './candidates.ts';
import type { ThingLists } from './ports.ts';

/** A place without a thing has cost a query, perhaps in vain. */
const ROWS_PER_PLACE = 20;
/** Rows that one BatchGetItem reads at most. */
const ROWS_AT_A_TIME = 100;

/** Where a page ended: a name, or the end of a site. */
export const Place = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_~-]{1,80}$/));

export interface PageRequest {
  readonly candidates: Candidates;
  /** Things on the page, at most. */
  readonly limit: number;
  /** True when not every candidate is taken. */
  readonly filtered: boolean;
  /** What is shown of a candidate; undefined: nothing. */
  show(thing: string, row: ThingRow | undefined): Thing | undefined;
}

export interface Page {
  readonly things: readonly Thing[];
  /** The place from which the next page goes on; undefined: this was the last one. */
  readonly next: string | undefined;
}

/**
 * The next page. INVARIANT: each candidate up to `next` was shown or refused, and none beyond it. So a thing that is there all
 * the time is on exactly one page, whatever comes and goes around it.
 */
export async function pageOf({ candidates, limit, filtered, show }: PageRequest, lists: ThingLists): Promise<Page> {
  const things: Thing[] = [];
  let examined = 0;
  let next: string | undefined;
  while (things.length < limit && examined < MAX_ROWS_EXAMINED) {
    const most = filtered ? MAX_ROWS_EXAMINED - examined : limit - things.length;
    const taken = await take(candidates, Math.min(most, ROWS_AT_A_TIME));
    examined += taken.reduce((sum, { isThing }) => sum + (isThing ? 1 : ROWS_PER_PLACE), 0);
    const rows = await lists.rows(taken.flatMap(({ at, isThing }) => (isThing ? [at] : [])));
    for (const { at, isThing } of taken) {
      if (things.length === limit) return { things, next };
      next = at;
      const thing = isThing ? show(at, rows.get(at)) : undefined;
      if (thing) things.push(thing);
    }
    if (taken.length === 0) return { things, next: undefined };
  }
  return { things, next: (await candidates.next()).done ? undefined : next };
}

/** At most so many, and fewer once places have cost as much. */
async function take(candidates: Candidates, most: number): Promise<readonly Candidate[]> {
  const taken: Candidate[] = [];
  for (let cost = 0; cost < most; ) {
    const { value } = await candidates.next();
    if (!value) break;
    taken.push(value);
    cost += value.isThing ? 1 : ROWS_PER_PLACE;
  }
  return taken;
}
