/** The runtime's own routes under `/_local/`, outside any AWS API: for tests and scripts on this machine. */

import { InvalidPlanError } from '../faults/read-plan.ts';
import type { WireResponse } from '../kernel/wire.ts';
import type { HttpRequest } from './signature/scope.ts';

export interface Control {
  /** State as right after the start. */
  reset(): Promise<void>;
  /** Moves virtual time and waits until everything that became due has run; gives the new virtual time. */
  advance(seconds: number): Promise<number>;
  health(): Readonly<Record<string, unknown>>;
  /** Billable operations since the start and what they would have cost; `fleet`: how many devices share fixed costs. */
  meter(fleet: number | undefined): unknown;
  /** What would have been mailed, texted or pushed: the entries with an id greater than `after`. */
  outbox(after: number): readonly unknown[];
  /** The plan of harm, and how often each fault of it has matched and done harm. */
  faults(): unknown;
  /** Replaces the plan. Throws InvalidPlanError. */
  harm(plan: unknown): void;
}

const PREFIX = '/_local/';
/** A web page can reach a port of its visitor's machine under a name of its own; a browser tells that name here. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

/** Answers requests under `/_local/`; undefined for every other path. */
export function controlRoutes(control: Control): (request: HttpRequest) => Promise<WireResponse> | undefined {
  return (request) => (request.path.startsWith(PREFIX) ? answer(control, request) : undefined);
}

async function answer(control: Control, request: HttpRequest): Promise<WireResponse> {
  const { host = '', origin } = request.headers;
  if (!LOOPBACK_HOST.test(host)) return refuse(403, `Host ${host} is not this machine; use 127.0.0.1 or localhost`);
  if (origin !== undefined) return refuse(403, `A web page (${origin}) may not control the runtime`);
  const route = `${request.method} ${request.path.slice(PREFIX.length)}`;
  switch (route) {
    case 'GET health':
      return json(200, control.health());
    case 'GET meter':
      return meter(control, request.query.get('fleet'));
    case 'GET outbox':
      return outbox(control, request.query.get('after') ?? '0');
    case 'GET faults':
      return json(200, control.faults());
    case 'POST faults':
      return harm(control, request.body.toString('utf8'));
    case 'POST reset':
      await control.reset();
      return json(200, { status: 'reset' });
    case 'POST clock':
      return advance(control, request.body.toString('utf8'));
  }
  return refuse(
    404,
    `There is no ${request.method} ${request.path}; there are GET health, GET meter, GET outbox, GET faults, POST faults, POST reset and POST clock`,
  );
}

async function advance(control: Control, body: string): Promise<WireResponse> {
  const seconds = secondsIn(body);
  if (seconds === undefined) return refuse(400, 'Give {"advanceSeconds": N} with N from 0; time does not go back');
  return json(200, { now: new Date(await control.advance(seconds)).toISOString() });
}

function harm(control: Control, body: string): WireResponse {
  try {
    control.harm(JSON.parse(body));
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(400, `The plan is no JSON: ${error.message}`);
    if (error instanceof InvalidPlanError) return refuse(400, error.message);
    throw error;
  }
  return json(200, control.faults());
}

function meter(control: Control, fleet: string | null): WireResponse {
  if (fleet === null) return json(200, control.meter(undefined));
  if (!/^[1-9]\d{0,8}$/.test(fleet)) return refuse(400, `fleet is ${fleet}; give a number of devices from 1`);
  return json(200, control.meter(Number(fleet)));
}

function outbox(control: Control, after: string): WireResponse {
  if (!/^\d{1,9}$/.test(after)) return refuse(400, `after is ${after}; give the id of an entry, or 0 for all`);
  return json(200, { entries: control.outbox(Number(after)) });
}

function secondsIn(body: string): number | undefined {
  try {
    const given: unknown = JSON.parse(body)?.advanceSeconds;
    return typeof given === 'number' && given >= 0 && Number.isFinite(given) ? given : undefined;
  } catch {
    return undefined;
  }
}

function refuse(status: number, message: string): WireResponse {
  return json(status, { message });
}

function json(status: number, body: unknown): WireResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(body)}\n` };
}
