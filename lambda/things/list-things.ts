import { type GrantRow, type Role, targetKey } from '@thingstead/contracts/grants';
import type { thingsRoutes } from '@thingstead/contracts/routes/things';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { accessBy, targetsAbout } from '../authorization/access.ts';
import type { Access, RouteAnswer, RouteRequest } from '../http/request.ts';
import { type Candidates, known, listed, merged, oneByOne } from './candidates.ts';
import { openCursor, sealCursor } from './cursor.ts';
import { hasFilters, matches } from './filters.ts';
import { beyond, inBoth, inOrder, type NameRange, namesOfSite, namesWith } from './name-range.ts';
import { Place, pageOf } from './page.ts';
import type { Ports, ThingLists } from './ports.ts';
import { thingFor } from './thing.ts';

export const DEFAULT_PAGE = 50;

/** The things of a person: those of their grants, and those of the sites in their grants. */
export interface Holdings {
  readonly things: readonly string[];
  readonly sites: readonly string[];
  access(thing: string): Access | undefined;
}

/** What a person has by the grants that are in force, with at least one of these roles. */
export function holdingsOf(grants: readonly GrantRow[], now: number, roles?: readonly Role[]): Holdings {
  const inForce = grants.filter((grant) => {
    const access = accessBy([grant], now);
    return access?.role !== undefined && (!roles || roles.includes(access.role));
  });
  const byTarget = new Map(inForce.map((grant) => [grant.target, grant]));
  const names = (kind: 'thing' | 'site'): readonly string[] =>
    inForce.flatMap(({ target }) => (target.startsWith(`${kind}#`) ? [target.slice(kind.length + 1)] : []));
  return {
    things: names('thing'),
    sites: names('site'),
    access(thing) {
      const about = targetsAbout({ kind: 'thing', name: thing }).flatMap((each) => byTarget.get(targetKey(each)) ?? []);
      return accessBy(about, now);
    },
  };
}

/** Their names in this range. A site is asked only when the page gets that far. */
export function namesIn({ things, sites }: Holdings, range: NameRange, limit: number, lists: ThingLists): Candidates {
  const ranges = sites.flatMap((site) => {
    const inSite = inBoth(range, namesOfSite(site));
    return inSite ? [{ site, inSite }] : [];
  });
  const ofSites = ranges
    .sort((a, b) => inOrder(a.inSite.from, b.inSite.from))
    .map(({ site, inSite }) => ({
      candidates: () => listed(lists, { index: THINGS_INDEXES.site, partition: site }, inSite, limit + 1),
      end: inSite.to,
    }));
  return merged([known(things, range), oneByOne(ofSites)]);
}

/** The names that a list is about; undefined: none. */
export function rangeOf(
  { prefix = '', site }: { readonly prefix?: string | undefined; readonly site?: string | undefined },
  after: string | undefined,
): NameRange | undefined {
  const named = namesWith(prefix);
  const range = site === undefined ? named : inBoth(named, namesOfSite(site));
  return range && after !== undefined ? beyond(range, after) : range;
}

/** `GET /things`: by name, page by page. A page costs the same however many things there are. */
export async function listThings(
  { caller, query }: RouteRequest<typeof thingsRoutes.listThings>,
  { lists, grants, now }: Ports,
): Promise<RouteAnswer<typeof thingsRoutes.listThings>> {
  const { limit = DEFAULT_PAGE, cursor, ...asked } = query;
  const { prefix, site, ...filters } = asked;
  const scope = ['mine', caller.person, prefix, site, ...filterScope(filters)];
  const opened = cursor === undefined ? undefined : openCursor(cursor, Place, scope);
  if (opened?.ok === false) return opened;
  const holdings = holdingsOf(await grants.all(caller.person), now());
  const range = rangeOf(asked, opened?.position);
  if (!range) return { ok: true, body: { things: [] } };
  const single = new Set(holdings.things);
  const page = await pageOf(
    {
      candidates: namesIn(holdings, range, limit, lists),
      limit,
      filtered: hasFilters(filters),
      show(name, row) {
        const access = holdings.access(name);
        // A thing that somebody has is listed even if nothing is known of it; what a site's list had and is gone, is not.
        if (!access || (!row && !single.has(name))) return undefined;
        const thing = thingFor(name, row, access);
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

/** What of the filters a cursor depends on, in an order that stays. */
export function filterScope({ type, connected, firmware, text, role }: Parameters<typeof matches>[1]): unknown[] {
  return [type, connected, firmware, text, role];
}
