/** What a route of the REST API is: the functions, the OpenAPI document, the client and the tests read the same. */
import * as v from 'valibot';
import type { Role, StaffGroup } from '../grants.ts';

type ObjectSchema = v.GenericSchema<unknown, Readonly<Record<string, unknown>>>;

/** Who may use a route, besides those who are signed in at all. */
export type Audience =
  /** Anyone who is signed in; about themselves. */
  | { readonly kind: 'person' }
  /** Those with at least this role for the thing or site of the path; members of these groups too. */
  | { readonly kind: 'grant'; readonly role: Role; readonly staff: readonly StaffGroup[] }
  /** Members of these groups. */
  | { readonly kind: 'staff'; readonly groups: readonly StaffGroup[] }
  /** Devices, without a token. */
  | { readonly kind: 'device' };

export interface Route<
  Params extends ObjectSchema = ObjectSchema,
  Query extends ObjectSchema = ObjectSchema,
  Body extends v.GenericSchema | undefined = v.GenericSchema | undefined,
  Answer extends v.GenericSchema | undefined = v.GenericSchema | undefined,
  Headers extends ObjectSchema | undefined = ObjectSchema | undefined,
> {
  /** Names it in the client and in the OpenAPI document. */
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{names}`, which `params` describes. */
  readonly path: string;
  readonly summary: string;
  readonly audience: Audience;
  readonly params: Params;
  readonly query: Query;
  /** Headers that it reads, by their names in lower case. */
  readonly headers?: Headers;
  readonly body: Body;
  /** Status of success. */
  readonly status: 200 | 201 | 202 | 204;
  readonly answer: Answer;
  /** Expected refusals beyond 400, 401, 429 and 500, by status, with what they mean. */
  readonly problems: Readonly<Record<number, string>>;
}

/** Types a route as what it is. */
export function route<
  const Params extends ObjectSchema,
  const Query extends ObjectSchema,
  const Body extends v.GenericSchema | undefined,
  const Answer extends v.GenericSchema | undefined,
  const Headers extends ObjectSchema | undefined = undefined,
>(of: Route<Params, Query, Body, Answer, Headers>): Route<Params, Query, Body, Answer, Headers> {
  return of;
}

/** For routes without parameters of that kind. Unknown ones are refused. */
export const None = v.strictObject({});

/** A mistake in one member of a request. */
const FieldProblem = v.object({
  /** `body.label`, `query.limit`, `path.thing`, `header.if-match`. */
  field: v.string(),
  message: v.string(),
});
export type FieldProblem = v.InferOutput<typeof FieldProblem>;

/** RFC 9457, `application/problem+json`. Nothing internal is in it; the correlation id finds the log. */
export const Problem = v.object({
  type: v.literal('about:blank'),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: v.string(),
  correlationId: v.string(),
  errors: v.optional(v.array(FieldProblem)),
});
export type Problem = v.InferOutput<typeof Problem>;

export const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A number in a query string. */
export function queryInteger(minimum: number, maximum: number) {
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, 'must be a whole number'),
    v.transform(Number),
    v.minValue(minimum, `must be at least ${minimum}`),
    v.maxValue(maximum, `must be at most ${maximum}`),
  );
}

/** Where the next page begins: as the page before gave it, unread. */
export const Cursor = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,2048}$/, 'must be the cursor of an earlier answer'));

/** Text that people see: no control characters, no broken surrogates. */
export function displayText(maxLength: number) {
  return v.pipe(
    v.string(),
    v.check((text) => text.isWellFormed(), 'has half of a surrogate pair in it'),
    v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'has control characters in it'),
    v.trim(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(maxLength, `must be at most ${maxLength} characters`),
  );
}
