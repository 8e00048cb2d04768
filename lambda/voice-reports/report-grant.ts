import { type ChangedGrant, MAX_ENDPOINTS } from '@thingstead/contracts/voice';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { endpointOf } from '../alexa/endpoint.ts';
import { endpointsReport } from '../alexa/messages.ts';
import { accessTo } from '../authorization/access.ts';
import type { Ports } from './ports.ts';
import { send } from './send.ts';

const CONCURRENCY = 10;

/**
 * An `AddOrUpdateReport` has at most 256 kB, and an endpoint of ours at most 2.2 kB.
 * https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html
 */
const MAX_ENDPOINTS_IN_REPORT = 100;

/**
 * Adds to a person's Alexa what they may see now of what a grant was about, and removes what they may not. What the grant was is not
 * asked: rows are the truth, and changes may come twice or late.
 */
export async function reportGrant({ person, target }: ChangedGrant, ports: Ports): Promise<void> {
  const link = await ports.links.find(person);
  // Whoever leaves for good loses the link first.
  if (!link) return ports.links.forget(person);
  const things = await thingsOf(target, ports);
  const access = await mapConcurrent(things, CONCURRENCY, async (thing) => ({
    thing,
    access: await accessTo(person, { kind: 'thing', name: thing }, ports),
  }));
  const gone = access.filter((each) => each.access === undefined).map(({ thing }) => thing);
  const rows = await ports.things.readMany(things.filter((thing) => !gone.includes(thing)));
  const endpoints = rows
    .map((row) => {
      const found = access.find(({ thing }) => thing === row.thing)?.access;
      return found && endpointOf(row, found);
    })
    .filter((each) => each !== undefined);

  const tell = async (name: 'AddOrUpdateReport' | 'DeleteReport', list: readonly { endpointId: string }[]) => {
    if (list.length === 0) return true;
    const sent = await send(link, endpointsReport(name, list, ports.newId()), ports);
    if (sent) ports.reports.sent({ name, person, things: list.map(({ endpointId }) => endpointId) });
    return sent;
  };
  const deleted = await tell(
    'DeleteReport',
    gone.map((endpointId) => ({ endpointId })),
  );
  if (!deleted) return;
  await mapConcurrent(gone, CONCURRENCY, (thing) => ports.reported.forget(person, thing));
  for (let from = 0; from < endpoints.length; from += MAX_ENDPOINTS_IN_REPORT) {
    if (!(await tell('AddOrUpdateReport', endpoints.slice(from, from + MAX_ENDPOINTS_IN_REPORT)))) return;
  }
}

async function thingsOf(target: string, { things }: Ports): Promise<readonly string[]> {
  const [kind, name = ''] = target.split('#');
  return kind === 'site' ? things.namesOfSite(name, MAX_ENDPOINTS) : [name];
}
