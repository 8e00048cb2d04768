/** The real agent: files that are not what they should be, and its command that sends one. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FileDataKey } from '@thingstead/contracts/files';
import type { AgentProcess } from '../../support/agent-process.ts';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { describeLocally } from '../../support/target.ts';
import { throughProxy } from '../../support/through-proxy.ts';
import { decrypt, encrypt, filesPlatform, putAll } from '../files/files-platform.ts';

describeLocally('objects that can be replaced', 'the real agent', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof filesPlatform>>;
  let agents: PlatformAgents;
  let mary: Person;
  let folder: string;
  let device: DeviceCertificate;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await filesPlatform(platform);
    agents = platformAgents(platform);
    mary = await newPerson(platform);
  });
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'thingstead-files-'));
    device = await on.thing('agent');
    await on.grant(mary, device.thing, 'owner');
  });
  afterEach(async () => {
    await agents.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(async () => {
    agents.remove();
    await platform.stop();
  });

  function startAgent(environment: Readonly<Record<string, string>> = {}): AgentProcess {
    return agents.start(device, { files: { incoming: folder, minFreeBytes: 1 } }, { environment });
  }

  /** Sends a file that is encrypted with another key than the one that was given for it. */
  async function sendsWith(change: (own: FileDataKey) => FileDataKey, size = 5): Promise<string> {
    const { thing } = device;
    const { transfer, dataKey } = await mary.api.sendFile({ params: { thing }, body: { name: 'map.bin', size } });
    const params = { thing, transfer: transfer.id };
    const encrypted = await encrypt(Buffer.from('hello'), change(dataKey));
    const sent = await putAll(encrypted, (parts) => mary.api.sendParts({ params, body: { parts: [...parts] } }));
    await mary.api.completeFile({ params, body: sent });
    return transfer.id;
  }

  async function keyOfAnotherThing(): Promise<FileDataKey> {
    const { thing } = await on.thing('other');
    await on.grant(mary, thing, 'owner');
    const { dataKey } = await mary.api.sendFile({ params: { thing }, body: { name: 'map.bin', size: 5 } });
    return dataKey;
  }

  /** What the owner is told. */
  function failure(transfer: string): Promise<string> {
    return platform.soon(async () => {
      const found = await mary.api.getFile({ params: { thing: device.thing, transfer } });
      expect(['FAILED', 'EXPIRED']).toContain(found.state);
      return String(found.reason);
    });
  }

  it('refuses a file that was changed in S3, was encrypted for another thing, with another key, or is of another size', async () => {
    // GIVEN
    const other = await keyOfAnotherThing();
    const { transfer: changed, encrypted } = await on.sends(mary, device.thing, randomBytes(5000));
    encrypted.writeUInt8(encrypted.readUInt8(3000) ^ 1, 3000);
    await on.replaceObject(device.thing, changed, encrypted);
    const elsewhere = await sendsWith(() => other);
    const otherKey = await sendsWith((own) => ({ ...other, context: own.context }));
    const short = await sendsWith((own) => own, 6);

    // WHEN
    startAgent();

    // THEN
    expect(await failure(elsewhere)).toMatch(/it was encrypted for .*other.* not for .*agent/);
    expect(await failure(otherKey)).toContain('another data key');
    expect(await failure(short)).toContain('5 bytes, not 6');
    // Whoever sees it first: device or cloud.
    expect(await failure(changed)).toContain('another object');
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([]);
    expect(readdirSync(path.join(folder, '.thingstead'))).toEqual([]);
  });

  it('sends a file that it is asked for, and says how it goes on', async () => {
    const agent = startAgent();
    await agent.seen('connection.connected');
    const file = path.join(folder, 'log.txt');
    writeFileSync(file, 'milk');

    const sending = agents.command(device, 'files', 'send', file, '--json');

    expect((await sending.exited).code).toBe(0);
    const lines = sending
      .words()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ kind }) => kind)).toEqual(['begun', 'progress', 'stored']);
    const transfer = lines[0].id;
    const { dataKey } = await mary.api.downloadFile({ params: { thing: device.thing, transfer } });
    const object = await on.object(device.thing, transfer);
    expect((await decrypt(object ?? Buffer.alloc(0), dataKey)).toString()).toBe('milk');
    // It belongs to whoever asked.
    expect(readFileSync(file, 'utf8')).toBe('milk');

    const missing = agents.command(device, 'files', 'send', path.join(folder, 'none'));
    expect((await missing.exited).code).toBe(77);
    expect(missing.words()).toContain('is no file');
  });

  it('ends a transfer when it is told to, and when its agent is not there says so', async () => {
    // GIVEN a network without S3
    const awsPort = Number(new URL(platform.config.endpoint ?? '').port);
    const agent = startAgent(throughProxy(folder, { from: awsPort, to: 1 }));
    await agent.seen('connection.connected');
    const file = path.join(folder, 'log.txt');
    writeFileSync(file, 'milk');
    const sending = agents.command(device, 'files', 'send', file);
    const { id } = await agent.seen('file.waits');

    // WHEN
    const cancelling = agents.command(device, 'files', 'cancel', String(id));

    // THEN
    expect((await cancelling.exited).code).toBe(0);
    expect((await sending.exited).code).toBe(77);
    expect(sending.words()).toMatch(/waits: .*ECONNREFUSED/);
    expect(sending.words()).toContain('It was not sent: it was cancelled on the device');
    expect(await failure(String(id))).toContain('cancelled on the device');

    agent.process.kill('SIGTERM');
    await agent.exited;
    const late = agents.command(device, 'files', 'send', file);
    expect((await late.exited).code).toBe(69);
    expect(late.words()).toContain('no agent runs');
  });
});
