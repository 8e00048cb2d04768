/** The operator's command and the agent together, on the platform as it is deployed: the path of a person with a new device. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { registerTopic } from '@thingstead/contracts/topics';
import { synthesize } from '../support/assembly.ts';
import { runCommandLine } from '../support/command-line.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const root = path.resolve(__dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-operator-'));
const before = process.cwd();
let runtime: Runtime;

beforeAll(async () => {
  // Keys and lists are kept below the folder where the command runs.
  process.chdir(folder);
  runtime = await startRuntime({ assembly: synthesize() });
});
afterAll(async () => {
  process.chdir(before);
  await runtime.stop();
});

function command(...args: readonly string[]): readonly string[] {
  return [path.join(root, 'cli/bin/thingstead.mjs'), '--endpoints', runtime.endpointsFile, '--json', ...args];
}

/** The rows of a command that must succeed. */
async function thingstead(...args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const { status, stderr, rows } = await runCommandLine(['--endpoints', runtime.endpointsFile, ...args]);
  if (status !== 0) throw new Error(`thingstead ${args.join(' ')} exited with ${status}: ${stderr}`);
  return rows;
}

function exitCode(...args: readonly string[]): number | null {
  return spawnSync(process.execPath, command(...args), { cwd: folder, input: '' }).status;
}

