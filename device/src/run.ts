/** The command `run`: connects, and publishes until it is asked to stop. */
import { randomBytes } from 'node:crypto';
import { runAgent } from './agent.ts';
import { clockOffset, outboxFolder, version } from './agent-environment.ts';
import { lockFolder } from './agent-lock.ts';
import { boardInfo } from './board-info.ts';
import { openRenewal } from './certificates/open-renewal.ts';
import { type Clock, systemClock } from './clock.ts';
import { type AgentConfig, loadConfig } from './config.ts';
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

/** Resolves with the exit code when the agent has ended. @throws (rejects) ConfigurationError */
export async function run(file: string): Promise<number> {
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
  const sayStopping = supervise({
    ...{ manager, liveness, outbox, publishMs, connected: () => connected, clock, log },
    isService: !process.env.THINGSTEAD_LAUNCHER_FD,
  });
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

/** A board without a battery-backed clock starts in the past, where its certificate is not valid yet. */
function warnAboutDates({ notBefore, notAfter }: Identity, clock: Clock, log: Log): void {
  const now = clock.now();
  if (now < notBefore.getTime()) {
    log.warn('certificate.not_yet_valid', { message: "is this device's clock right?", notBefore, now: new Date(now) });
  } else if (now > notAfter.getTime()) {
    log.warn('certificate.expired', { message: 'the cloud will refuse it', notAfter, now: new Date(now) });
  }
}
