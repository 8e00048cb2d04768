/**
 * `npm start`: synthesizes, starts the local runtime, lets the demo devices join and shows what happens. It spawns the
 * same commands that a person would type, and imports nothing of ours.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const state = path.join(root, '.thingstead');
const endpointsFile = path.join(state, 'endpoints.json');
const demoFolder = path.join(state, 'demo');
const assembly = path.join(root, 'cdk.out');
const demoThings = ['macdonald-greenhouse1', 'macdonald-greenhouse2', 'macdonald-barn1'];
/** With --once: how many messages of each device must be acknowledged before the stores are read back. */
const MESSAGES_PER_DEVICE = 3;
const ONCE_TIMEOUT_MS = 120_000;
const METER_INTERVAL_MS = 2000;
const METER_TIMEOUT_MS = 2000;

const USAGE = 'npm start -- [--once] [--no-demo] [--port-offset N]';

const options = readOptions();

function readOptions() {
  try {
    return parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        'no-demo': { type: 'boolean', default: false },
        'port-offset': { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

interface Endpoints {
  readonly awsEndpoint: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly deviceHttps: { readonly host: string; readonly port: number };
  readonly rootCaFile: string;
  readonly pid: number;
}

/** What the answer of GET /_local/meter has for us. */
interface Meter {
  readonly services: readonly { readonly service: string; readonly usd: number }[];
  readonly totalUsd: number;
  readonly virtualHours: number;
  readonly deviceMonthUsd: number | null;
  readonly deviceMonth: {
    readonly usageUsd: number;
    readonly fixedUsd: number;
    readonly fleet: number;
    readonly deviceMinutes: number;
  };
}

interface Device {
  readonly thing: string;
  readonly process: ChildProcess;
  refused: number;
  accepted: boolean;
  messages: number;
  readings: number;
}

const children = new Set<ChildProcess>();
const startedAt = performance.now();
let ending = false;
/** The newest answer of the meter. */
let meter: Meter | undefined;
let readNewestMeter = async (): Promise<void> => {};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function seconds(): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

function start(script: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [path.join(root, script), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

/** Runs a command to its end and gives what it printed. @throws Error with its words when it fails. */
async function run(script: string, args: readonly string[]): Promise<string> {
  const child = start(script, args);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`${script} ${args.join(' ')} exited with ${code}:\n${stderr || stdout}`);
  return stdout;
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

/** True when no source of the templates or of the bundles is newer than the assembly. */
function isSynthesized(): boolean {
  const manifest = path.join(assembly, 'manifest.json');
  if (!existsSync(manifest)) return false;
  const made = statSync(manifest).mtimeMs;
  const sources = ['bin', 'lib', 'contracts', 'lambda'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  );
  return [...sources, 'cdk.json', 'package-lock.json'].every((name) => statSync(path.join(root, name)).mtimeMs <= made);
}

async function startRuntime(): Promise<Endpoints> {
  const runtime = start('local/src/main.ts', ['--assembly', assembly, '--port-offset', options['port-offset']]);
  let words = '';
  for (const stream of [runtime.stdout, runtime.stderr]) {
    stream?.on('data', (chunk) => {
      words += chunk;
    });
  }
  runtime.on('exit', (code) => {
    if (!ending) end(code || 1, words);
  });
  for (;;) {
    const endpoints = readEndpoints();
    // A file that is there already is another runtime's, which may be running and needs it.
    if (endpoints && endpoints.pid === runtime.pid) return endpoints;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function readEndpoints(): Endpoints | undefined {
  return existsSync(endpointsFile) ? JSON.parse(readFileSync(endpointsFile, 'utf8')) : undefined;
}

function thingstead(...args: readonly string[]): Promise<string> {
  return run('cli/bin/thingstead.mjs', [...args, '--endpoints', endpointsFile]);
}

/** Makes a demo CA and the devices' certificates as an operator does, and starts an agent for each. */
async function startDemo(): Promise<readonly Device[]> {
  rmSync(demoFolder, { recursive: true, force: true });
  const ca = path.join(demoFolder, 'ca');
  await thingstead('ca', 'create', '--name', 'demo', '--dir', ca);
  await thingstead('ca', 'register', '--name', 'demo', '--dir', ca);
  say(`  ${styleText('bold', 'Demo CA')}    registered: its devices register themselves on their first connection`);
  return Promise.all(
    demoThings.map(async (thing) => {
      const out = path.join(demoFolder, thing);
      await thingstead('device', 'create', thing, '--ca', 'demo', '--dir', ca, '--out', out);
      const agent = start('device/bin/thingstead-agent.mjs', ['--config', path.join(out, 'device.json'), 'run']);
      const device: Device = { thing, process: agent, refused: 0, accepted: false, messages: 0, readings: 0 };
      if (agent.stdout) createInterface(agent.stdout).on('line', (line) => show(device, line));
      if (agent.stderr) createInterface(agent.stderr).on('line', (line) => say(`  ${thing}  ${line}`));
      return device;
    }),
  );
}

/** The agent logs one JSON object per line; the events are listed in device/README.md. */
function show(device: Device, line: string): void {
  const { event, ...fields } = parseLine(line);
  const name = device.thing.padEnd(24);
  if (event === 'connection.waiting_for_activation') {
    device.refused += 1;
    say(
      `  ${name}${styleText('yellow', 'refused')}    certificate unknown: registered as pending, waiting for activation`,
    );
  } else if (event === 'connection.connected') {
    device.accepted = true;
    say(`  ${name}${styleText('green', 'accepted')}   certificate is active`);
  } else if (event === 'telemetry.published') {
    device.messages += 1;
    device.readings += Number(fields.readings);
    if (device.messages <= MESSAGES_PER_DEVICE || device.messages % 20 === 0) {
      say(`  ${name}telemetry  ${fields.sensor}: message ${device.messages}, ${device.readings} readings so far`);
    }
  }
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

interface ReadBack {
  readonly sensors: readonly string[];
  readonly history: { readonly messages: number; readonly readings: number };
  readonly rollUps: { readonly readings: number };
  readonly archive: { readonly messages: number; readonly readings: number };
}

/** Ends the devices, lets every buffer flush, and compares what they sent with what every store holds. */
async function check(devices: readonly Device[], endpoints: Endpoints): Promise<boolean> {
  const deadline = performance.now() + ONCE_TIMEOUT_MS;
  while (!devices.every((each) => each.messages >= MESSAGES_PER_DEVICE)) {
    if (performance.now() > deadline) {
      say(`\nThe devices did not send ${MESSAGES_PER_DEVICE} messages each within ${ONCE_TIMEOUT_MS / 1000} s.`);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const { process: agent } of devices) agent.kill('SIGTERM');
  await Promise.all(devices.map((each) => exitOf(each.process)));
  // Past the buffering time of the stream and of the archive.
  await fetch(`${endpoints.awsEndpoint}/_local/clock`, {
    method: 'POST',
    body: JSON.stringify({ advanceSeconds: 960 }),
  });
  const found: Record<string, ReadBack> = JSON.parse(
    await run('scripts/read-back.ts', [endpointsFile, ...devices.map((each) => each.thing)]),
  );
  say('\n  thing                   sent        history     latest      roll-ups    archive');
  const columns = (texts: readonly string[]): string => texts.map((each) => each.padEnd(12)).join('');
  const results = devices.map((each) => {
    const stored = found[each.thing];
    if (!stored) return false;
    const { history, rollUps, archive, sensors } = stored;
    const same = each.refused > 0 && each.readings > 0 && sensors.length > 0;
    const counts = [history.readings, rollUps.readings, archive.readings];
    const shown = [each.readings, history.readings, `${sensors.length} sensors`, rollUps.readings, archive.readings];
    say(`  ${each.thing.padEnd(24)}${columns(shown.map(String))}`);
    return same && counts.every((count) => count === each.readings) && history.messages === each.messages;
  });
  return results.every(Boolean);
}

/** A Ctrl-C in a terminal ends the runtime as well as us, so the meter is read now and then, and not only at the end. */
function watchMeter({ awsEndpoint }: Endpoints): void {
  readNewestMeter = async () => {
    try {
      const response = await fetch(`${awsEndpoint}/_local/meter`, { signal: AbortSignal.timeout(METER_TIMEOUT_MS) });
      // The runtime's own answer; it has this form.
      if (response.ok) meter = (await response.json()) as Meter;
    } catch {
      // The runtime has gone: the answer before is the newest.
    }
  };
  setInterval(readNewestMeter, METER_INTERVAL_MS).unref();
}

/** What all of it would have cost on AWS, by service, and what a device that goes on like this costs a month. */
async function printCost(): Promise<void> {
  await readNewestMeter();
  if (!meter) return;
  const { services, totalUsd, virtualHours, deviceMonthUsd, deviceMonth } = meter;
  const byService = new Map<string, number>();
  for (const { service, usd } of services) byService.set(service, (byService.get(service) ?? 0) + usd);
  const time = virtualHours < 1 ? `${(virtualHours * 60).toFixed(1)} minutes` : `${virtualHours.toFixed(1)} hours`;
  say(`\n  ${styleText('bold', 'On AWS')} this would have cost ${totalUsd.toFixed(6)} USD in ${time}:`);
  for (const [service, usd] of byService) say(`    ${service.padEnd(30)}${usd.toFixed(6)}`);
  if (deviceMonthUsd === null) return;
  const { usageUsd, fixedUsd, fleet, deviceMinutes } = deviceMonth;
  const parts = `${usageUsd.toFixed(4)} by use and its share of ${fixedUsd.toFixed(2)} fixed in a fleet of ${fleet}`;
  say(`  A device-month at this pace, joining included: ${deviceMonthUsd.toFixed(4)} USD, ${parts}`);
  say(
    `  (from ${deviceMinutes.toFixed(1)} device-minutes; real devices send far less often: node bench/cost.ts, docs/cost.md)`,
  );
}

function printEndpoints(endpoints: Endpoints): void {
  say(`${styleText('bold', 'Thingstead')}  local runtime, ready in ${seconds()}\n`);
  say(`  AWS        ${endpoints.awsEndpoint}`);
  say(
    `  MQTT       ${endpoints.mqtt.host}:${endpoints.mqtt.port}   mutual TLS, root CA ${path.relative(root, endpoints.rootCaFile)}`,
  );
  say(
    `  HTTPS      https://${endpoints.deviceHttps.host}:${endpoints.deviceHttps.port}/topics/...   devices publish here without MQTT`,
  );
  say(`  Endpoints  ${path.relative(root, endpointsFile)}   for scripts: addresses, stack outputs, operator's keys\n`);
}

function printNext(): void {
  say('\n  Try next, in another terminal:');
  say('    npx thingstead --local device list');
  say(`    npx thingstead --local device show ${demoThings[0]}`);
  say('    npx thingstead --local watch');
  say('    npx thingstead --local simulate 5');
  say('  Ctrl-C ends everything; nothing is kept.\n');
}

async function end(code: number, words = ''): Promise<void> {
  if (ending) return;
  ending = true;
  if (words) process.stderr.write(words);
  else await printCost();
  // The devices first, so that they say goodbye to a runtime that is still there.
  for (const child of [...children].reverse()) {
    child.kill('SIGTERM');
    await exitOf(child);
  }
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal === 'SIGINT' ? 130 : 143));

if (options.help) {
  say(USAGE);
  process.exit(0);
}
if (options.once && options['no-demo']) {
  process.stderr.write('--once checks what the demo devices sent, so it cannot go with --no-demo.\n');
  process.exit(2);
}
try {
  if (!isSynthesized()) {
    say('Synthesizing the templates ...');
    await run('bin/thingstead.ts', []);
  }
  const endpoints = await startRuntime();
  watchMeter(endpoints);
  printEndpoints(endpoints);
  const devices = options['no-demo'] ? [] : await startDemo();
  if (options.once) {
    const passed = await check(devices, endpoints);
    say(
      passed
        ? `\n  Every reading is in every store (${seconds()}).`
        : '\n  FAILED: what was sent is not what is stored.',
    );
    await end(passed ? 0 : 1);
  }
  printNext();
} catch (error) {
  await end(1, `${error instanceof Error ? error.message : String(error)}\n`);
}
