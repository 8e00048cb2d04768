import { readFileSync } from 'node:fs';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import type { MeterReport } from '../../local/src/meter/report.ts';
import { platformAssembly } from '../support/assembly.ts';
import { startCrowd } from '../support/crowd.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { activate, createFleet } from '../support/fleet.ts';
import { type BenchRuntime, startRuntime } from '../support/runtime.ts';

/** BENCH_DEVICES: fewer, to try it out. */
const DEVICES = Number(process.env.BENCH_DEVICES ?? 2000);
const SITES = 4;
const CONNECTING = 16;
const DELAY_SECONDS = 900;
/** The window of a group, and the time that its last member has to tell for all. */
const GROUP_SECONDS = 120;
const FUNCTION = 'thingstead-presence';

/** A storm: the devices of four sites lose their connections at once and return; then they stay away. */
export const presence: Figure = {
  name: 'presence',
  title: `${DEVICES.toLocaleString('en-US')} devices of ${SITES} sites lose their connections at once`,
  async measure() {
    const fleet = await createFleet(DEVICES, { sharedKeys: true, name: (number) => `site${number % SITES}-${number}` });
    const runtime = await startRuntime(await platformAssembly(), { quiet: true });
    try {
      await activate(fleet, runtime);
      const { host, port } = runtime.endpoints.mqtt;
      const target = { host, port, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') };
      const crowd = await startCrowd({ target, devices: fleet.devices, topic: undefined });

      say('presence: all connect');
      await crowd.tell({ do: 'connect', from: 0, to: DEVICES, atOnce: CONNECTING });
      await converged(runtime, true);

      say('presence: all are lost and return at once');
      const before = await meter(runtime);
      const lostAt = performance.now();
      const { seconds: handshakes } = await crowd.tell({ do: 'return' });
      await converged(runtime, true);
      const convergence = secondsSince(lostAt);
      const used = difference(before, await meter(runtime));
      await advance(runtime, DELAY_SECONDS + GROUP_SECONDS);
      const whenBack = await announced(runtime);

      say('presence: all are lost and stay away');
      const goneAt = performance.now();
      await crowd.tell({ do: 'lose' });
      await converged(runtime, false);
      const gone = secondsSince(goneAt);
      const toldAt = performance.now();
      await advance(runtime, DELAY_SECONDS + GROUP_SECONDS);
      const told = secondsSince(toldAt);
      const whenGone = await announced(runtime);
      await crowd.stop();

      return [
        { what: 'loss to the last CONNACK', value: handshakes, unit: 's' },
        { what: 'loss to every row true again', value: convergence, unit: 's' },
        { what: 'life-cycle events in that time', value: (2 * DEVICES) / convergence, unit: 'events/s' },
        { what: 'loss to every row false, nobody returns', value: gone, unit: 's' },
        { what: 'life-cycle events in that time', value: DEVICES / gone, unit: 'events/s' },
        ...used,
        { what: 'invocations at a time, at most', value: await mostAtOnce(runtime), unit: '', aim: 'at most 40' },
        { what: 'notices when all are back in time', value: whenBack.notices, unit: '', aim: '0' },
        {
          what: 'notices when all stay away',
          value: whenGone.notices - whenBack.notices,
          unit: '',
          aim: `${SITES}, one per site`,
        },
        { what: 'things named in them', value: whenGone.things - whenBack.things, unit: '', aim: `${DEVICES}` },
        { what: 'checks of all outages, and their notices', value: told, unit: 's' },
      ];
    } finally {
      await runtime.stop();
    }
  },
};

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}

/** Waits until nothing is left to do. @throws Error when a row is wrong then */
async function converged(runtime: BenchRuntime, connected: boolean): Promise<void> {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(runtime.config));
  const deadline = performance.now() + 600_000;
  for (;;) {
    await advance(runtime, 0);
    let right = 0;
    for await (const { Items = [] } of paginateScan({ client }, { TableName: TABLE_NAMES.things })) {
      right += Items.filter((row) => row.sk === 'thing' && row.presence?.connected === connected).length;
    }
    if (right === DEVICES) break;
    if (performance.now() > deadline) throw new Error(`${right} of ${DEVICES} rows say ${connected}`);
  }
  client.destroy();
}

async function advance({ endpoints }: BenchRuntime, advanceSeconds: number): Promise<void> {
  const body = JSON.stringify({ advanceSeconds });
  const response = await fetch(`${endpoints.awsEndpoint}/_local/clock`, { method: 'POST', body });
  if (!response.ok) throw new Error(`the clock answered ${response.status}`);
}

async function meter({ endpoints }: BenchRuntime): Promise<MeterReport> {
  return (await fetch(`${endpoints.awsEndpoint}/_local/meter`)).json() as Promise<MeterReport>;
}

/** What a loss and a return have used, and what that costs. */
function difference(before: MeterReport, after: MeterReport): Row[] {
  const old = new Map(before.services.map(({ service, item, resource, usd }) => [`${service}${item}${resource}`, usd]));
  const byService = new Map<string, number>();
  for (const { service, item, resource, usd } of after.services) {
    const spent = usd - (old.get(`${service}${item}${resource}`) ?? 0);
    byService.set(service, (byService.get(service) ?? 0) + spent);
  }
  const perMillion = [...byService].map(([service, usd]) => ({ service, usd: (usd / DEVICES) * 1e6 }));
  const dear = perMillion.filter(({ usd }) => usd >= 0.01).sort((a, b) => b.usd - a.usd);
  return dear.map(({ service, usd }) => ({
    what: `a million losses and returns: ${service}`,
    value: usd,
    unit: 'USD',
  }));
}

/** The notices so far, and the things in them. */
async function announced({ config }: BenchRuntime): Promise<{ readonly notices: number; readonly things: number }> {
  const client = new CloudWatchLogsClient(config);
  const pages = paginateFilterLogEvents(
    { client },
    { logGroupName: `/aws/lambda/${FUNCTION}`, filterPattern: '"presence.announced"' },
  );
  let things = 0;
  let notices = 0;
  for await (const { events = [] } of pages) {
    for (const { message = '' } of events) {
      notices += 1;
      things += (JSON.parse(message) as { readonly things: number }).things;
    }
  }
  client.destroy();
  return { notices, things };
}

async function mostAtOnce({ config }: BenchRuntime): Promise<number> {
  const client = new CloudWatchClient(config);
  const now = Date.now();
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/Lambda',
      MetricName: 'ConcurrentExecutions',
      Dimensions: [{ Name: 'FunctionName', Value: FUNCTION }],
      StartTime: new Date(now - 86_400_000),
      EndTime: new Date(now + 86_400_000),
      Period: 86_400,
      Statistics: ['Maximum'],
    }),
  );
  client.destroy();
  return Math.max(...Datapoints.map(({ Maximum = 0 }) => Maximum));
}
