import { readFileSync } from 'node:fs';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { oneActionAssembly, platformAssembly } from '../support/assembly.ts';
import { type Figure, percentile, type Row, say } from '../support/figure.ts';
import { activate, createFleet, type Fleet } from '../support/fleet.ts';
import { type Load, startLoad, type Target } from '../support/load.ts';
import { startBareBroker, startMosquitto } from '../support/peers.ts';
import { ask } from '../support/process.ts';
import { type BenchRuntime, startRuntime } from '../support/runtime.ts';
import type { StoredReport } from '../support/stored-probe.ts';

const FLEETS = [20, 200];
/** Unacknowledged messages over all devices. */
const IN_FLIGHT = 400;
const WARM_UP = 20_000;
const MESSAGES = 60_000;
/** Messages a second at which latency is measured without a queue. */
const STEADY_RATE = 2000;
const STEADY_MESSAGES = 10_000;

/** Telemetry with QoS 1 over mutual TLS, with policy check, rule and DynamoDB write, beside brokers that store nothing. */
export const telemetry: Figure = {
  name: 'telemetry',
  title: 'Telemetry, QoS 1 over mutual TLS, load generator on the same cores',
  async measure() {
    const fleet = await createFleet(Math.max(...FLEETS));
    return [
      ...(await stored('rule + DynamoDB', await oneActionAssembly('DynamoDBv2'), fleet, '8 000, stretch 10 000')),
      ...(await stored('whole platform', await platformAssembly(), fleet)),
      ...(await acknowledged(await startBareBroker(fleet), fleet)),
      ...(await acknowledged(await startMosquitto(fleet), fleet)),
    ];
  },
};

async function stored(name: string, assembly: string, fleet: Fleet, aim?: string): Promise<Row[]> {
  const runtime = await startRuntime(assembly);
  const rows: Row[] = [];
  try {
    await activate(fleet, runtime);
    const { host, port } = runtime.endpoints.mqtt;
    const target = { host, port, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') };
    let expected = 0;
    for (const size of FLEETS) {
      say(`telemetry: ${name}, ${size} devices`);
      const load = await connectFleet(target, fleet, size);
      const window = IN_FLIGHT / size;
      await burst(runtime, load, { messages: WARM_UP, window });
      const full = await burst(runtime, load, { messages: MESSAGES, window });
      const steady = await burst(runtime, load, { messages: STEADY_MESSAGES, window, rate: STEADY_RATE });
      expected += WARM_UP + MESSAGES + STEADY_MESSAGES;
      await load.stop();
      const what = `${name}, ${size} devices`;
      rows.push(
        { what: `${what}: stored`, value: full.rate, unit: 'messages/s', ...(aim && { aim }) },
        ...latencies(`${what}: publish to stored at full load`, full.report),
        ...latencies(`${what}: publish to stored at ${STEADY_RATE} messages/s`, steady.report),
        { what: `${what}: load generator's processor time`, value: full.generatorShare, unit: '% of a core' },
      );
    }
    await checkStored(runtime, expected);
  } finally {
    await runtime.stop();
  }
  return rows;
}

function connectFleet(target: Target, { devices }: Fleet, size: number): Promise<Load> {
  return startLoad({ target, devices: devices.slice(0, size), refused: 'fail', connecting: 8 });
}

async function burst(runtime: BenchRuntime, load: Load, what: Parameters<Load['publish']>[0]) {
  const published = await load.publish(what);
  let report = await ask<StoredReport>(runtime.process, 'stored');
  const all = [...report.latencies];
  const deadline = performance.now() + 30_000;
  while (all.length < what.messages) {
    if (performance.now() > deadline) throw new Error(`${all.length} of ${what.messages} messages were stored`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    report = await ask<StoredReport>(runtime.process, 'stored');
    all.push(...report.latencies);
  }
  return {
    report: { ...report, latencies: all },
    rate: what.messages / ((report.lastAt - published.firstAt) / 1e6),
    generatorShare: (100 * published.cpuSeconds) / published.seconds,
  };
}

function latencies(what: string, { latencies: values }: StoredReport): Row[] {
  return [
    { what: `${what}, p50`, value: percentile(values, 0.5), unit: 'ms' },
    { what: `${what}, p99`, value: percentile(values, 0.99), unit: 'ms' },
  ];
}

/** The probe's word is not taken for it: the table is counted through the API. */
async function checkStored({ config }: BenchRuntime, expected: number): Promise<void> {
  const tables = new DynamoDBClient(config);
  let count = 0;
  for await (const page of paginateScan(
    { client: tables },
    { TableName: TABLE_NAMES.telemetryHistory, Select: 'COUNT' },
  ))
    count += page.Count ?? 0;
  tables.destroy();
  if (count !== expected) throw new Error(`${expected} messages were sent and ${count} are in the table`);
}

async function acknowledged(peer: Awaited<ReturnType<typeof startMosquitto>>, fleet: Fleet): Promise<Row[]> {
  if (!peer) return [];
  const rows: Row[] = [];
  for (const size of FLEETS) {
    say(`telemetry: ${peer.name}, ${size} devices`);
    const load = await connectFleet(peer.target, fleet, size);
    const window = IN_FLIGHT / size;
    await load.publish({ messages: WARM_UP, window });
    const { messages, seconds, cpuSeconds } = await load.publish({ messages: MESSAGES, window });
    await load.stop();
    const what = `${peer.name} (no rule, no store), ${size} devices`;
    rows.push(
      { what: `${what}: acknowledged`, value: messages / seconds, unit: 'messages/s' },
      { what: `${what}: load generator's processor time`, value: (100 * cpuSeconds) / seconds, unit: '% of a core' },
    );
  }
  await peer.stop();
  return rows;
}
