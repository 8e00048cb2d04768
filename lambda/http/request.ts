import type { Role, StaffGroup } from '@thingstead/contracts/grants';
import type { Route } from '@thingstead/contracts/routes/route';
import type * as v from 'valibot';

/** Who is signed in: from the claims of the access token, which the gateway has verified. */
export interface Caller {
  readonly person: string;
  readonly groups: readonly StaffGroup[];
}

/** What the caller may do with the thing or site of the path. */
export interface Access {
  /** Undefined for staff without a grant. */
  readonly role: Role | undefined;
  /** Nothing older is theirs to see; 0 for staff. Epoch milliseconds. */
  readonly visibleFrom: number;
  /** By a grant for the site of the thing alone, which says nothing of whether there is such a thing. */
  readonly throughSite?: boolean;
}

type Output<Schema> = Schema extends v.GenericSchema ? v.InferOutput<Schema> : undefined;

/** A request that keeps to its contract, of a caller who may make it. */
export interface RouteRequest<R extends Route> {
  readonly caller: Caller;
  /** Of routes whose audience is a grant; nobody's for all others. */
  readonly access: Access;
  readonly params: Output<R['params']>;
  readonly query: Output<R['query']>;
  /** Of routes that read some. */
  readonly headers: Output<NonNullable<R['headers']>>;
  readonly body: Output<R['body']>;
}

/** An expected failure: a status that the contract of the route names, and what to tell. */
export interface Refusal {
  readonly ok: false;
  readonly status: number;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type RouteAnswer<R extends Route> =
  | { readonly ok: true; readonly body: Output<R['answer']>; readonly headers?: Readonly<Record<string, string>> }
  | Refusal;

/** What answers each route of a group, by operation id. */
export type RouteHandlers<Routes extends Readonly<Record<string, Route>>> = {
  readonly [Id in keyof Routes]: (request: RouteRequest<Routes[Id]>) => Promise<RouteAnswer<Routes[Id]>>;
};

/** An expected failure, as a value. */
export function refusal(status: number, detail: string, headers?: Readonly<Record<string, string>>): Refusal {
  return { ok: false, status, detail, ...(headers && { headers }) };
}
