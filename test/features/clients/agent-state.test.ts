/** The real agent makes its device be as the shadow's `desired` says, and reports what it has done. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { registerTopic } from '@thingstead/contracts/topics';
import type { AgentProcess } from '../../support/agent-process.ts';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { untilItPasses } from '../../support/until-it-passes.ts';
import { type AgentCounterpart, startCounterpart } from './agent-counterpart.ts';

let cloud: AgentCounterpart;
let device: DeviceCertificate;
let folder: string;

beforeAll(async () => {
  cloud = await startCounterpart();
});
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-state-'));
  device = await cloud.newDevice();
});
afterEach(async () => {
  await cloud.agents.kill();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => cloud.stop());

function file(name: string, text: string): string {
  const made = path.join(folder, name);
  writeFileSync(made, text);
  chmodSync(made, 0o755);
  return made;
}

const content = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

async function desire(desired: object): Promise<void> {
  const payload = Buffer.from(JSON.stringify({ state: { desired } }));
  await cloud.data.send(new UpdateThingShadowCommand({ thingName: device.thing, payload }));
}

/** Everything that is desired is reported. */
async function reported(expected: object): Promise<void> {
  await untilItPasses(
    async () => expect((await cloud.shadow(device.thing)).state.reported).toMatchObject(expected),
    20,
    20,
  );
}

function start(): AgentProcess {
  const light = file('light', '#!/bin/sh\ncat >"$(dirname "$0")/light-is"');
  const mode = file(
    'mode.mjs',
    'export default (value, { name }) => { if (value !== "eco") throw new Error("no " + name + " " + value); };',
  );
  return cloud.agents.start(device, {
    state: {
      power: { run: [light] },
      brightness: { file: path.join(folder, 'brightness'), scale: 2.55 },
      mode: { module: mode },
      demo: { simulator: true },
    },
  });
}

describe('the desired state of a real agent', () => {
  it('is applied when it was set while the agent was away, by programs, files and modules, and reported', async () => {
    file('brightness', '255\n');
    await desire({ power: true, brightness: 40, mode: 'eco', demo: [1, 2], other: 'not ours' });

    await start().seen('presence.reported');

    await reported({ power: true, brightness: 40, mode: 'eco', demo: [1, 2], connected: true });
    expect(content('light-is')).toBe('true');
    expect(content('brightness')).toBe('102');
    const description = await cloud.hears(({ topic }) => topic === registerTopic(device.thing));
    expect(description.body.capabilities).toEqual(['power', 'brightness']);
    expect((await cloud.shadow(device.thing)).state.reported).not.toHaveProperty('other');
  });

  it('is applied as it changes; what fails is not reported, but why', async () => {
    const agent = start();
    await agent.seen('presence.reported');
    await desire({ power: false, brightness: 10, mode: 'turbo' });

    await reported({ power: false, errors: { mode: 'no mode turbo', brightness: expect.stringContaining('ENOENT') } });
    const { state } = await cloud.shadow(device.thing);
    expect(state.reported).not.toHaveProperty('mode');
    expect(state.reported).not.toHaveProperty('brightness');

    await desire({ mode: 'eco' });
    await reported({ mode: 'eco', errors: { brightness: expect.anything() } });
    expect((await cloud.shadow(device.thing)).state.reported?.errors).not.toHaveProperty('mode');
  });
});
