/** Files between the real device agent, as it is installed, and its owner; over a network that breaks, with an agent that is killed. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PART_BYTES } from '@thingstead/contracts/files';
import type { AgentProcess } from '../../support/agent-process.ts';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { type CuttingProxy, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { describeLocally } from '../../support/target.ts';
import { throughProxy } from '../../support/through-proxy.ts';
import { decrypt, filesPlatform } from '../files/files-platform.ts';

const MB = 1_000_000;
/** Three parts in a usual run. */
const SIZE = process.env.THINGSTEAD_EXHAUSTIVE ? 200 * MB : 24 * MB;
const CUTS = 5;
/** After this cut the agent is killed. */
const KILL = 3;
/** Resident memory at its peak, in kB: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const MAX_KB = (140 * MB) / 1024;
const MARK = 'milk-and-honey-in-plain-text';

/** Content that can be recognised anywhere: the mark stands in every kilobyte. */
function content(size: number): Buffer {
  const bytes = randomBytes(size);
  for (let at = 0; at + MARK.length < size; at += 1000) bytes.write(MARK, at);
  return bytes;
}

/** The agent as the tarball has it. Gives its program. */
function makeAgent(folder: string): string {
  const script = path.resolve(__dirname, '../../../scripts/package-agent.ts');
  const args = [script, '--without-node', '--out', folder];
  const archive = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
  return path.join(archive.replace(/\.tar\.gz$/, ''), 'bin/thingstead-agent');
}

function peakKb({ process: { pid } }: AgentProcess): number {
  const [, kb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb);
}

