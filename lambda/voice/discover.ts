import { isInForce } from '@thingstead/contracts/grants';
import { validate } from '@thingstead/contracts/validate';
import { type Directive, DiscoverPayload, MAX_ENDPOINTS } from '@thingstead/contracts/voice';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { type Endpoint, endpointOf } from '../alexa/endpoint.ts';
import { type AnswerTo, answer, errorResponse, type Message } from '../alexa/messages.ts';
import { accessTo } from '../authorization/access.ts';
import { personOf } from './authorize.ts';
import type { Ports } from './ports.ts';

const CONCURRENCY = 20;

interface Done {
  readonly message: Message;
  readonly outcome: string;
  readonly person?: string;
}

/** https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery.html: the things of a person, by name. */
export async function discover({ payload }: Directive, to: AnswerTo, ports: Ports): Promise<Done> {
  const read = validate(DiscoverPayload, payload);
  if (!read.ok) {
    return {
      message: errorResponse({ type: 'INVALID_DIRECTIVE', message: read.reason }, to),
      outcome: 'INVALID_DIRECTIVE',
    };
  }
  const who = await personOf(read.value.scope.token, ports);
  if (!who.ok) return { message: errorResponse(who.failure, to), outcome: who.failure.type };
  const { person } = who;
  const found = await endpointsOf(person, ports);
  const endpoints = found.slice(0, MAX_ENDPOINTS);
  if (found.length > endpoints.length) ports.reports.cut(person, endpoints.length);
  const message = answer(['Alexa.Discovery', 'Discover.Response'], to, { endpoints });
  return { message, outcome: `${endpoints.length} endpoints`, person };
}

/** At most one more than Alexa takes, of each site and in all. */
async function endpointsOf(person: string, ports: Ports): Promise<readonly Endpoint[]> {
  const grants = (await ports.grants.all(person)).filter((grant) => isInForce(grant, ports.now()));
  const named = (kind: string) =>
    grants.filter(({ target }) => target.startsWith(`${kind}#`)).map(({ target }) => target.slice(kind.length + 1));
  const ofSites = await mapConcurrent(named('site'), CONCURRENCY, (site) =>
    ports.things.namesOfSite(site, MAX_ENDPOINTS + 1),
  );
  const names = [...new Set([...named('thing'), ...ofSites.flat()])].sort();
  const endpoints: Endpoint[] = [];
  // Some have nothing that Alexa can use: it goes on until there are enough.
  for (let from = 0; from < names.length && endpoints.length <= MAX_ENDPOINTS; from += MAX_ENDPOINTS) {
    const rows = await ports.things.readMany(names.slice(from, from + MAX_ENDPOINTS));
    const sorted = [...rows].sort((a, b) => (a.thing < b.thing ? -1 : 1));
    const found = await mapConcurrent(sorted, CONCURRENCY, async (row) => {
      const access = await accessTo(person, { kind: 'thing', name: row.thing }, ports);
      return access && endpointOf(row, access);
    });
    endpoints.push(...found.filter((each) => each !== undefined));
  }
  return endpoints;
}
