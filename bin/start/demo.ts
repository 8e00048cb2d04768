/** The demo of `npm start`: devices that join with certificates of a demo CA, and the check of what is stored of them. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import { endpointsFile, exitOf, run, say, start, state } from './processes.ts';

export const demoThings = ['macdonald-greenhouse1', 'macdonald-greenhouse2', 'macdonald-barn1'];
/** With --once: how many messages of each device must be acknowledged before the stores are read back. */
const MESSAGES_PER_DEVICE = 3;
const ONCE_TIMEOUT_MS = 120_000;

export interface Device {
  readonly thing: string;
  readonly process: ChildProcess;
  refused: number;
  accepted: boolean;
  messages: number;
  readings: number;
}

function thingstead(...args: readonly string[]): Promise<string> {
  return run('cli/bin/thingstead.mjs', [...args, '--endpoints', endpointsFile]);
}

/** True when the devices, and the people, of an earlier start are in the data folder. */
export function isKeptDemo(data?: string): boolean {
  return data !== undefined && existsSync(path.resolve(data, 'demo'));
}

/**
 * Starts an agent for each demo device. Their certificates are made anew as an operator does, with a demo CA; with `data`
 * they are kept in that folder, beside the state that knows them.
 */
export async function startDemo(data?: string): Promise<readonly Device[]> {
  const demoFolder = path.resolve(data ?? state, 'demo');
  if (isKeptDemo(data))
    say(
      `  ${styleText('bold', 'Demo')}       the devices of the last start connect again, with the certificates they have`,
    );
  else await createDevices(demoFolder);
  return Promise.all(
    demoThings.map(async (thing) => {
      const out = path.join(demoFolder, thing);
      const agent = start('device/bin/thingstead-agent.mjs', ['--config', path.join(out, 'device.json'), 'run']);
      const device: Device = { thing, process: agent, refused: 0, accepted: false, messages: 0, readings: 0 };
      if (agent.stdout) createInterface(agent.stdout).on('line', (line) => show(device, line));
      if (agent.stderr) createInterface(agent.stderr).on('line', (line) => say(`  ${thing}  ${line}`));
      return device;
    }),
  );
}

/** Makes a demo CA and the devices' certificates; the folder is there when all of it is. */
async function createDevices(demoFolder: string): Promise<void> {
  const draft = `${demoFolder}.new`;
  for (const folder of [demoFolder, draft]) rmSync(folder, { recursive: true, force: true });
  const ca = path.join(draft, 'ca');
  await thingstead('ca', 'create', '--name', 'demo', '--dir', ca);
  await thingstead('ca', 'register', '--name', 'demo', '--dir', ca);
  say(`  ${styleText('bold', 'Demo CA')}    registered: its devices register themselves on their first connection`);
  const create = (thing: string) =>
    thingstead('device', 'create', thing, '--ca', 'demo', '--dir', ca, '--out', path.join(draft, thing));
  await Promise.all(demoThings.map(create));
  renameSync(draft, demoFolder);
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
export async function check(devices: readonly Device[], awsEndpoint: string): Promise<boolean> {
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
  await fetch(`${awsEndpoint}/_local/clock`, {
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
