/** The methods of the client, by types alone: one for each route of the contracts, with its parts and its answer. */
import type { ROUTES, RouteGroup } from '@thingstead/contracts/routes';
import type { Route } from '@thingstead/contracts/routes/route';
import type * as v from 'valibot';

/** All groups as one: a value that is of each type of a union. */
type Together<Union> = (Union extends unknown ? (value: Union) => void : never) extends (value: infer All) => void
  ? All
  : never;
type Routes = Together<(typeof ROUTES)[RouteGroup]>;

type Input<Schema> = Schema extends v.GenericSchema ? v.InferInput<Schema> : never;
type Output<Schema> = Schema extends v.GenericSchema ? v.InferOutput<Schema> : never;

/** Numbers and truth values are text in a query; a caller gives them as what they are. */
type QueryOf<R extends Route> = {
  readonly [Name in keyof Input<R['query']>]: Output<R['query']>[Name & keyof Output<R['query']>];
};

/** A part that has no members is not there; one whose members may all be left out may be left out itself. */
type Part<Name extends string, T> = [keyof T] extends [never]
  ? unknown
  : Partial<T> extends T
    ? { readonly [Key in Name]?: T }
    : { readonly [Key in Name]: T };

/** What a request to a route is made of. */
export type RequestOf<R extends Route> = Part<'params', Input<R['params']>> &
  Part<'query', QueryOf<R>> &
  Part<'headers', Input<NonNullable<R['headers']>>> &
  (R['body'] extends v.GenericSchema ? { readonly body: Input<R['body']> } : unknown);

export type AnswerOf<R extends Route> = R['answer'] extends v.GenericSchema ? Output<R['answer']> : undefined;

export interface CallOptions {
  /** Ends the request, and the waiting between its attempts. */
  readonly signal?: AbortSignal;
  /** How long each attempt may take, in milliseconds; else what the client was made with. */
  readonly timeoutMs?: number;
}

type Method<R extends Route> =
  Partial<RequestOf<R>> extends RequestOf<R>
    ? (request?: RequestOf<R>, options?: CallOptions) => Promise<AnswerOf<R>>
    : (request: RequestOf<R>, options?: CallOptions) => Promise<AnswerOf<R>>;

/** `client.listThings({ query: { limit: 10 } })`: a method for each route, which gives the body of its answer. */
export type Client = { readonly [Id in keyof Routes]: Routes[Id] extends Route ? Method<Routes[Id]> : never };
