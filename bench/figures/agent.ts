import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { platformAssembly, temporaryPath } from '../support/assembly.ts';
import { type Figure, say } from '../support/figure.ts';
import { activate, createFleet } from '../support/fleet.ts';
import { residentBytes, root, startNode, stop } from '../support/process.ts';
import { type BenchRuntime, startRuntime } from '../support/runtime.ts';

const SECONDS = 15;
const LOAD_SDK = "await import('aws-iot-device-sdk-v2'); setInterval(() => {}, 1000)";

/** Resident memory of the agent that publishes, beside a process with the same SDK that does nothing. */
export const agent: Figure = {
  name: 'agent',
  title: `Resident memory of the device agent, after ${SECONDS} s with three sensors`,
  async measure() {
    say('agent: memory');
    const runtime = await startRuntime(await platformAssembly());
    try {
      const config = await configure(runtime);
      const device = startNode(['device/bin/thingstead-agent.mjs', '--config', config, 'run']);
      const bare = startNode(['--input-type=module', '-e', LOAD_SDK], { cwd: path.join(root, 'device') });
      let published = 0;
      device.stdout?.on('data', (chunk) => {
        published += String(chunk).split('"telemetry.published"').length - 1;
      });
      await wait(SECONDS * 1000);
      const own = residentBytes(device.pid) / 2 ** 20;
      const peer = residentBytes(bare.pid) / 2 ** 20;
      await Promise.all([stop(device), stop(bare)]);
      if (published === 0) throw new Error('the agent has published nothing');
      return [
        { what: 'agent', value: own, unit: 'MiB' },
        { what: 'peer: Node.js with the device SDK loaded', value: peer, unit: 'MiB' },
        { what: 'agent above its peer', value: own - peer, unit: 'MiB', aim: '< 20' },
      ];
    } finally {
      await runtime.stop();
    }
  },
};

async function configure(runtime: BenchRuntime): Promise<string> {
  const fleet = await createFleet(1);
  await activate(fleet, runtime);
  const [device] = fleet.devices;
  if (!device) throw new Error('no device');
  const folder = temporaryPath('agent');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'certificate.crt'), device.pem);
  writeFileSync(path.join(folder, 'private.key'), device.keyPem, { mode: 0o600 });
  const file = path.join(folder, 'agent.json');
  const sensors = ['temperature', 'humidity', 'pressure'].map((name) => ({
    name,
    source: { kind: 'simulator' },
    intervalSeconds: 1,
  }));
  const config = {
    thing: device.thing,
    endpoint: runtime.endpoints.mqtt,
    certificateFile: 'certificate.crt',
    privateKeyFile: 'private.key',
    rootCaFile: runtime.endpoints.rootCaFile,
    sensors,
    publish: { intervalSeconds: 2 },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
