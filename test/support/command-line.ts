/** The operator's command against a platform of a test, in this process; its answers as JSON. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { main } from '../../cli/src/main.ts';
import { PASSWORD } from './person.ts';
import type { Platform } from './platform.ts';

export interface CommandEnd {
  readonly status: number;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly rows: readonly any[];
}

/** Keeps what the command keeps in `folder`. People of tests have one password, which it finds in its environment. */
export function commandLine(platform: Platform, folder: string): (...args: readonly string[]) => Promise<CommandEnd> {
  const endpointsFile = path.join(folder, 'endpoints.json');
  const names = ['UserPoolId', 'AppClientId', 'ApiUrl'];
  const endpoints = {
    region: platform.config.region,
    awsEndpoint: platform.config.endpoint,
    mqtt: { host: platform.mqtt.host, port: platform.mqtt.port },
    rootCaFile: platform.mqtt.rootCaFile,
    operator: platform.config.credentials,
    outputs: { All: Object.fromEntries(names.map((name) => [name, platform.output(name)])) },
  };
  writeFileSync(endpointsFile, JSON.stringify(endpoints), { mode: 0o600 });
  process.env.XDG_CONFIG_HOME = folder;
  process.env.XDG_CACHE_HOME = folder;
  process.env.THINGSTEAD_PASSWORD = PASSWORD;
  return (...args) => runCommandLine(['--endpoints', endpointsFile, ...args]);
}

/** Runs the command in this process: a short one would else spend most of its time on its start. */
export async function runCommandLine(args: readonly string[]): Promise<CommandEnd> {
  const [stdout, stderr] = [[] as string[], [] as string[]];
  const streams = {
    stdout: (text: string) => void stdout.push(text),
    stderr: (text: string) => void stderr.push(text),
    width: undefined,
    colour: false,
  };
  const status = await main(['--json', ...args], streams);
  const rows = stdout.join('').split('\n').filter(Boolean);
  return { status, stderr: stderr.join(''), rows: rows.map((line) => JSON.parse(line)) };
}
