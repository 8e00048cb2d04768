/** The command line of the agent. */
import { parseArgs } from 'node:util';
import { clockOffset, outboxFolder, version } from './agent-environment.ts';
import { systemClock } from './clock.ts';
import { loadConfig } from './config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';
import { loadIdentity } from './identity.ts';
import { run } from './run.ts';

const USAGE = `thingstead-agent [--config FILE] run|pair|files|check-config|doctor|version

  run            connects and publishes until SIGTERM or SIGINT
  pair           shows a code with which a person takes possession of the device; asks through the agent that runs, if one does
  files send F   has the agent that runs send the file F, which its user must be able to read; shows how far it is
  files cancel T has it cancel the transfer T
  check-config   says whether configuration, certificate and key are good; also --check
  doctor         looks at everything that the device needs, and says what to do; 1 when something failed
  version        prints the version

  --config FILE  default /etc/thingstead/agent.json; its keys are described in device/README.md
  --json         doctor, pair: one JSON object; files: one for each step
  --connect      doctor, pair: connect even though an agent may run, which loses its connection by that

SIGUSR1 to the agent that runs asks for a pairing code, too: for a button.

Exit codes: 0 ended as asked, 64 wrong use, 69 pair: no connection or no answer, files: no agent runs, 77 pair: the cloud gives no code, files: it was not sent,
78 bad configuration (do not restart), 1 anything else.
`;
/** As in sysexits.h; a service manager must not restart after EX_CONFIG. */
const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Runs the command and gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const command = parse(args);
  if (typeof command === 'string') {
    process.stderr.write(`${command}\n\n${USAGE}`);
    return EX_USAGE;
  }
  try {
    switch (command.name) {
      case 'help':
        process.stdout.write(USAGE);
        return 0;
      case 'version':
        process.stdout.write(`${version()}\n`);
        return 0;
      case 'check-config':
        return await checkConfig(command.config);
      case 'doctor':
        return await examine(command);
      case 'pair':
        return await pairDevice(command);
      case 'files':
        return await sendFile(command);
      case 'run':
        return await run(command.config);
      default:
        process.stderr.write(`unknown command ${command.name}\n\n${USAGE}`);
        return EX_USAGE;
    }
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return error instanceof ConfigurationError ? EX_CONFIG : 1;
  }
}

interface Command {
  readonly name: string;
  /** What follows the name. */
  readonly words: readonly string[];
  readonly config: string;
  readonly json: boolean;
  readonly connect: boolean;
}

/** The command, or what is wrong with it. */
function parse(args: readonly string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string', default: '/etc/thingstead/agent.json' },
        check: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        connect: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { config, json, connect } = values;
    if (values.help) return { name: 'help', words: [], config, json, connect };
    const [name, ...words] = values.check ? [...positionals, 'check-config'] : positionals;
    if (!name || (words.length > 0 && name !== 'files')) return 'exactly one command is needed';
    if ((json || connect) && name !== 'doctor' && name !== 'pair' && !(json && !connect && name === 'files'))
      return '--json and --connect are for doctor and pair, --json for files';
    return { name, words, config, json, connect };
  } catch (error) {
    return messageOf(error);
  }
}

async function checkConfig(file: string): Promise<number> {
  const config = loadConfig(file);
  const identity = loadIdentity(config);
  const { notAfter } = identity;
  // Whether a token takes the PIN and has the key, only the token knows.
  if (config.pkcs11) (await import('./sdk-client-config.ts')).sdkClientConfig(config, identity);
  const { thing, endpoint, sensors, commands, state, firmware } = config;
  if (firmware) (await import('./firmware/trust-file.ts')).readTrustFile(firmware.trustFile);
  const counts = [
    `${sensors.length} sensors`,
    `${Object.keys(commands).length} commands`,
    `${Object.keys(state).length} states`,
  ];
  process.stdout.write(
    `${file} is good: ${thing} -> ${endpoint.host}:${endpoint.port}, ${counts.join(', ')}, certificate until ${notAfter.toISOString().slice(0, 10)}\n`,
  );
  return 0;
}

async function examine({ config: configFile, json, connect }: Command): Promise<number> {
  const { doctor } = await import('./doctor/doctor.ts');
  const now = systemClock(clockOffset()).now();
  return doctor({ configFile, json, connect, now, write: (text) => process.stdout.write(text) });
}

async function pairDevice({ config: file, json, connect }: Command): Promise<number> {
  const { pair } = await import('./pairing/pair-command.ts');
  const config = loadConfig(file);
  return pair({
    ...{ config, folder: outboxFolder(config), json, connect, clock: systemClock(clockOffset()) },
    colours: process.stdout.isTTY === true,
    write: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
  });
}

async function sendFile({ config: file, words, json }: Command): Promise<number> {
  const { filesCommand } = await import('./files/files-command.ts');
  return filesCommand({
    ...{ folder: outboxFolder(loadConfig(file)), words, json, terminal: process.stdout.isTTY === true },
    write: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
  });
}
