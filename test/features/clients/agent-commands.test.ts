/** The real agent executes commands: from its configuration only, once, also when it is killed while it does. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PENDING_COMMANDS } from '@thingstead/contracts/commands';
import { commandTopic } from '@thingstead/contracts/topics';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { untilEnded } from '../../support/process-end.ts';
import { untilItPasses } from '../../support/until-it-passes.ts';
import { type AgentCounterpart, type Heard, startCounterpart } from './agent-counterpart.ts';

let cloud: AgentCounterpart;
let device: DeviceCertificate;
let folder: string;
let commands = 0;

beforeAll(async () => {
  cloud = await startCounterpart();
});
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-commands-'));
  device = await cloud.newDevice();
});
afterEach(async () => {
  await cloud.agents.kill();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => cloud.stop());

function program(name: string, text: string): readonly string[] {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return [file];
}

const newId = (): string => `01J${String(++commands).padStart(23, '0')}`;

async function give(id: string, name: string, payload: unknown = {}, seconds = 60): Promise<void> {
  const expiresAt = Date.now() + seconds * 1000;
  await cloud.publish(commandTopic(device.thing, id), { id, name, payload, expiresAt });
}

/** The first outcome of this state that is said of a command. */
function outcome(id: string, state: string, nth = 1): Promise<Heard> {
  const topic = `${commandTopic(device.thing, id)}/outcome`;
  return cloud.hears((message) => message.topic === topic && message.body.state === state, nth);
}

/** The agent hears commands, and has asked for those that wait, for the n-th time. */
function ready(nth = 1): Promise<Heard> {
  const topic = `${commandTopic(device.thing, PENDING_COMMANDS)}/outcome`;
  return cloud.hears((message) => message.topic === topic, nth);
}

const lines = (name: string): string[] => readFileSync(path.join(folder, name), 'utf8').trim().split('\n');

describe('a command for the real agent', () => {
  it('is executed by a program or a module, and what they give is told; an unknown one is rejected', async () => {
    const module = path.join(folder, 'double.mjs');
    writeFileSync(module, 'export default async ({ number }, { id }) => ({ id, double: 2 * number });');
    cloud.agents.start(device, {
      commands: { echo: { run: program('echo-it', 'printf "{\\"got\\":"; cat; echo "}"') }, double: { module } },
    });
    await ready();

    const [echoed, doubled, unknown, late] = [newId(), newId(), newId(), newId()];
    await give(echoed, 'echo', { text: 'hello' });
    await give(doubled, 'double', { number: 21 });
    await give(unknown, 'format-disk');
    await give(late, 'echo', {}, -120);

    expect((await outcome(echoed, 'DELIVERED')).body).toEqual({ state: 'DELIVERED' });
    expect((await outcome(echoed, 'EXECUTED')).body.result).toEqual({ got: { text: 'hello' } });
    expect((await outcome(doubled, 'EXECUTED')).body.result).toEqual({ id: doubled, double: 42 });
    expect((await outcome(unknown, 'REJECTED')).body.reason).toContain('"format-disk"');
    expect((await outcome(late, 'REJECTED')).body.reason).toContain('expired');
  });

  it('that takes too long is killed with its children, and has failed; the next one is executed', async () => {
    const run = program('hang', 'sleep 60 & echo $$ $! >"$(dirname "$0")/pids"; wait');
    cloud.agents.start(device, {
      commands: { hang: { run, timeoutSeconds: 0.5 }, fail: { run: program('fail', 'echo no motor >&2; exit 4') } },
    });
    await ready();

    const [hung, broken] = [newId(), newId()];
    await give(hung, 'hang');
    await give(broken, 'fail');

    expect((await outcome(hung, 'FAILED')).body.reason).toContain('has not ended after 0.5 s');
    expect((await outcome(broken, 'FAILED')).body.reason).toContain('ended with 4: no motor');
    for (const pid of lines('pids')[0]?.split(' ') ?? []) await untilEnded(pid);
  });

  it('that is delivered again after kill -9 in the middle of it is not executed again, and has failed', async () => {
    // GIVEN a program that never ends
    const run = program('open', 'echo $$ >>"$(dirname "$0")/runs"; exec sleep 60');
    const change = { commands: { open: { run } } };
    const first = cloud.agents.start(device, change);
    await ready();
    const id = newId();
    await give(id, 'open');
    await outcome(id, 'DELIVERED');
    await untilItPasses(async () => expect(lines('runs')).toHaveLength(1), 10, 20);

    // WHEN
    first.process.kill('SIGKILL');
    await first.exited;
    const second = cloud.agents.start(device, change);
    await ready(2);
    await give(id, 'open');

    // THEN
    const told = await outcome(id, 'FAILED');
    expect(told.body.reason).toContain('nobody knows');
    expect(second.events.filter(({ event }) => event === 'command.begun')).toEqual([]);
    expect(lines('runs')).toHaveLength(1);
    process.kill(Number(lines('runs')[0]), 'SIGKILL');
  });

  it('that was executed is told again when it comes again, also by the next process', async () => {
    const run = program('count', 'echo x >>"$(dirname "$0")/runs"; wc -l <"$(dirname "$0")/runs"');
    const change = { commands: { count: { run } } };
    const first = cloud.agents.start(device, change);
    await ready();
    const id = newId();
    await give(id, 'count');
    await give(id, 'count');
    await outcome(id, 'EXECUTED');
    first.process.kill('SIGKILL');
    await first.exited;

    cloud.agents.start(device, change);
    await ready(2);
    await give(id, 'count');

    expect((await outcome(id, 'EXECUTED', 2)).body.result).toBe(1);
    expect(lines('runs')).toHaveLength(1);
  });

  it('that ends the agent, as a reboot does, is told of before it goes, and does not come again', async () => {
    const run = program('reboot', 'kill -TERM "$PPID"; echo going');
    const change = { commands: { reboot: { run } } };
    const first = cloud.agents.start(device, change);
    await ready();
    const id = newId();
    await give(id, 'reboot');

    expect((await outcome(id, 'EXECUTED')).body.result).toBe('going');
    expect(await first.exited).toEqual({ code: 0, signal: null });

    const second = cloud.agents.start(device, change);
    await ready(2);
    await give(id, 'reboot');
    await outcome(id, 'EXECUTED', 2);
    expect(second.events.filter(({ event }) => event === 'command.begun')).toEqual([]);
  });
});
