import { readFileSync } from 'node:fs';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import mqtt from 'mqtt';
import { type DeviceCertificate, issue } from '../../test/support/certificates.ts';
import { platformAssembly } from '../support/assembly.ts';
import { type CrowdGenerator, requireDescriptors, startCrowd } from '../support/crowd.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { activate, createFleet, type Fleet } from '../support/fleet.ts';
import type { Target } from '../support/load.ts';
import { OPERATOR, startMosquitto } from '../support/peers.ts';
import { ask, residentBytes } from '../support/process.ts';
import { type BenchRuntime, startRuntime } from '../support/runtime.ts';

/** BENCH_DEVICES: fewer, to try it out. */
const DEVICES = Number(process.env.BENCH_DEVICES ?? 10_000);
const STEPS = [DEVICES / 2, DEVICES];
/** So many connect before the measurement. */
const FIRST = 10;
const CONNECTING = 16;
const PUBLISHING = 16;
const SETTLE_MS = 2000;
const ARRIVAL_MS = 60_000;
const TOPIC = 'device/{thing}/command/bench/v1';

type Publish = (topic: string) => Promise<unknown>;

/** Many connected devices in one process: its memory, and whether each device still hears a message at the end. */
export const connections: Figure = {
  name: 'connections',
  title: `${DEVICES.toLocaleString('en-US')} connected devices, mutual TLS, one subscription each`,
  async measure() {
    requireDescriptors(DEVICES);
    say(`connections: ${DEVICES} certificates`);
    const fleet = await createFleet(DEVICES, { sharedKeys: true });
    return [...(await inRuntime(fleet)), ...(await inMosquitto(fleet))];
  },
};

async function inRuntime(fleet: Fleet): Promise<Row[]> {
  const runtime = await startRuntime(await platformAssembly(), { quiet: true });
  try {
    say('connections: runtime, registering the devices');
    await activate(fleet, runtime);
    const { host, port } = runtime.endpoints.mqtt;
    const target = { host, port, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') };
    const { pid } = runtime.process;
    const collect = () => ask(runtime.process, 'stored');
    return await hold('runtime', { target, fleet, pid, collect, publish: publisher(runtime) });
  } finally {
    await runtime.stop();
  }
}

function publisher({ config }: BenchRuntime): Publish {
  const data = new IoTDataPlaneClient(config);
  return (topic) => data.send(new PublishCommand({ topic, qos: 0, payload: Buffer.from('{}') }));
}

async function inMosquitto(fleet: Fleet): Promise<Row[]> {
  const peer = await startMosquitto(fleet);
  if (!peer) return [];
  const operator = await connectOperator(peer.target, await issue(fleet.ca, OPERATOR));
  const publish: Publish = (topic) => operator.publishAsync(topic, '{}');
  const { pid } = peer.process;
  const rows = await hold(`peer: ${peer.name}`, { target: peer.target, fleet, pid, collect: async () => {}, publish });
  await operator.endAsync(true);
  await peer.stop();
  return rows;
}

function connectOperator({ host, port, trust }: Target, { thing, pem, keyPem }: DeviceCertificate) {
  return mqtt.connectAsync({ protocol: 'mqtts', host, port, ca: trust, cert: pem, key: keyPem, clientId: thing });
}

interface Broker {
  readonly target: Target;
  readonly fleet: Fleet;
  readonly pid: number | undefined;
  readonly collect: () => Promise<unknown>;
  readonly publish: Publish;
}

async function hold(name: string, { target, fleet, pid, collect, publish }: Broker): Promise<Row[]> {
  const { devices } = fleet;
  const crowd = await startCrowd({ target, devices, topic: TOPIC });
  await crowd.tell({ do: 'connect', from: 0, to: FIRST, atOnce: FIRST });
  const resident = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await collect();
    return residentBytes(pid);
  };
  const before = await resident();
  const rows: Row[] = [{ what: `${name}: resident, ${FIRST} devices`, value: before / 2 ** 20, unit: 'MiB' }];
  let from = FIRST;
  for (const to of STEPS) {
    say(`connections: ${name}, ${to} devices`);
    const { seconds } = await crowd.tell({ do: 'connect', from, to, atOnce: CONNECTING });
    const now = await resident();
    const what = `${name}, ${to.toLocaleString('en-US')} devices`;
    rows.push(
      { what: `${what}: resident`, value: now / 2 ** 20, unit: 'MiB' },
      { what: `${what}: per device`, value: (now - before) / (to - FIRST) / 1024, unit: 'KiB' },
      { what: `${what}: connected and subscribed`, value: (to - from) / seconds, unit: 'devices/s' },
    );
    from = to;
  }
  const startedAt = performance.now();
  await reachAll(fleet, crowd, publish);
  const seconds = (performance.now() - startedAt) / 1000;
  const { connected } = await crowd.tell({ do: 'report' });
  await crowd.stop();
  if (connected !== devices.length) throw new Error(`${name}: ${connected} of ${devices.length} are still connected`);
  rows.push(
    { what: `${name}: still connected at the end, and reached by one message each`, value: connected, unit: 'devices' },
    { what: `${name}: messages to all of them`, value: seconds, unit: 's' },
  );
  return rows;
}

/** @throws Error when a device gets no message, or one gets two */
async function reachAll({ devices }: Fleet, crowd: CrowdGenerator, publish: Publish): Promise<void> {
  const waiting = [...devices];
  const worker = async (): Promise<void> => {
    for (let each = waiting.pop(); each; each = waiting.pop()) await publish(TOPIC.replace('{thing}', each.thing));
  };
  await Promise.all(Array.from({ length: PUBLISHING }, worker));
  const deadline = performance.now() + ARRIVAL_MS;
  for (;;) {
    const { reached, messages } = await crowd.tell({ do: 'report' });
    if (reached === devices.length && messages === devices.length) return;
    if (performance.now() > deadline || messages > devices.length)
      throw new Error(`${devices.length} devices, ${reached} were reached by ${messages} messages`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