describeLocally('a network that can be cut', 'a file of the real agent', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof filesPlatform>>;
  let agents: PlatformAgents;
  let mary: Person;
  let folder: string;
  let device: DeviceCertificate;
  let mqtt: CuttingProxy;
  let http: CuttingProxy;
  let installed: string;
  let program: string;

  beforeAll(async () => {
    installed = mkdtempSync(path.join(tmpdir(), 'thingstead-agent-'));
    program = makeAgent(installed);
    platform = await startPlatform();
    on = await filesPlatform(platform);
    agents = platformAgents(platform);
    mary = await newPerson(platform);
    mqtt = await startCuttingProxy(platform.mqtt.port);
    http = await startCuttingProxy(awsPort());
    // It makes the tarball, too.
  }, 180_000);
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'thingstead-files-'));
    for (const name of ['in', 'out', 'draft']) mkdirSync(path.join(folder, name));
    device = await on.thing('agent');
    await on.grant(mary, device.thing, 'owner');
  });
  afterEach(async () => {
    await agents.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(async () => {
    agents.remove();
    rmSync(installed, { recursive: true, force: true });
    mqtt.stop();
    http.stop();
    await platform.stop();
  });

  const awsPort = (): number => Number(new URL(platform.config.endpoint ?? '').port);
  const incoming = (): readonly string[] =>
    readdirSync(path.join(folder, 'in')).filter((name) => !name.startsWith('.'));
  const outgoing = (): readonly string[] => readdirSync(path.join(folder, 'out'));

  function startAgent(change: Readonly<Record<string, unknown>> = {}): AgentProcess {
    const files = { incoming: path.join(folder, 'in'), outgoing: path.join(folder, 'out'), minFreeBytes: 1, ...change };
    // As the unit runs it.
    const environment = throughProxy(installed, { from: awsPort(), to: http.port }, '--jitless');
    const endpoint = { host: platform.mqtt.host, port: mqtt.port };
    return agents.start(device, { files, endpoint }, { environment, program: [program] });
  }

  /** Puts it where it is sent from, whole. */
  function put(name: string, bytes: Buffer): void {
    writeFileSync(path.join(folder, 'draft', name), bytes);
    renameSync(path.join(folder, 'draft', name), path.join(folder, 'out', name));
  }

  /** Cuts both connections again and again while it is under way, and kills the agent once. Gives all agents. */
  async function disturbed(
    first: AgentProcess,
    change?: Readonly<Record<string, unknown>>,
  ): Promise<readonly AgentProcess[]> {
    const all = [first];
    const peaks: number[] = [];
    for (let cut = 1; cut <= CUTS; cut += 1) {
      await http.passed(http.bytes() + SIZE / (CUTS + 2));
      http.cut();
      mqtt.cut();
      const agent = all.at(-1) as AgentProcess;
      peaks.push(peakKb(agent));
      if (cut !== KILL) continue;
      agent.process.kill('SIGKILL');
      await agent.exited;
      all.push(startAgent(change));
    }
    expect(Math.max(...peaks)).toBeLessThan(MAX_KB);
    return all;
  }

  function expectNoSecrets(all: readonly AgentProcess[], object: Buffer | undefined, key: string): void {
    const said = all.map((agent) => agent.output()).join('');
    for (const secret of [MARK, key, Buffer.from(key, 'base64').toString('hex'), 'X-Amz-Signature']) {
      expect(said.includes(secret)).toBe(false);
    }
    expect(object?.includes(MARK) ?? false).toBe(false);
    expect(object?.includes(Buffer.from(key, 'base64')) ?? false).toBe(false);
  }

  it('reaches the owner byte by byte, though the network is cut five times and the agent killed', async () => {
    // GIVEN
    const plain = content(SIZE);
    const agent = startAgent();
    await agent.seen('connection.connected');

    // WHEN
    const before = http.bytes();
    const disturbing = disturbed(agent);
    put('film.mp4', plain);
    const all = await disturbing;
    const last = all.at(-1) as AgentProcess;
    const { id } = await last.seen('file.sent');
    const transfer = String(id);

    // THEN
    expect(peakKb(last)).toBeLessThan(MAX_KB);
    const { dataKey, bytes } = await mary.api.downloadFile({ params: { thing: device.thing, transfer } });
    const object = await on.object(device.thing, transfer);
    expect((await decrypt(object ?? Buffer.alloc(0), dataKey)).equals(plain)).toBe(true);
    // What was under way is sent again, and nothing else.
    expect(http.bytes() - before).toBeLessThan(bytes + (CUTS + 1) * PART_BYTES);
    expectNoSecrets(all, object, dataKey.plaintext);
    expect(outgoing()).toEqual([]);
  }, 600_000);

  it('reaches the device byte by byte, though the network is cut five times and the agent killed', async () => {
    // GIVEN
    const plain = content(SIZE);
    const handler = path.join(folder, 'handler.mjs');
    const text =
      'import { writeFileSync } from "node:fs"; export default ({ path }) => writeFileSync(path + ".seen", path);';
    writeFileSync(handler, text);
    const change = { handler: { module: handler } };
    const agent = startAgent(change);
    await agent.seen('connection.connected');

    // WHEN
    const before = http.bytes();
    const disturbing = disturbed(agent, change);
    const { transfer, encrypted, dataKey } = await on.sends(mary, device.thing, plain, 'map.bin');
    const all = await disturbing;
    const last = all.at(-1) as AgentProcess;
    await last.seen('file.received');

    // THEN
    expect(peakKb(last)).toBeLessThan(MAX_KB);
    await platform.soon(async () => {
      const found = await mary.api.getFile({ params: { thing: device.thing, transfer } });
      expect(found.state).toBe('DELIVERED');
    });
    await platform.soon(async () => expect(incoming()).toEqual(['map.bin', 'map.bin.seen']));
    expect(readFileSync(path.join(folder, 'in', 'map.bin')).equals(plain)).toBe(true);
    expect(http.bytes() - before).toBeLessThan(encrypted.length + (CUTS + 1) * PART_BYTES);
    expectNoSecrets(all, encrypted, dataKey.plaintext);
  }, 600_000);
});
