import type { thingsRoutes } from '@thingstead/contracts/routes/things';
import { isOnesOwn } from '../authorization/access.ts';
import { type Access, type Refusal, type RouteAnswer, type RouteRequest, refusal } from '../http/request.ts';
import type { Ports } from './ports.ts';
import { thingFor } from './thing.ts';

/** `GET /things/{thing}` */
export async function getThing(
  { params: { thing }, access }: RouteRequest<typeof thingsRoutes.getThing>,
  { things, readings }: Ports,
): Promise<RouteAnswer<typeof thingsRoutes.getThing>> {
  const [row, latest] = await Promise.all([things.row(thing), readings.latest(thing)]);
  if (!row && !isOnesOwn(access)) return noSuchThing(thing);
  const visible = latest.filter(
    ({ time, receivedAt }) => time >= access.visibleFrom && receivedAt >= access.visibleFrom,
  );
  const bySensor = visible.map(({ sensor, value, unit, time }) => [sensor, { value, unit, time }] as const);
  return { ok: true, body: { ...thingFor(thing, row, access), latest: Object.fromEntries(bySensor) } };
}

/**
 * `PATCH /things/{thing}`. INVARIANT: the label belongs to the owner whose access the caller had when the request began. If
 * the thing has another owner by the time it is written, they do not see it, and it replaces none of theirs.
 */
export async function patchThing(
  { params: { thing }, body, access }: RouteRequest<typeof thingsRoutes.patchThing>,
  { things, owners }: Ports,
): Promise<RouteAnswer<typeof thingsRoutes.patchThing>> {
  // Those with whom a thing is shared see as far back as its owner; staff see everything, which tells of no owner.
  const labelledFor = access.visibleFrom || ((await owners.since(thing)) ?? 0);
  const row = await things.label(thing, body.label ?? undefined, labelledFor);
  return row ? { ok: true, body: thingFor(thing, row, access) } : noSuchThing(thing);
}

/** Undefined: it is there. */
export async function missing(thing: string, access: Access, { things }: Ports): Promise<Refusal | undefined> {
  return !isOnesOwn(access) && !(await things.row(thing)) ? noSuchThing(thing) : undefined;
}

export function noSuchThing(thing: string): Refusal {
  return refusal(404, `there is no thing ${thing}`);
}
