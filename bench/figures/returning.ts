import { readFileSync } from 'node:fs';
import { platformAssembly, withoutRulesAssembly } from '../support/assembly.ts';
import { startCrowd } from '../support/crowd.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { activate, createFleet, type Fleet } from '../support/fleet.ts';
import type { Target } from '../support/load.ts';
import { startBareBroker, startMosquitto } from '../support/peers.ts';
import { startRuntime } from '../support/runtime.ts';

/** BENCH_DEVICES: fewer, to try it out. */
const DEVICES = Number(process.env.BENCH_DEVICES ?? 1000);
const CONNECTING = 16;

/** Devices that lose their connections at once and return at once: full handshakes, mutual, ECDSA P-256. */
export const returning: Figure = {
  name: 'returning',
  title: `${DEVICES} devices lose their connections at once and return at once, full mutual TLS handshakes (ECDSA P-256)`,
  async measure() {
    const fleet = await createFleet(DEVICES);
    return [
      ...(await toRuntime('runtime, whole platform', await platformAssembly(), fleet)),
      ...(await toRuntime('runtime, rules disabled', await withoutRulesAssembly(), fleet)),
      ...(await toPeers(fleet)),
    ];
  },
};

async function toRuntime(name: string, assembly: string, fleet: Fleet): Promise<Row[]> {
  const runtime = await startRuntime(assembly, { quiet: true });
  try {
    await activate(fleet, runtime);
    const { host, port } = runtime.endpoints.mqtt;
    return await back(name, { host, port, trust: readFileSync(runtime.endpoints.rootCaFile, 'utf8') }, fleet);
  } finally {
    await runtime.stop();
  }
}

async function toPeers(fleet: Fleet): Promise<Row[]> {
  const rows: Row[] = [];
  for (const start of [startBareBroker, startMosquitto]) {
    const peer = await start(fleet);
    if (!peer) continue;
    const limit = start === startBareBroker ? ', the limit of handshakes of this machine' : '';
    rows.push(...(await back(`peer: ${peer.name}${limit}`, peer.target, fleet)));
    await peer.stop();
  }
  return rows;
}

async function back(name: string, target: Target, { devices }: Fleet): Promise<Row[]> {
  say(`returning: ${name}`);
  const crowd = await startCrowd({ target, devices, topic: undefined });
  await crowd.tell({ do: 'connect', from: 0, to: devices.length, atOnce: CONNECTING });
  const { seconds, connected } = await crowd.tell({ do: 'return' });
  if (connected !== devices.length) throw new Error(`${connected} of ${devices.length} devices are back`);
  await crowd.stop();
  return [{ what: `${name}: loss to the last CONNACK`, value: seconds, unit: 's' }];
}
