/** A person gets to see a pairing code: by `thingstead-agent pair`, with and without an agent that runs, and by a button. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pairingTopic } from '@thingstead/contracts/topics';
import { contactAgent } from '../../../device/src/agent-lock.ts';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { type AgentCounterpart, startCounterpart } from './agent-counterpart.ts';

const EXPIRES_AT = Date.parse('2030-01-01T12:00:00Z');
let cloud: AgentCounterpart;
let folder: string;
let device: DeviceCertificate;
const processes: AgentProcess[] = [];

beforeAll(async () => {
  cloud = await startCounterpart();
});
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-pairing-'));
  device = await cloud.newDevice();
});
afterEach(async () => {
  cloud.onMessage(() => {});
  for (const { process, exited } of processes.splice(0)) {
    process.kill('SIGKILL');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => cloud.stop());

/** Lets the cloud answer every question of the device from now on. */
function answer(kind: 'accepted' | 'rejected', body: object): void {
  const topic = pairingTopic(device.thing);
  cloud.onMessage((message) => {
    if (message.topic === topic) void cloud.publish(`${topic}/${kind}`, { id: message.body.id, ...body });
  });
}

/** Writes the configuration, and gives its file. */
function configure(change: object = {}): string {
  const file = (name: string): string => path.join(folder, name);
  writeFileSync(file('device.crt'), device.pem);
  writeFileSync(file('private.key'), device.keyPem, { mode: 0o600 });
  const { host, port, rootCaFile } = cloud.endpoint;
  const config = {
    thing: device.thing,
    endpoint: { host, port },
    ...{ certificateFile: 'device.crt', privateKeyFile: 'private.key', rootCaFile },
    sensors: [],
    ...change,
  };
  writeFileSync(file('agent.json'), JSON.stringify(config));
  return file('agent.json');
}

function start(...args: readonly string[]): AgentProcess {
  const started = startAgentProcess(args);
  processes.push(started);
  return started;
}

const socketFile = (): string => path.join(folder, 'state', device.thing, 'agent.sock');

describe('thingstead-agent pair', () => {
  it('asks through the agent that runs, which keeps its connection, and shows the code with its end and as a QR code', async () => {
    answer('accepted', { code: 'acde f346', expiresAt: EXPIRES_AT });
    const file = configure({ pairing: { url: 'https://app.example.com/?code={code}' } });
    const agent = start('--config', file, 'run');
    await agent.seen('presence.reported');

    const shown = start('--config', file, 'pair');
    const asked = start('--config', file, 'pair', '--json');
    expect((await shown.exited).code).toBe(0);
    expect((await asked.exited).code).toBe(0);

    expect(shown.output()).toContain('A C D E - F 3 4 6');
    expect(shown.output()).toContain(device.thing);
    expect(shown.output()).toMatch(/until \d\d:00:00/);
    // A QR code of version 3 is 29 modules wide, two of them in a line's height.
    expect(shown.output().match(/^ *[█▀▄ ]{31,}$/gm)?.length).toBeGreaterThan(14);
    expect(JSON.parse(asked.output())).toEqual({
      thing: device.thing,
      code: 'ACDE-F346',
      expiresAt: new Date(EXPIRES_AT).toISOString(),
      content: 'https://app.example.com/?code=ACDE-F346',
    });
    expect(agent.events.filter(({ event }) => event === 'connection.lost')).toEqual([]);
    expect(agent.output()).not.toContain('ACDE');
    expect(statSync(socketFile()).mode & 0o777).toBe(0o600);
  });

  it('connects by itself when no agent runs, also when one was killed and has left its socket', async () => {
    answer('accepted', { code: 'ACDEF346', expiresAt: EXPIRES_AT });
    const file = configure();
    const agent = start('--config', file, 'run');
    await agent.seen('connection.connected');
    agent.process.kill('SIGKILL');
    await agent.exited;
    expect(statSync(socketFile()).isSocket()).toBe(true);

    const asked = start('--config', file, 'pair', '--json');

    expect((await asked.exited).code).toBe(0);
    expect(JSON.parse(asked.output())).toMatchObject({ code: 'ACDE-F346', content: 'ACDE-F346' });
  });

  it.each([
    ['already-owned', 'gives it up'],
    ['belongs-to-site', 'site'],
    ['too-many-requests', 'Wait'],
    ['no-such-thing', 'try again'],
    ['invalid-request', 'versions'],
  ])('explains %s, and ends with 77', async (error, words) => {
    answer('rejected', { error, reason: 'said the cloud' });

    const asked = start('--config', configure(), 'pair');

    expect((await asked.exited).code).toBe(77);
    expect(asked.words()).toContain(error);
    expect(asked.words()).toContain(words);
    expect(asked.words()).toContain('said the cloud');
  });

  it('ends with 69 where nobody can be reached, and does not throw out an agent that it cannot see', async () => {
    const file = configure({ endpoint: { host: 'localhost', port: 1 } });
    const nobody = start('--config', file, 'pair');
    expect((await nobody.exited).code).toBe(69);
    expect(nobody.words()).toContain('doctor');

    const unseen = start('--config', configure({ outbox: { memory: true } }), 'pair');
    expect((await unseen.exited).code).toBe(69);
    expect(unseen.words()).toContain('--connect');
    expect(cloud.heard.filter(({ topic }) => topic === pairingTopic(device.thing))).toEqual([]);
  });

  it('is not disturbed by what else comes over the socket of the agent', async () => {
    answer('accepted', { code: 'ACDEF346', expiresAt: EXPIRES_AT });
    const file = configure();
    const agent = start('--config', file, 'run');
    await agent.seen('presence.reported');

    const said = async (text: string): Promise<string> => {
      const contact = await contactAgent(path.dirname(socketFile()));
      if (contact.kind !== 'open') throw new Error(contact.kind);
      const socket = contact.socket.setEncoding('utf8');
      let words = '';
      socket.on('data', (chunk) => {
        words += chunk;
      });
      socket.write(text);
      await new Promise((resolve) => socket.once('close', resolve));
      return words;
    };
    expect(await said('no JSON\n')).toContain('refused');
    expect(await said('{"ask":"key"}\n')).toContain('refused');
    expect(await said('x'.repeat(10_000))).toBe('');

    const asked = start('--config', file, 'pair', '--json');
    expect((await asked.exited).code).toBe(0);
  });
});

