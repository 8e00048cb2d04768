import type { Route } from '../types.ts';

export interface Match {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** How well a route fits: compared from the left, the greater number wins. */
type Rank = readonly number[];

const FULL = 2;
const GREEDY = 1;
const DEFAULT = 0;

/**
 * The route of a request: a full match before one with a greedy path variable, that before `$default`
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html). Of two of a kind the one
 * with literal segments further to the left is more specific, then the one that names the method.
 *
 * @param path percent-decoded, without the stage
 */
export function matchRoute(routes: Iterable<Route>, method: string, path: string): Match | undefined {
  let best: (Match & { readonly rank: Rank }) | undefined;
  for (const route of routes) {
    const found = match(route, method, path);
    if (found && (!best || isGreater(found.rank, best.rank))) best = { route, ...found };
  }
  return best && { route: best.route, pathParameters: best.pathParameters };
}

function match(
  { routeKey }: Route,
  method: string,
  path: string,
): { readonly rank: Rank; readonly pathParameters: Readonly<Record<string, string>> } | undefined {
  if (routeKey === '$default') return { rank: [DEFAULT], pathParameters: {} };
  const [wanted, pattern = ''] = routeKey.split(' ');
  if (wanted !== 'ANY' && wanted !== method) return undefined;
  const given = path.split('/').slice(1);
  const segments = pattern.split('/').slice(1);
  const pathParameters: Record<string, string> = {};
  const ranks: number[] = [];
  const named = wanted === 'ANY' ? 0 : 1;
  for (const [at, segment] of segments.entries()) {
    if (segment.endsWith('+}')) {
      const rest = given.slice(at).join('/');
      if (rest === '') return undefined;
      pathParameters[segment.slice(1, -2)] = rest;
      return { rank: [GREEDY, ...ranks, 0, named], pathParameters };
    }
    const value = given[at];
    if (segment.startsWith('{')) {
      if (!value) return undefined;
      pathParameters[segment.slice(1, -1)] = value;
      ranks.push(1);
    } else {
      if (value !== segment) return undefined;
      ranks.push(2);
    }
  }
  return given.length === segments.length ? { rank: [FULL, ...ranks, named], pathParameters } : undefined;
}

function isGreater(a: Rank, b: Rank): boolean {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
