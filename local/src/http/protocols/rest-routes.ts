import { AwsError } from '../../kernel/errors.ts';

export interface RouteOptions {
  /** Members that travel in the query string: member -> name on the wire. A repeated name gives a list. */
  readonly query?: Readonly<Record<string, string>>;
  /** Members that travel in headers: member -> header name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The member that is the whole body, as bytes. */
  readonly payload?: string;
  /** The member that is the whole body, as a JSON object. */
  readonly document?: string;
  readonly response?: {
    /** 200 when left out. */
    readonly status?: number;
    /** The member of the output that is the HTTP status. */
    readonly statusMember?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** The member that is the whole body: bytes and text as they are, anything else as JSON. */
    readonly payload?: string;
  };
}

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly operation: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string | undefined;
  readonly document: string | undefined;
  readonly response: NonNullable<RouteOptions['response']>;
}

/**
 * One operation of a REST-JSON service: `route('POST', '/things/{thingName}', 'CreateThing')`. A label takes one path
 * segment, `{topic+}` the rest of the path. `?name` or `?name=value` at the end asks for that query parameter.
 */
export function route(method: string, pattern: string, operation: string, options: RouteOptions = {}): Route {
  return {
    method,
    pattern,
    operation,
    query: options.query ?? {},
    headers: options.headers ?? {},
    payload: options.payload,
    document: options.document,
    response: options.response ?? {},
  };
}

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
  readonly required: URLSearchParams;
}

export interface Found {
  readonly route: Route;
  readonly labels: Readonly<Record<string, string>>;
}

/** Finds the route of a request; of several that fit, the one with more literal segments from the left. */
export function createRouter(
  routes: readonly Route[],
): (method: string, path: string, query: URLSearchParams) => Found | undefined {
  const byMethod = Map.groupBy(routes.map(compile).toSorted(mostSpecificFirst), (each) => each.route.method);
  return (method, path, query) => {
    const segments = path.split('/').slice(1);
    for (const each of byMethod.get(method) ?? []) {
      const labels = match(each.segments, segments);
      if (labels && hasRequired(each.required, query)) return { route: each.route, labels };
    }
    return undefined;
  };
}

function compile(route: Route): Compiled {
  const [path = '', query = ''] = route.pattern.split('?');
  return { route, segments: path.split('/').slice(1), required: new URLSearchParams(query) };
}

/** Literal before label before greedy label; more required parameters first. */
function mostSpecificFirst(a: Compiled, b: Compiled): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let at = 0; at < length; at += 1) {
    const difference = rank(a.segments[at]) - rank(b.segments[at]);
    if (difference !== 0) return difference;
  }
  return b.required.size - a.required.size;
}

function rank(segment: string | undefined): number {
  if (segment?.endsWith('+}')) return 3;
  if (segment?.startsWith('{')) return 2;
  return segment === undefined ? 1 : 0;
}

function match(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const [at, segment] of pattern.entries()) {
    const given = path[at];
    if (given === undefined) return undefined;
    if (segment.endsWith('+}')) {
      labels[segment.slice(1, -2)] = decode(path.slice(at).join('/'));
      return labels;
    }
    if (segment.startsWith('{')) {
      if (given === '') return undefined;
      labels[segment.slice(1, -1)] = decode(given);
    } else if (segment !== given) {
      return undefined;
    }
  }
  return path.length === pattern.length || (path.length === pattern.length + 1 && path.at(-1) === '')
    ? labels
    : undefined;
}

function hasRequired(required: URLSearchParams, query: URLSearchParams): boolean {
  for (const [name, value] of required) {
    if (!query.has(name) || (value !== '' && query.get(name) !== value)) return false;
  }
  return true;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError('InvalidRequestException', `The path has a broken percent-encoding: ${text}`);
  }
}
