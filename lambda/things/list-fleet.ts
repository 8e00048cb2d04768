import type { thingsRoutes } from '@thingstead/contracts/routes/things';
import { listShards, THINGS_INDEXES, WHOLE_FLEET } from '@thingstead/contracts/things';
import type * as v from 'valibot';
import type { RouteAnswer, RouteRequest } from '../http/request.ts';
import { type Candidates, listed, merged } from './candidates.ts';
import { openCursor, sealCursor } from './cursor.ts';
import { type Filters, hasFilters, matches } from './filters.ts';
import { DEFAULT_PAGE, filterScope, type Holdings, holdingsOf, namesIn, rangeOf } from './list-things.ts';
import type { NameRange } from './name-range.ts';
import { Place, pageOf } from './page.ts';
import type { List, Ports, ThingLists } from './ports.ts';
import { thingFor } from './thing.ts';

type Query = v.InferOutput<typeof thingsRoutes.listFleet.query>;

const STAFF = { role: undefined, visibleFrom: 0 };

/**
 * `GET /operator/things`. One of the filters chooses the index, the most selective first: owner, site, firmware, type,
 * connected; without any it is the one by name. The others are asked of each thing. A prefix narrows all of them.
 */
export async function listFleet(
  { caller, query }: RouteRequest<typeof thingsRoutes.listFleet>,
  { lists, grants, now }: Ports,
): Promise<RouteAnswer<typeof thingsRoutes.listFleet>> {
  const { limit = DEFAULT_PAGE, cursor, ...asked } = query;
  const { prefix, site, owner, ...filters } = asked;
  const scope = ['fleet', caller.person, prefix, site, owner, ...filterScope(filters)];
  const opened = cursor === undefined ? undefined : openCursor(cursor, Place, scope);
  if (opened?.ok === false) return opened;
  const range = rangeOf(asked, opened?.position);
  if (!range) return { ok: true, body: { things: [] } };
  const holdings = owner === undefined ? undefined : holdingsOf(await grants.all(owner), now(), ['owner']);
  const chosen = holdings ? undefined : listFor(asked);
  const page = await pageOf(
    {
      candidates: holdings
        ? namesIn(holdings, range, limit, lists)
        : namesByIndex(chosen?.partitions ?? [], range, limit, lists),
      limit,
      // What the index has chosen holds for nearly all that is in it.
      filtered: hasFilters({ ...filters, ...chosen?.done }),
      show(name, row) {
        if (!row && !isSingle(holdings, name)) return undefined;
        const thing = thingFor(name, row, STAFF);
        return matches(thing, filters) ? thing : undefined;
      },
    },
    lists,
  );
  return {
    ok: true,
    body: { things: [...page.things], ...(page.next !== undefined && { cursor: sealCursor(page.next, scope) }) },
  };
}

function isSingle(holdings: Holdings | undefined, name: string): boolean {
  return holdings?.things.includes(name) ?? false;
}

/** All partitions at the same time, merged by name. */
function namesByIndex(partitions: readonly List[], range: NameRange, limit: number, lists: ThingLists): Candidates {
  // Things are spread evenly, so that each partition has its share of the page, and a little more or less.
  const expected = partitions.length === 1 ? limit + 1 : Math.ceil((2 * limit) / partitions.length) + 2;
  return merged(partitions.map((list) => listed(lists, list, range, expected)));
}

interface ChosenList {
  readonly partitions: readonly List[];
  /** The filter that need not be asked of each thing. */
  readonly done?: Partial<Record<keyof Filters, undefined>>;
}

function listFor({ site, firmware, type, connected }: Query): ChosenList {
  const of = (index: List['index'], value: string): readonly List[] =>
    listShards(value).map((partition) => ({ index, partition }));
  if (site !== undefined) return { partitions: [{ index: THINGS_INDEXES.site, partition: site }] };
  if (firmware !== undefined)
    return { partitions: of(THINGS_INDEXES.firmware, firmware), done: { firmware: undefined } };
  if (type !== undefined) return { partitions: of(THINGS_INDEXES.type, type), done: { type: undefined } };
  if (connected !== undefined)
    return { partitions: of(THINGS_INDEXES.connected, String(connected)), done: { connected: undefined } };
  return { partitions: of(THINGS_INDEXES.name, WHOLE_FLEET) };
}