describe("the device's button", () => {
  it('shows a code in the log when there is no other way, and wakes no debugger', async () => {
    answer('accepted', { code: 'ACDEF346', expiresAt: EXPIRES_AT });
    const agent = start('--config', configure(), 'run');
    await agent.seen('presence.reported');

    agent.process.kill('SIGUSR1');

    expect(await agent.seen('pairing.code')).toMatchObject({
      code: 'ACDE-F346',
      expiresAt: '2030-01-01T12:00:00.000Z',
    });
    expect(agent.output()).not.toContain('Debugger');
  });

  it('hands the code to the program of the configuration, and to nobody else', async () => {
    answer('accepted', { code: 'ACDEF346', expiresAt: EXPIRES_AT });
    const program = path.join(folder, 'show');
    const shown = path.join(folder, 'shown');
    const words = `"$1|$THINGSTEAD_PAIRING_CODE|$THINGSTEAD_PAIRING_EXPIRES_AT|$THINGSTEAD_PAIRING_CONTENT"`;
    writeFileSync(program, `#!/bin/sh\necho ${words} >${shown}.new && mv ${shown}.new ${shown}\nexit 3\n`);
    chmodSync(program, 0o755);
    const agent = start('--config', configure({ pairing: { show: ['./show', 'left'], url: 'x:{code}' } }), 'run');
    await agent.seen('presence.reported');

    agent.process.kill('SIGUSR1');

    await agent.seen('pairing.shown');
    expect(await agent.seen('pairing.not_shown')).toMatchObject({ reason: `${program} ended with 3` });
    expect(readFileSync(shown, 'utf8')).toBe('left|ACDE-F346|2030-01-01T12:00:00.000Z|x:ACDE-F346\n');
    expect(agent.output()).not.toContain('ACDE');
  });

  it('says in the log why there is no code', async () => {
    answer('rejected', { error: 'already-owned', reason: 'has an owner' });
    const agent = start('--config', configure(), 'run');
    await agent.seen('presence.reported');

    agent.process.kill('SIGUSR1');

    expect(await agent.seen('pairing.rejected')).toMatchObject({ error: 'already-owned', reason: 'has an owner' });
  });
});
