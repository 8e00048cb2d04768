import type { Route } from '@thingstead/contracts/routes/route';

/** The parts of a request, as the types of a method have let them through. */
export interface Parts {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface BuiltRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request to a route at this address. Members that are undefined are left out. @throws TypeError for a path that lacks a name */
export function buildRequest(baseUrl: string, { method, path }: Route, parts: Parts): BuiltRequest {
  const { params = {}, query = {}, headers = {}, body } = parts;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    // An empty one would be another path, and so would be dots, which mean other levels.
    if (typeof value !== 'string' || /^\.{0,2}$/.test(value)) throw new TypeError(`${path} needs ${name}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams(texts(query)).toString();
  return {
    url: `${baseUrl.replace(/\/+$/, '')}${filled}${search === '' ? '' : `?${search}`}`,
    method,
    headers: { ...texts(headers), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

function texts(members: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
