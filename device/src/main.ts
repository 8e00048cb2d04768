/** The command line of the agent. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runAgent } from './agent.ts';
import { lockFolder } from './agent-lock.ts';
import { boardInfo } from './board-info.ts';
import { openRenewal } from './certificates/open-renewal.ts';
import { type Clock, systemClock } from './clock.ts';
import { type AgentConfig, loadConfig } from './config.ts';
import { ConfigurationError, messageOf } from './configuration-error.ts';
import { serveControl } from './control-socket.ts';
import { describeDevice } from './description.ts';
import { DurableOutbox } from './durable-outbox.ts';
import type { FileTransfers } from './files/file-transfers.ts';
import { type Identity, loadIdentity } from './identity.ts';
import { holdLauncherLine } from './launcher/launcher-line.ts';
import { Liveness } from './liveness.ts';
import { createLog, type Log } from './log.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { Onboarding } from './onboarding.ts';
import type { Outbox } from './outbox.ts';
import { publishEveryMs } from './pace.ts';
import { Pairing } from './pairing/pairing.ts';
import { pairingButton } from './pairing/pairing-button.ts';
import { openFileTransfers, openParts, openUpdates } from './parts.ts';
import { serviceManager } from './service-manager.ts';
import { StateFile } from './state-file.ts';
import { supervise } from './supervise.ts';
import { watchedConnect } from './watched-connect.ts';

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
  const { thing, endpoint, sensors, commands, state } = config;
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

function outboxFolder({ outbox, thing }: AgentConfig): string {
  return path.join(outbox.directory ?? 'state', thing);
}

async function run(file: string): Promise<number> {
  const config = loadConfig(file);
  const identity = loadIdentity(config);
  const clock = systemClock(clockOffset());
  const log = createLog({
    level: config.logLevel,
    thing: config.thing,
    clock,
    readable: process.stdout.isTTY === true,
    write: (line) => process.stdout.write(`${line}\n`),
  });
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('agent.stopping', { signal });
      ending.abort();
    });
  }
  const { endpoint, publish } = config;
  log.info('agent.starting', {
    version: version(),
    endpoint: `${endpoint.host}:${endpoint.port}`,
    basicIngest: publish.basicIngest,
  });
  warnAboutDates(identity, clock, log);
  // Loaded only now: the SDK with its native part is most of the start-up time.
  const { sdkConnect } = await import('./sdk-session.ts');
  const folder = outboxFolder(config);
  const pairing = new Pairing({ thing: config.thing, clock, newId: () => randomBytes(9).toString('hex') });
  let files: FileTransfers | undefined;
  // Without a disk there is nothing that two agents could spoil.
  const unlock = config.outbox.memory
    ? () => {}
    : await lockFolder(folder, serveControl({ pairing: () => pairing.ask(), files: () => files?.outgoing }));
  process.on('SIGUSR1', pairingButton({ pairing, config: config.pairing, clock, log, signal: ending.signal }));
  const outbox = openOutbox(config, folder, clock, log);
  const liveness = new Liveness(clock);
  const partsOptions = { config, folder, clock, log };
  const board = boardInfo();
  const { hardwareRevision, firmwareVersion: own } = describeDevice(config, version(), board);
  const firmware = await openUpdates(partsOptions, {
    ...{ hardwareRevision, version: own, environment: process.env },
    end: () => ending.abort(),
  });
  const description = describeDevice(config, version(), board, firmware.release);
  const onboarding = openOnboarding(config, description, folder, clock, log);
  const publishMs = (): number => publishEveryMs(publish.intervalSeconds, onboarding.settings);
  let connected = false;
  const changed = (now: boolean): void => {
    connected = now;
  };
  const renewal = openRenewal({
    config,
    present: identity,
    connectWith: (each) => sdkConnect(config, each),
    clock,
    log,
  });
  const connect = watchedConnect({ connect: renewal.connect, liveness, publishMs, changed });
  const manager = serviceManager(process.env, log);
  const { firmwareVersion } = description;
  files = await openFileTransfers(partsOptions);
  const parts = [pairing, ...openParts(partsOptions), ...(files ? [files] : [])];
  const ended = runAgent(
    {
      config,
      connect,
      outbox,
      onboarding,
      parts: [renewal, firmware.part, ...parts],
      firmwareVersion,
      clock,
      liveness,
      log,
    },
    ending.signal,
  );
  const updated = firmware.run(ending.signal);
  const letGo = holdLauncherLine({
    ...{ environment: process.env, clock, liveness },
    gone: () => {
      log.error('agent.stopping', { message: 'the launcher has gone' });
      ending.abort();
    },
  });
  const sayStopping = supervise({ manager, liveness, outbox, publishMs, connected: () => connected, clock, log });
  const saidStopping = new Promise((resolve) =>
    ending.signal.addEventListener('abort', () => resolve(sayStopping()), { once: true }),
  );
  await ended;
  await updated;
  letGo();
  outbox.close();
  unlock();
  await saidStopping;
  return 0;
}

function openOutbox({ outbox }: AgentConfig, directory: string, clock: Clock, log: Log): Outbox {
  const { maxBytes, maxAgeHours, maxReadings, memory, syncSeconds } = outbox;
  if (memory) return new MemoryOutbox(randomBytes(6).toString('hex'), maxReadings);
  return new DurableOutbox({
    fs: nodeFileSystem,
    directory,
    maxBytes,
    maxAgeMs: maxAgeHours * 3_600_000,
    syncMs: syncSeconds * 1000,
    clock,
    log,
  });
}

function openOnboarding(
  { thing, sensors, outbox }: AgentConfig,
  description: ReturnType<typeof describeDevice>,
  directory: string,
  clock: Clock,
  log: Log,
): Onboarding {
  if (description.sensors.length < sensors.length) {
    const message = `the description names the first ${description.sensors.length}; readings of all are sent`;
    log.warn('onboarding.incomplete', { message, sensors: sensors.length });
  }
  const store = outbox.memory ? {} : { store: new StateFile(nodeFileSystem, directory, 'onboarding.json') };
  return new Onboarding({ thing, description, ...store, clock, log });
}

/** For tests with the local runtime's virtual time. */
function clockOffset(): number {
  return Number(process.env.THINGSTEAD_CLOCK_OFFSET_MS ?? 0);
}

/** A board without a battery-backed clock starts in the past, where its certificate is not valid yet. */
function warnAboutDates({ notBefore, notAfter }: Identity, clock: Clock, log: Log): void {
  const now = clock.now();
  if (now < notBefore.getTime()) {
    log.warn('certificate.not_yet_valid', { message: "is this device's clock right?", notBefore, now: new Date(now) });
  } else if (now > notAfter.getTime()) {
    log.warn('certificate.expired', { message: 'the cloud will refuse it', notAfter, now: new Date(now) });
  }
}

function version(): string {
  const { version: text }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return text;
}
