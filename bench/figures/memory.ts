import { readFileSync } from 'node:fs';
import { platformAssembly } from '../support/assembly.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { activate, createFleet, type Fleet } from '../support/fleet.ts';
import { startLoad, type Target } from '../support/load.ts';
import { startBareBroker, startMosquitto } from '../support/peers.ts';
import { ask, residentBytes, startNode, stop } from '../support/process.ts';
import { startRuntime } from '../support/runtime.ts';

const DEVICES = 500;
/** So many connect before the measurement. */
const FIRST = 10;
const SETTLE_MS = 2000;

/** Resident memory of the runtime with the platform deployed, idle and per connected device. */
export const memory: Figure = {
  name: 'memory',
  title: `Resident memory, idle and with ${DEVICES} connected devices`,
  async measure() {
    const fleet = await createFleet(DEVICES);
    return [...(await ofRuntime(fleet)), ...(await ofPeers(fleet))];
  },
};

async function ofRuntime(fleet: Fleet): Promise<Row[]> {
  say('memory: runtime');
  const runtime = await startRuntime(await platformAssembly());
  const { pid } = runtime.process;
  try {
    await settle();
    const idle = residentBytes(pid);
    await activate(fleet, runtime);
    const { host, port } = runtime.endpoints.mqtt;
    const target = { host, port, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') };
    const collect = () => ask(runtime.process, 'stored');
    return [
      { what: 'runtime, idle', value: idle / 2 ** 20, unit: 'MiB', aim: '< 150' },
      {
        what: 'runtime, per connected device',
        value: await perDevice(target, fleet, pid, collect),
        unit: 'KiB',
        aim: '< 100',
      },
    ];
  } finally {
    await runtime.stop();
  }
}

async function ofPeers(fleet: Fleet): Promise<Row[]> {
  say('memory: peers');
  const rows: Row[] = [];
  const bare = startNode(['-e', 'setInterval(() => {}, 1000)']);
  await settle();
  rows.push({
    what: 'peer: a Node.js process that does nothing',
    value: residentBytes(bare.pid) / 2 ** 20,
    unit: 'MiB',
  });
  await stop(bare);
  const broker = await startBareBroker(fleet);
  const collect = () => ask(broker.process, 'collect');
  const perSocket = await perDevice(broker.target, fleet, broker.process.pid, collect);
  rows.push({ what: `peer: ${broker.name}, per connected device`, value: perSocket, unit: 'KiB' });
  await broker.stop();
  const mosquitto = await startMosquitto(fleet);
  if (!mosquitto) return rows;
  const perClient = await perDevice(mosquitto.target, fleet, mosquitto.process.pid, async () => {});
  rows.push({ what: `peer: ${mosquitto.name}, per connected device`, value: perClient, unit: 'KiB' });
  await mosquitto.stop();
  return rows;
}

/** In KiB. A few connections are made before, so that what every server keeps for its first ones is not counted. */
async function perDevice(
  target: Target,
  { devices }: Fleet,
  pid: number | undefined,
  collect: () => Promise<unknown>,
): Promise<number> {
  const connect = (count: number) =>
    startLoad({ target, devices: devices.slice(0, count), refused: 'fail', connecting: 8 });
  await (await connect(FIRST)).stop();
  await settle();
  await collect();
  const before = residentBytes(pid);
  const load = await connect(devices.length);
  await settle();
  await collect();
  const after = residentBytes(pid);
  await load.stop();
  return (after - before) / devices.length / 1024;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
