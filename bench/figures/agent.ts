import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { agentConfig } from '../support/agent-config.ts';
import { platformAssembly, temporaryPath } from '../support/assembly.ts';
import { type Figure, type Row, say } from '../support/figure.ts';
import { activate, createFleet } from '../support/fleet.ts';
import { residentBytes, root, startNode, stop } from '../support/process.ts';
import { type BenchRuntime, startRuntime } from '../support/runtime.ts';

const SECONDS = 15;
const LOAD_SDK = "await import('aws-iot-device-sdk-v2'); setInterval(() => {}, 1000)";

interface Variant {
  readonly name: string;
  /** The agent's program. */
  readonly program: string;
  /** Of Node.js, for the agent and for its peer. */
  readonly options: string;
  readonly aim?: string;
}

/** Resident memory of the agent that publishes, beside a process with the same SDK and options that does nothing. */
export const agent: Figure = {
  name: 'agent',
  title: `Resident memory of the device agent, after ${SECONDS} s with three sensors`,
  async measure() {
    say('agent: memory');
    const installed = packaged();
    const variants: readonly Variant[] = [
      { name: 'as installed', ...installed, aim: '< 20' },
      { name: 'as installed, but with the compiler of V8', ...installed, options: '' },
      { name: 'from the sources in TypeScript', program: 'device/bin/thingstead-agent.mjs', options: '' },
    ];
    const runtime = await startRuntime(await platformAssembly());
    try {
      const config = await configure(runtime);
      const rows: Row[] = [];
      // One after the other: they are the same device.
      for (const variant of variants) rows.push(...(await measure(variant, config)));
      return rows;
    } finally {
      await runtime.stop();
    }
  },
};

/** What goes to a device: the bundle of the tarball, and the options that the systemd unit gives to Node.js. */
function packaged(): Pick<Variant, 'program' | 'options'> {
  const out = temporaryPath('package');
  const args = ['scripts/package-agent.ts', '--without-node', '--out', out];
  const archive = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }).trim();
  const tree = archive.replace(/\.tar\.gz$/, '');
  const unit = readFileSync(path.join(tree, 'systemd/thingstead-agent.service'), 'utf8');
  const options = /^Environment="?NODE_OPTIONS=([^"\n]*)"?$/m.exec(unit)?.[1] ?? '';
  return { program: path.join(tree, 'lib/agent.mjs'), options };
}

async function measure({ name, program, options, aim }: Variant, config: string): Promise<Row[]> {
  const env = { NODE_OPTIONS: options };
  const device = startNode([program, '--config', config, 'run'], { env });
  const bare = startNode(['--input-type=module', '-e', LOAD_SDK], { cwd: path.join(root, 'device'), env });
  let published = 0;
  device.stdout?.on('data', (chunk) => {
    published += String(chunk).split('"telemetry.published"').length - 1;
  });
  await wait(SECONDS * 1000);
  const own = residentBytes(device.pid) / 2 ** 20;
  const peer = residentBytes(bare.pid) / 2 ** 20;
  await Promise.all([stop(device), stop(bare)]);
  if (published === 0) throw new Error('the agent has published nothing');
  const flags = options === '' ? '' : ` with ${options}`;
  return [
    { what: `agent ${name}`, value: own, unit: 'MiB' },
    { what: `peer: Node.js${flags} and the device SDK loaded, not connected`, value: peer, unit: 'MiB' },
    { what: `agent ${name}, above its peer`, value: own - peer, unit: 'MiB', ...(aim === undefined ? {} : { aim }) },
  ];
}

async function configure(runtime: BenchRuntime): Promise<string> {
  const fleet = await createFleet(1);
  await activate(fleet, runtime);
  const [device] = fleet.devices;
  if (!device) throw new Error('no device');
  const sensors = ['temperature', 'humidity', 'pressure'].map((name) => ({
    name,
    source: { kind: 'simulator' },
    intervalSeconds: 1,
  }));
  return agentConfig(device, runtime, { sensors, publish: { intervalSeconds: 2 } });
}
