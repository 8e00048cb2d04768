/** Real agents under their launchers, each with a certificate and slots of its own. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SignedDocument } from '@thingstead/contracts/firmware';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { createCa, issue } from '../../support/certificates.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { image } from '../../unit/firmware-image.ts';
import { HARDWARE } from './firmware-platform.ts';

const device = path.resolve(__dirname, '../../../device/bin');
const AGENT = path.join(device, 'thingstead-agent.mjs');
const LAUNCHER = path.join(device, 'thingstead-launcher.mjs');
/** Agents that start side by side. */
const AT_ONCE = 6;

/** The agent of these sources: which release it is, its slot says. */
const RUNS = `#!/bin/sh\nexec ${process.execPath} ${AGENT} "$@"\n`;
const CRASHES = '#!/bin/sh\nexit 1\n';

/** An image of a version that works. */
export function workingImage(): Buffer {
  return image([{ name: 'app/bin/thingstead-agent', data: RUNS, executable: true }]);
}

/** An image of a version that ends as soon as it is started. */
export function crashingImage(): Buffer {
  return image([{ name: 'app/bin/thingstead-agent', data: CRASHES, executable: true }]);
}

export interface FleetOptions {
  readonly devices: number;
  readonly product: string;
  /** As it lies on each device when it is made. */
  readonly trust: SignedDocument;
}

export interface Fleet {
  readonly things: readonly string[];
  agentOf(thing: string): AgentProcess;
  /** How often the agent of a thing has said this. */
  count(thing: string, event: string): number;
  stop(): Promise<void>;
}

/** Starts them, and lets all of them join. */
export async function startFleet(platform: Platform, { devices, product, trust }: FleetOptions): Promise<Fleet> {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-fleet-'));
  const file = (name: string): string => path.join(folder, name);
  const factory = file('factory');
  mkdirSync(path.join(factory, 'bin'), { recursive: true });
  writeFileSync(path.join(factory, 'bin/thingstead-agent'), RUNS, { mode: 0o755 });
  writeFileSync(file('trust.json'), JSON.stringify(trust));
  copyFileSync(platform.mqtt.rootCaFile, file('root.pem'));
  const ca = await createCa(unique('fleet'));
  await platform.registerCa(ca);
  const things = Array.from({ length: devices }, (_, index) => unique(`fleet${index}`));
  const agents = new Map<string, AgentProcess>();

  async function start(thing: string): Promise<void> {
    const { pem, keyPem } = await issue(ca, thing);
    const own = (name: string): string => file(`${thing}.${name}`);
    writeFileSync(own('crt'), pem);
    writeFileSync(own('key'), keyPem, { mode: 0o600 });
    const { host, port } = platform.mqtt;
    const config = {
      thing,
      endpoint: { host, port },
      certificateFile: own('crt'),
      privateKeyFile: own('key'),
      rootCaFile: file('root.pem'),
      sensors: [],
      description: { hardwareRevision: HARDWARE },
      outbox: { directory: file('state') },
      // The clock is advanced beside them.
      keepAliveSeconds: 299,
      reconnect: { baseSeconds: 0.5, capSeconds: 2 },
      firmware: {
        installer: { type: 'slots', directory: own('slots') },
        product,
        trustFile: file('trust.json'),
        healthSeconds: 1,
        trialSeconds: 120,
        maxBoots: 2,
        minFreeBytes: 0,
      },
    };
    writeFileSync(own('json'), JSON.stringify(config));
    const launcher = [process.execPath, LAUNCHER, '--directory', own('slots'), '--factory', factory, '--pause', '0.1'];
    const agent = startAgentProcess(['--', '--config', own('json'), 'run'], { program: launcher });
    agents.set(thing, agent);
    await agent.seen('connection.connected');
  }

  const waiting = [...things];
  const startNext = async (): Promise<void> => {
    for (let thing = waiting.shift(); thing !== undefined; thing = waiting.shift()) await start(thing);
  };
  const agentOf = (thing: string): AgentProcess => {
    const agent = agents.get(thing);
    if (!agent) throw new Error(`there is no agent of ${thing}`);
    return agent;
  };
  const stop = async (): Promise<void> => {
    for (const { process: launcher } of agents.values()) launcher.kill('SIGTERM');
    await Promise.all([...agents.values()].map(({ exited }) => exited));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, startNext));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    things,
    agentOf,
    count: (thing, event) => agentOf(thing).events.filter((each) => each.event === event).length,
    stop,
  };
}
