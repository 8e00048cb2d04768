/** `thingstead-agent doctor`: everything that a device needs in order to work, looked at from the device. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { isAgentRunning } from '../agent-lock.ts';
import { type AgentConfig, loadConfig } from '../config.ts';
import { ConfigurationError, messageOf } from '../configuration-error.ts';
import { checkConnect } from './connect-check.ts';
import { checkFiles } from './files-check.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';
import { checkFirmware } from './firmware-check.ts';
import { checkHandlers } from './handlers-check.ts';
import { checkIdentity } from './identity-check.ts';
import { checkNetwork } from './network-check.ts';
import { checkState } from './state-check.ts';
import { checkTokenSignature } from './token-check.ts';

/** Made by systemd-timesyncd once it has set the clock. */
const SYNCHRONIZED = '/run/systemd/timesync/synchronized';

export interface DoctorOptions {
  readonly configFile: string;
  /** Connects even when an agent runs, which loses its connection by that. */
  readonly connect: boolean;
  /** One JSON object instead of text. */
  readonly json: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly write: (text: string) => void;
}

/** Looks at everything, writes what it found, and gives the exit code: 1 when something failed. No secret is written. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const findings = await examine(options);
  const failed = findings.some(({ status }) => status === 'fail');
  if (options.json) options.write(`${JSON.stringify({ ok: !failed, findings })}\n`);
  else for (const finding of findings) options.write(toText(finding));
  return failed ? 1 : 0;
}

async function examine({ configFile, connect, now }: DoctorOptions): Promise<readonly Finding[]> {
  let config: AgentConfig;
  try {
    config = loadConfig(configFile);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const [summary = '', ...details] = messageOf(error).split('\n');
    return [fail('configuration', summary, details.map((each) => each.trim()).join('; '))];
  }
  const { thing, endpoint, outbox } = config;
  const folder = path.join(outbox.directory ?? 'state', thing);
  // An agent without a disk cannot be seen: it may run.
  const running = outbox.memory || (await isAgentRunning(folder));
  const { findings, identity } = await checkIdentity(config, now);
  const network = await checkNetwork(config, identity);
  const found = [
    ok('configuration', `${configFile}: ${thing} -> ${endpoint.host}:${endpoint.port}`),
    ...findings,
    ...(await checkTokenSignature(config, identity)),
    clock(now),
    ...checkState(config, folder),
    ...checkHandlers(config),
    ...checkFiles(config),
    ...checkFirmware(config),
    running
      ? ok('agent', outbox.memory ? 'may run; without a disk it cannot be seen' : 'runs')
      : warn('agent', 'does not run', 'sudo systemctl start thingstead-agent'),
    ...network,
  ];
  if (!identity || network.some(({ status }) => status === 'fail'))
    return [...found, skip('mqtt', 'see what failed above')];
  if (running && !connect) {
    const reason =
      'not tried: it would throw out the agent that runs, whose log says how it is connected; --connect does it';
    return [...found, skip('mqtt', reason)];
  }
  return [...found, ...(await checkConnect(config, identity))];
}

function clock(now: number): Finding {
  const time = new Date(now).toISOString();
  if (existsSync(SYNCHRONIZED)) return ok('clock', `${time}, synchronized`);
  return warn(
    'clock',
    `${time}; systemd-timesyncd has not set it since the start`,
    'compare it with your watch: timedatectl',
  );
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;

function toText({ check, status, message, advice }: Finding): string {
  const line = `${styleText(COLOURS[status], status.padEnd(5))} ${check.padEnd(18)} ${message}\n`;
  return advice === undefined ? line : `${line}${' '.repeat(25)}-> ${advice}\n`;
}
