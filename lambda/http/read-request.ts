import type { FieldProblem, Route } from '@thingstead/contracts/routes/route';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import * as v from 'valibot';

/** More than any route needs, and quick to read: API Gateway itself lets 10 MB through. */
const MAX_BODY_BYTES = 64 * 1024;
/** A shadow may be nested eight deep. */
const MAX_DEPTH = 16;

export interface Parts {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;
}

export type ReadRequest =
  | { readonly ok: true; readonly parts: Parts }
  | { readonly ok: false; readonly errors: readonly FieldProblem[] };

/** Checks a request against its contract; every wrong member is named. */
export function readRequest(route: Route, event: APIGatewayProxyEventV2WithJWTAuthorizer): ReadRequest {
  const errors: FieldProblem[] = [];
  const check = (schema: v.GenericSchema, value: unknown, place: string): unknown => {
    const result = v.safeParse(schema, value, { abortPipeEarly: true });
    if (result.success) return result.output;
    errors.push(...result.issues.map((issue) => problem(place, issue)));
    return undefined;
  };
  const params = check(route.params, { ...event.pathParameters }, 'path');
  const query = check(route.query, { ...event.queryStringParameters }, 'query');
  const headers = route.headers && check(route.headers, { ...event.headers }, 'header');
  const others = errors.length;
  const body = route.body && readBody(event, errors);
  const valid = route.body && errors.length === others ? check(route.body, body, 'body') : undefined;
  return errors.length > 0 ? { ok: false, errors } : { ok: true, parts: { params, query, headers, body: valid } };
}

function readBody({ body, isBase64Encoded }: APIGatewayProxyEventV2WithJWTAuthorizer, errors: FieldProblem[]): unknown {
  const refuse = (message: string): undefined => {
    errors.push({ field: 'body', message });
    return undefined;
  };
  if (body === undefined || body === '') return refuse('is missing: this route takes a JSON object');
  if (body.length > MAX_BODY_BYTES * (isBase64Encoded ? 4 / 3 : 1)) {
    return refuse(`is larger than ${MAX_BODY_BYTES} bytes`);
  }
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) return refuse(`is larger than ${MAX_BODY_BYTES} bytes`);
  // Before it is parsed, so that what is built is small.
  if (depthOf(text) > MAX_DEPTH) return refuse(`is nested more than ${MAX_DEPTH} deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('is no JSON');
  }
  const odd = unfitText(value, 'body');
  if (odd !== undefined) {
    errors.push(odd);
    return undefined;
  }
  return value;
}

/** The deepest nesting of brackets outside strings. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

/** Half a surrogate pair cannot be stored as UTF-8: it would come back as another character. */
function unfitText(value: unknown, field: string): FieldProblem | undefined {
  if (typeof value === 'string') {
    return value.isWellFormed() ? undefined : { field, message: 'has half of a surrogate pair in it' };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) return { field, message: 'has a member whose name has half of a surrogate pair in it' };
    if (name === '__proto__') return { field, message: 'has a member __proto__' };
    const found = unfitText(member, `${field}.${name}`);
    if (found) return found;
  }
  return undefined;
}

function problem(place: string, issue: v.BaseIssue<unknown>): FieldProblem {
  const path = v.getDotPath(issue);
  const message = issue.expected === 'never' ? 'is not known here' : issue.message;
  return { field: path === null ? place : `${place}.${path}`, message };
}
