/** Composes updates, as far as the configuration asks for them. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../clock.ts';
import type { Installer } from '../installers/installer.ts';
import { Rauc } from '../installers/rauc.ts';
import { toolRunner } from '../installers/run-tool.ts';
import { Slots } from '../installers/slots.ts';
import { Tryboot } from '../installers/tryboot.ts';
import type { Log } from '../log.ts';
import type { SessionPart } from '../session-part.ts';
import type { FirmwareConfig } from './firmware-config.ts';
import type { FirmwareFileSystem } from './firmware-file-system.ts';
import { FirmwareSession } from './firmware-session.ts';
import { FirmwareUpdater } from './firmware-updater.ts';
import { httpGet } from './http-get.ts';
import { nodeFirmwareFileSystem as fs } from './node-firmware-file-system.ts';
import { firmwareVersionOf, revisionOf } from './running-only.ts';
import { readTrustFile } from './trust-file.ts';
import { TrustStore } from './trust-store.ts';
import { UpdateJournal } from './update-journal.ts';
import { UpdateReports } from './update-reports.ts';

export interface FirmwareOptions {
  readonly thing: string;
  readonly config: FirmwareConfig;
  /** Where the agent keeps its state; not in a slot. */
  readonly folder: string;
  readonly hardwareRevision: string;
  /** Of the agent: what runs when that is from no release. */
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Ends the agent. */
  readonly end: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Firmware {
  readonly part: SessionPart;
  /** Of the release that runs; undefined when that is from none. */
  readonly release: string | undefined;
  /** Works until the signal is aborted; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Goes on with what an earlier process, or an earlier version, has left.
 *
 * @throws (rejects) ConfigurationError: the first trust document is none; the error of the system: the disk refuses.
 */
export async function openFirmware(options: FirmwareOptions): Promise<Firmware> {
  const { thing, config, clock, log } = options;
  const hardwareRevision = revisionOf(options.hardwareRevision);
  const version = firmwareVersionOf(options.version);
  const folder = path.join(options.folder, 'firmware');
  makeFolder(fs, folder);
  const installer = createInstaller(options, folder);
  const trust = new TrustStore(fs, folder, readTrustFile(config.trustFile).document);
  const running = trust.inSlot(await installer.running());
  const journal = new UpdateJournal(fs, folder);
  const session = new FirmwareSession({
    ...{ thing, clock, log },
    running: () => ({
      product: config.product,
      hardwareRevision,
      version: running?.version ?? version,
      counter: running?.counter ?? 0,
      trustVersion: trust.trust.version,
    }),
    wanted: (desired) => updater.wanted(desired),
  });
  const reports = new UpdateReports({ journal, cloud: session, clock, log, running, version });
  const updater = new FirmwareUpdater(
    {
      ...{ thing, hardwareRevision, settings: config, folder, fs, journal, trust, installer, cloud: session },
      ...{ get: httpGet, clock, log, running },
      randomId: () => randomBytes(24).toString('base64url'),
      trustChanged: () => void session.sayRunning(),
    },
    reports,
  );
  return { part: session, release: running?.version, run: (signal) => updater.run(signal) };
}

function createInstaller({ config, environment, end, clock }: FirmwareOptions, folder: string): Installer {
  const { installer, maxBoots, trialSeconds } = config;
  const run = toolRunner(clock);
  switch (installer.type) {
    case 'slots': {
      const { directory } = installer;
      makeFolder(fs, directory);
      return new Slots({ fs, directory, running: environment.THINGSTEAD_SLOT, maxBoots, trialSeconds, end });
    }
    case 'rauc':
      return new Rauc({ fs, folder, run, rauc: installer.rauc, reboot: installer.reboot });
    case 'tryboot':
      return new Tryboot({ ...installer, fs, folder, run });
  }
}

/** It and its name survive a power cut. */
function makeFolder(on: FirmwareFileSystem, folder: string): void {
  on.makeDirectory(folder);
  on.syncDirectory(path.dirname(folder));
}
