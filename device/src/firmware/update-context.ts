import path from 'node:path';
import type { UpdateFailure } from '@thingstead/contracts/firmware';
import type { Clock } from '../clock.ts';
import type { Installer } from '../installers/installer.ts';
import type { Log } from '../log.ts';
import type { FirmwareCloud } from './firmware-cloud.ts';
import type { FirmwareConfig } from './firmware-config.ts';
import type { FirmwareFileSystem } from './firmware-file-system.ts';
import type { HttpGet } from './http-get.ts';
import type { Release, TrustStore } from './trust-store.ts';
import type { Update, UpdateJournal } from './update-journal.ts';

/** What all steps of an update work with. */
export interface UpdateContext {
  readonly thing: string;
  readonly hardwareRevision: string;
  readonly settings: Pick<
    FirmwareConfig,
    'product' | 'healthSeconds' | 'trialSeconds' | 'minFreeBytes' | 'battery' | 'healthCheck'
  >;
  /** Where journal, trust and image lie. */
  readonly folder: string;
  readonly fs: FirmwareFileSystem;
  readonly journal: UpdateJournal;
  readonly trust: TrustStore;
  readonly installer: Installer;
  readonly cloud: FirmwareCloud;
  readonly get: HttpGet;
  readonly clock: Clock;
  readonly log: Log;
  /** For nonces. */
  readonly randomId: () => string;
  /** What runs; undefined when that is from no release. */
  readonly running: Release | undefined;
  /** Told when what runs is to be said again. */
  readonly trustChanged: () => void;
}

/** Where the image is put together. */
export function imageFile({ folder }: Pick<UpdateContext, 'folder'>): string {
  return path.join(folder, 'image');
}

/** The update has failed, before anything of it could be started. */
export class UpdateFailed extends Error {
  override readonly name = 'UpdateFailed';
  readonly failure: UpdateFailure;

  constructor(failure: UpdateFailure, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.failure = failure;
  }
}

/** States in which an update may be given up: nothing of it is to be started yet. */
export function isBeforeRestart({ state }: Update): boolean {
  return state !== 'RESTARTING' && state !== 'HEALTH_CHECK';
}
