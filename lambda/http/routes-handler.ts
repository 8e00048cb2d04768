import { type GrantTarget, reaches } from '@thingstead/contracts/grants';
import type { Audience, FieldProblem, Problem, Route } from '@thingstead/contracts/routes/route';
import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as v from 'valibot';
import { callerOf } from './caller.ts';
import { type Parts, readRequest } from './read-request.ts';
import { type Access, type Caller, type Refusal, type RouteHandlers, refusal } from './request.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
const NOBODY: Access = { role: undefined, visibleFrom: 0 };

export interface RoutesHandlerPorts {
  /** What a person may do with a thing or site by their grants; undefined: nothing. */
  access(person: string, target: GrantTarget): Promise<Access | undefined>;
  /** Gets every error that nobody expected, with what finds it in the log. */
  failed(failure: { readonly operationId: string; readonly correlationId: string; readonly error: unknown }): void;
}

type Handler = (request: never) => Promise<{ readonly ok: boolean }>;
type Result = APIGatewayProxyStructuredResultV2;

/**
 * The handler of a group of routes: checks the token's claims, the request against its contract, and that the caller is of the
 * route's audience, before the route's own code runs. A thing that is not the caller's is not there: 404. All refusals are
 * `application/problem+json` (RFC 9457).
 */
export function createRoutesHandler<const Routes extends Readonly<Record<string, Route>>>(
  routes: Routes,
  handlers: RouteHandlers<Routes>,
  ports: RoutesHandlerPorts,
): (event: APIGatewayProxyEventV2WithJWTAuthorizer) => Promise<Result> {
  const byKey = new Map(Object.values(routes).map((route) => [`${route.method} ${route.path}`, route]));
  return async (event) => {
    const correlationId = event.requestContext.requestId;
    const route = byKey.get(event.routeKey);
    if (!route) return problem(refusal(404, 'there is no such route'), correlationId);
    try {
      const caller = callerOf(event);
      if (!caller) return problem(refusal(401, 'this needs an access token of a person'), correlationId);
      const request = readRequest(route, event);
      if (!request.ok) return problem(invalid(request.errors), correlationId, request.errors);
      const access = await admit(route.audience, caller, request.parts, ports);
      if ('status' in access) return problem(access, correlationId);
      // The map of handlers has one for each route, of the type that its contract gives.
      const handler = handlers[route.operationId] as unknown as Handler;
      const answer = (await handler({ caller, access, ...request.parts } as never)) as
        | Refusal
        | { ok: true; body: unknown; headers?: Record<string, string> };
      return answer.ok ? success(route, answer) : problem(answer, correlationId);
    } catch (error) {
      ports.failed({ operationId: route.operationId, correlationId, error });
      return problem(refusal(500, 'something went wrong here; try again'), correlationId);
    }
  };
}

async function admit(
  audience: Audience,
  { person, groups }: Caller,
  { params }: Parts,
  { access }: RoutesHandlerPorts,
): Promise<Access | Refusal> {
  if (audience.kind === 'person') return NOBODY;
  // Routes for devices have a handler of their own.
  if (audience.kind === 'device') return refusal(404, 'there is no such route');
  if (audience.kind === 'staff') {
    return audience.groups.some((group) => groups.includes(group))
      ? NOBODY
      : refusal(403, `this is for ${audience.groups.join(' and ')}`);
  }
  const target = targetOf(params);
  const found = await access(person, target);
  if (found?.role !== undefined && reaches(found.role, audience.role)) return found;
  if (audience.staff.some((group) => groups.includes(group))) return { role: found?.role, visibleFrom: 0 };
  if (found) return refusal(403, `this needs the role ${audience.role}; yours is ${found.role}`);
  return refusal(404, `there is no ${target.kind} ${target.name}, or it is not yours`);
}

/** Paths of routes whose audience is a grant have `{thing}` or `{site}`; a test sees to it. */
function targetOf(params: unknown): GrantTarget {
  const { thing, site } = params as { readonly thing?: string; readonly site?: string };
  return thing === undefined ? { kind: 'site', name: site ?? '' } : { kind: 'thing', name: thing };
}

/** An answer that keeps to the contract of its route. */
export function success(
  route: Route,
  { body, headers }: { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> },
): Result {
  const statusCode = route.status;
  if (!route.answer) return { statusCode, headers: { ...headers } };
  // What goes out is checked too: members that the contract does not name stay inside.
  const answer = v.parse(route.answer, body);
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(answer),
  };
}

function invalid(errors: readonly FieldProblem[]): Refusal {
  return refusal(
    400,
    errors
      .map(({ field, message }) => `${field} ${message}`)
      .join('; ')
      .slice(0, 2000),
  );
}

/** A refusal as `application/problem+json`. */
export function problem(
  { status, detail, headers }: Refusal,
  correlationId: string,
  errors: readonly FieldProblem[] = [],
): Result {
  const body: Problem = {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    correlationId,
    ...(errors.length > 0 && { errors: errors.slice(0, 50) }),
  };
  return {
    statusCode: status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}
