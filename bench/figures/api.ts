import { CreateThingCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { historyKey } from '@thingstead/contracts/telemetry-store';
import type { MeterReport } from '../../local/src/meter/report.ts';
import { storedThings } from '../../test/features/things/stored-things.ts';
import { newPerson, type Person } from '../../test/support/person.ts';
import { synthesize, UNTHROTTLED } from '../support/assembly.ts';
import { type Figure, percentile, type Row, say } from '../support/figure.ts';
import { type BenchRuntime, deployed, startRuntime } from '../support/runtime.ts';

/** BENCH_REQUESTS: fewer, to try it out. */
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 2000);
const AT_ONCE = 8;
/** Rows of a page. */
const LIMIT = 50;
const FLEETS = [10, 100, 1_000, 10_000];
const SITE = 'farm';
const THING = `${SITE}-00000`;
const START = Date.UTC(2026, 10, 21);
const HOUR_MS = 3_600_000;

/** One request after the other for each of AT_ONCE callers, and what a page of a list reads as the fleet grows. */
export const api: Figure = {
  name: 'api',
  title: `The REST API: ${REQUESTS} requests, ${AT_ONCE} at a time; pages of ${LIMIT} things`,
  async measure() {
    const runtime = await startRuntime(await synthesize(UNTHROTTLED), { quiet: true });
    try {
      const platform = deployed(runtime);
      const [owner, operator] = [await newPerson(platform), await newPerson(platform, { groups: ['operator'] })];
      const stored = storedThings(platform);
      await stored.grant(owner.person, { kind: 'site', name: SITE }, 'owner', { visibleFrom: START });
      const capacity: Row[] = [];
      let count = 0;
      for (const fleet of FLEETS) {
        say(`api: ${fleet} things`);
        await stored.things(Array.from({ length: fleet - count }, (_, n) => ({ name: nameOf(count + n) })));
        count = fleet;
        capacity.push(...(await capacities(runtime, owner, operator, fleet)));
      }
      await measureThing(runtime, stored);
      return [...(await rates(owner)), ...capacity];
    } finally {
      await runtime.stop();
    }
  },
};

function nameOf(number: number): string {
  return `${SITE}-${String(number).padStart(5, '0')}`;
}

/** A thing with a shadow and an hour of readings. */
async function measureThing({ config }: BenchRuntime, stored: ReturnType<typeof storedThings>): Promise<void> {
  await new IoTClient(config).send(new CreateThingCommand({ thingName: THING }));
  const state = { desired: { power: true, level: 5 }, reported: { power: false, level: 3 } };
  const payload = Buffer.from(JSON.stringify({ state }));
  await new IoTDataPlaneClient(config).send(new UpdateThingShadowCommand({ thingName: THING, payload }));
  const sensor = 'temperature';
  const ofThing = { pk: historyKey(THING, sensor), thing: THING, sensor, unit: 'Cel' };
  const readings = Array.from({ length: 3600 }, (_, second) => {
    const time = START + second * 1000;
    return { ...ofThing, sk: `${new Date(time).toISOString()}#${second}`, time, receivedAt: time, value: second / 100 };
  });
  await stored.history(readings);
}

async function rates(owner: Person): Promise<readonly Row[]> {
  const telemetry = `/things/${THING}/telemetry?sensor=temperature&from=${START}&to=${START + HOUR_MS}`;
  const routes = [
    { what: 'peer: no such route, answered by the gateway', path: '/nothing', status: 404 },
    { what: 'peer: a function that refuses and reads nothing', path: '/operator/things', status: 403 },
    { what: `list: ${LIMIT} of ${FLEETS.at(-1)} things`, path: `/things?limit=${LIMIT}`, status: 200 },
    { what: 'one thing', path: `/things/${THING}`, status: 200 },
    { what: 'state', path: `/things/${THING}/state`, status: 200 },
    { what: 'telemetry: 100 readings', path: `${telemetry}&limit=100`, status: 200 },
    { what: 'telemetry: 1 000 readings', path: `${telemetry}&limit=1000`, status: 200 },
  ];
  const rows: Row[] = [];
  for (const { what, path, status } of routes) {
    say(`api: ${what}`);
    // Access tokens live for 15 minutes.
    await owner.refresh();
    await load(owner, path, status, AT_ONCE * 5);
    const { seconds, milliseconds } = await load(owner, path, status, REQUESTS);
    rows.push({ what, value: REQUESTS / seconds, unit: 'requests/s' });
    rows.push({ what: `${what}, p50`, value: percentile(milliseconds, 0.5), unit: 'ms' });
    rows.push({ what: `${what}, p99`, value: percentile(milliseconds, 0.99), unit: 'ms' });
  }
  return rows;
}

/** @throws Error for another status than this */
async function load(
  person: Person,
  path: string,
  status: number,
  requests: number,
): Promise<{ readonly seconds: number; readonly milliseconds: readonly number[] }> {
  const milliseconds: number[] = [];
  let left = requests;
  const startedAt = performance.now();
  const caller = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      const begun = performance.now();
      const answer = await person.call('GET', path);
      milliseconds.push(performance.now() - begun);
      if (answer.status !== status) throw new Error(`GET ${path} answered ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return { seconds: (performance.now() - startedAt) / 1000, milliseconds };
}

/** Read units of the first page of each list. */
async function capacities(
  runtime: BenchRuntime,
  owner: Person,
  operator: Person,
  fleet: number,
): Promise<readonly Row[]> {
  const page = `limit=${LIMIT}`;
  const lists = [
    { what: 'my things', person: owner, path: `/things?${page}` },
    { what: 'by owner', person: operator, path: `/operator/things?${page}&owner=${owner.person}` },
    { what: 'by site', person: operator, path: `/operator/things?${page}&site=${SITE}` },
    { what: 'by type', person: operator, path: `/operator/things?${page}&type=station` },
    { what: 'by firmware', person: operator, path: `/operator/things?${page}&firmware=1.0.0` },
    { what: 'by connection', person: operator, path: `/operator/things?${page}&connected=true` },
    { what: 'by name', person: operator, path: `/operator/things?${page}&prefix=${SITE}` },
  ];
  const rows: Row[] = [];
  for (const { what, person, path } of lists) {
    await person.refresh();
    const before = await readUnits(runtime);
    await load(person, path, 200, AT_ONCE);
    const units = ((await readUnits(runtime)) - before) / AT_ONCE;
    rows.push({
      what: `${what}, a page of a fleet of ${fleet.toLocaleString('en-US')}`,
      value: units,
      unit: 'read units',
    });
  }
  return rows;
}

/** Of things and grants. */
async function readUnits({ endpoints }: BenchRuntime): Promise<number> {
  const report = (await (await fetch(`${endpoints.awsEndpoint}/_local/meter`)).json()) as MeterReport;
  const tables: readonly string[] = [TABLE_NAMES.things, TABLE_NAMES.access];
  const lines = report.services.filter(({ item, resource }) => item === 'on-demand reads' && tables.includes(resource));
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}
