import type { thingsRoutes } from '@thingstead/contracts/routes/things';
import { type RouteAnswer, type RouteRequest, refusal } from '../http/request.ts';
import { missing, noSuchThing } from './get-thing.ts';
import type { Ports, ShadowState } from './ports.ts';

/** Quotas of the Device Shadow service: https://docs.aws.amazon.com/general/latest/gr/iot-core.html */
const REFUSED = {
  'too-large': 'body.desired is too large: state that is desired and reported has room for 8 kB together',
  invalid: 'body.desired is not what a shadow takes: at most 8 levels of nesting, and no null in lists',
} as const;

/** `GET /things/{thing}/state` */
export async function getState(
  { params: { thing }, access }: RouteRequest<typeof thingsRoutes.getState>,
  ports: Ports,
): Promise<RouteAnswer<typeof thingsRoutes.getState>> {
  return (await missing(thing, access, ports)) ?? stateOf(await ports.shadows.read(thing), ports);
}

/** `PATCH /things/{thing}/state`. What it answers is the state as it is then, perhaps with what others have changed since. */
export async function patchState(
  { params: { thing }, access, headers, body }: RouteRequest<typeof thingsRoutes.patchState>,
  ports: Ports,
): Promise<RouteAnswer<typeof thingsRoutes.patchState>> {
  const { shadows } = ports;
  const refused = await missing(thing, access, ports);
  if (refused) return refused;
  const ifMatch = headers['if-match'];
  const expected = ifMatch === undefined ? undefined : Number(ifMatch.slice(1, -1));
  if (expected === 0 && (await shadows.read(thing))) return changedSince();
  switch (await shadows.desire(thing, body.desired, expected)) {
    case 'done':
      return stateOf(await shadows.read(thing), ports);
    case 'conflict':
      if (expected !== undefined) return changedSince();
      return refusal(409, 'the state was changed at the same time; read it and try again');
    case 'too-large':
      return refusal(400, REFUSED['too-large']);
    case 'invalid':
      return refusal(400, REFUSED.invalid);
    case 'no-such-thing':
      return noSuchThing(thing);
  }
}

function changedSince() {
  return refusal(412, 'the state has another version than If-Match says: it was changed since it was read');
}

function stateOf(state: ShadowState | undefined, { now }: Ports) {
  const body = state ?? { version: 0, at: now() };
  return { ok: true, body, headers: { etag: `"${body.version}"` } } as const;
}