/** Runs the agent until it has logged an event, then ends it; gives all events. */
async function runAgent(configFile: string, until: string): Promise<readonly Record<string, unknown>[]> {
  const agent: ChildProcess = spawn(
    process.execPath,
    [path.join(root, 'device/bin/thingstead-agent.mjs'), '--config', configFile, 'run'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const events: Record<string, unknown>[] = [];
  if (agent.stdout) {
    createInterface(agent.stdout).on('line', (line) => {
      events.push(JSON.parse(line));
      // A second signal would end it at once.
      if (events.at(-1)?.event === until && !agent.killed) agent.kill('SIGTERM');
    });
  }
  await once(agent, 'close');
  return events;
}

/** Runs simulated devices until all have joined and sent readings; gives the rows of the report. */
async function simulated(count: string): Promise<readonly Record<string, unknown>[]> {
  const simulator = spawn(process.execPath, command('simulate', count), { cwd: folder });
  createInterface(simulator.stderr).on('line', (line) => {
    const everybody = new RegExp(`^${count} of ${count} joined, .* [1-9]\\d* readings`).test(line);
    // A second signal would end it at once.
    if (everybody && !simulator.killed) simulator.kill('SIGINT');
  });
  const rows: Record<string, unknown>[] = [];
  createInterface(simulator.stdout).on('line', (line) => rows.push(JSON.parse(line)));
  await once(simulator, 'close');
  return rows;
}

describe('an operator', () => {
  let device: Record<string, unknown>;

  it('makes and registers a CA', async () => {
    const [made] = await thingstead('ca', 'create', '--name', 'field');
    await thingstead('ca', 'register', '--name', 'field');

    expect(await thingstead('ca', 'list')).toEqual([
      expect.objectContaining({
        certificateId: made?.certificateId,
        name: 'field',
        status: 'ACTIVE',
        autoRegistration: 'ENABLE',
        mode: 'SNI_ONLY',
      }),
    ]);
    expect(exitCode('ca', 'register', '--name', 'field')).toBe(5);
  });

  it('registers a CA with a proof of its key', async () => {
    await thingstead('ca', 'create', '--name', 'proven');
    await thingstead('ca', 'register', '--name', 'proven', '--mode', 'default');

    expect(await thingstead('ca', 'list')).toContainEqual(expect.objectContaining({ name: 'proven', mode: 'DEFAULT' }));
    await thingstead('ca', 'deactivate', 'proven');
    expect(await thingstead('ca', 'list')).toContainEqual(
      expect.objectContaining({ name: 'proven', status: 'INACTIVE' }),
    );
  });

  it('makes a device that joins with the agent as it comes, and sees its readings', async () => {
    [device = {}] = await thingstead('device', 'create', 'macdonald-barn1', '--ca', 'field', '--manifest');

    const events = await runAgent(String(device.configFile), 'telemetry.published');
    await runtime.advance(30);

    const names = events.map((each) => each.event);
    expect(names).toContain('connection.waiting_for_activation');
    expect(names.indexOf('connection.waiting_for_activation')).toBeLessThan(names.indexOf('connection.connected'));
    expect(events.at(-1)).toMatchObject({ event: 'agent.stopped', unsent: 0, setAside: 0 });
    const { certificateId } = device;
    expect(await thingstead('device', 'list')).toEqual([
      expect.objectContaining({ thing: 'macdonald-barn1', certificates: [{ certificateId, status: 'ACTIVE' }] }),
    ]);
    const [shown] = await thingstead('device', 'show', 'macdonald-barn1');
    expect(shown).toMatchObject({
      type: 'thingstead-device',
      manifest: { certificateId },
      held: [],
      readings: [
        { sensor: 'humidity', unit: '%RH' },
        { sensor: 'temperature', unit: 'Cel' },
      ],
    });
  });

  it('sends a reading in the name of a thing', async () => {
    await thingstead('send', 'macdonald-barn1', 'door', 'open');
    await runtime.advance(30);

    const [shown] = await thingstead('device', 'show', 'macdonald-barn1');
    expect(shown?.readings).toContainEqual(expect.objectContaining({ sensor: 'door', value: 'open' }));
    expect(exitCode('send', 'nobody', 'door', 'open')).toBe(4);
  });

  it('sees what a device says of itself', async () => {
    const description = {
      ...{ model: 'barn', hardwareRevision: 'B', serial: 'B-7', firmwareVersion: '9.0' },
      sensors: [{ name: 'temperature', unit: 'Cel' }],
      gateway: 'macdonald-hub',
    };
    const payload = Buffer.from(JSON.stringify(description));
    const iot = new IoTDataPlaneClient(runtime.config);
    await iot.send(new PublishCommand({ topic: registerTopic('macdonald-barn1'), qos: 1, payload }));
    await runtime.advance(0);

    const [shown] = await thingstead('device', 'show', 'macdonald-barn1');
    expect(shown).toMatchObject({ description: { site: 'macdonald', ...description } });
    const args = command('device', 'show', 'macdonald-barn1').filter((each) => each !== '--json');
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout).toMatch(/^attribute {4}firmwareVersion=9.0$/m);
    expect(stdout).toMatch(/^described {4}20/m);
    expect(stdout).toMatch(/^sensor {7}temperature in Cel$/m);
    expect(stdout).toMatch(/^gateway {6}macdonald-hub$/m);
  });

  it('sees what is new while watching', async () => {
    const watching = spawn(process.execPath, command('watch', '--interval', '0.2'), { cwd: folder });
    const lines: Record<string, unknown>[] = [];
    const seen = new Promise<void>((resolve) => {
      createInterface(watching.stdout).on('line', (line) => {
        lines.push(JSON.parse(line));
        if (lines.some((each) => each.sensor === 'gate')) resolve();
      });
    });
    await once(watching.stderr, 'data');

    await thingstead('send', 'macdonald-barn1', 'gate', 'true');
    await runtime.advance(30);
    await seen;
    watching.kill('SIGINT');
    const [code] = await once(watching, 'close');

    expect(code).toBe(130);
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'reading', thing: 'macdonald-barn1', sensor: 'gate', value: true }),
    );
  });

  it('adds a list to the manifest, and lists it', async () => {
    await thingstead('manifest', 'add', 'barn2', '--ca', 'field', '--attribute', 'batch=b7', '--attribute', 'row=3');

    expect(await thingstead('manifest', 'list')).toEqual([
      expect.objectContaining({ thing: 'barn2', attributes: { batch: 'b7', row: '3' } }),
      expect.objectContaining({ thing: 'macdonald-barn1', certificateId: device.certificateId }),
    ]);
  });

  it('revokes a device, which then does not get in; without a confirmation nothing happens', async () => {
    expect(exitCode('device', 'revoke', 'macdonald-barn1')).toBe(2);
    expect(await thingstead('device', 'list')).toMatchObject([{ certificates: [{ status: 'ACTIVE' }] }]);

    await thingstead('device', 'revoke', 'macdonald-barn1', '--yes', '--reason', 'stolen');

    expect(await thingstead('device', 'list')).toMatchObject([{ certificates: [{ status: 'REVOKED' }] }]);
    const events = await runAgent(String(device.configFile), 'connection.waiting_for_activation');
    expect(events.map((each) => each.event)).not.toContain('connection.connected');
  });

  it('revokes a certificate that was never connected', async () => {
    const [lost] = await thingstead('device', 'create', 'lost', '--ca', 'field');
    await thingstead('device', 'revoke', '--certificate', path.join(String(lost?.folder), 'device.crt'), '--yes');

    await runAgent(String(lost?.configFile), 'connection.waiting_for_activation');
    await runtime.advance(0);

    const [shown] = await thingstead('device', 'show', 'lost');
    expect(shown).toMatchObject({ held: [{ reason: 'revoked', certificateId: lost?.certificateId }] });
  });

  it('simulates devices, and leaves nothing behind after cleaning', async () => {
    const rows = await simulated('2');
    expect(rows).toEqual([
      expect.objectContaining({ thing: 'sim-1', joined: true }),
      expect.objectContaining({ thing: 'sim-2', joined: true }),
    ]);
    expect(rows.every((each) => Number(each.refused) > 0 && Number(each.readings) > 0)).toBe(true);

    const planned = await thingstead('clean', '--dry-run');
    expect(planned.map((each) => each.name).toSorted()).toEqual(
      ['field', 'lost', 'macdonald-barn1', 'proven', 'sim-1', 'sim-2', 'simulator'].toSorted(),
    );
    await thingstead('clean', '--yes');

    expect(await thingstead('device', 'list')).toEqual([]);
    expect(await thingstead('ca', 'list')).toEqual([]);
    expect(await thingstead('clean')).toEqual([]);
    expect(existsSync(path.join(folder, '.thingstead/ca/field/ca.key'))).toBe(false);
    expect(readFileSync(path.join(folder, '.thingstead/created.jsonl'), 'utf8')).toBe('');
  });

  it('may give the name to a new certificate after cleaning', async () => {
    await thingstead('ca', 'create', '--name', 'field');
    await thingstead('ca', 'register', '--name', 'field');
    const [again] = await thingstead('device', 'create', 'macdonald-barn1', '--ca', 'field');

    const events = await runAgent(String(again?.configFile), 'connection.connected');

    expect(events.map((each) => each.event)).toContain('connection.connected');
  });
});
