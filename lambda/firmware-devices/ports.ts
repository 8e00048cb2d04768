import type {
  FirmwareAnswer,
  FirmwareAssignment,
  FirmwareRejection,
  FirmwareRequest,
  SignedDocument,
} from '@thingstead/contracts/firmware';
import type { ReleaseRow, TrustRow } from '@thingstead/contracts/firmware-store';
import type { FirmwareDeviceRow, RolloutRow } from '@thingstead/contracts/rollout-store';
import type { Ports as OnboardingPorts } from '../onboarding/ports.ts';

type Image = NonNullable<ReleaseRow['image']>;

/** Signs what a device gets now. */
export interface Assigner {
  sign(assignment: FirmwareAssignment): Promise<SignedDocument>;
}

export interface DownloadUrl {
  readonly url: string;
  /** It is to be begun with before. Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The bucket of images. */
export interface DownloadUrls {
  /** For a GET of this version of an object and no other, also of a range. */
  downloadUrl(key: string, image: Image): Promise<DownloadUrl>;
}

export type RunningFirmware = NonNullable<FirmwareDeviceRow['running']>;

/** What each device runs and is offered, in the firmware table. All reads are consistent. */
export interface FirmwareDevices {
  read(thing: string): Promise<FirmwareDeviceRow | undefined>;
  /** False when the device has said something later already. */
  writeRunning(thing: string, running: RunningFirmware): Promise<boolean>;
}

/** The version that runs, in the row of the thing, where lists read it. */
export interface RunningVersions {
  /** False when the device has said something later already. */
  write(thing: string, running: RunningFirmware): Promise<boolean>;
}

/** The answers to a device. One answer may come twice. */
export interface Answers {
  accepted(thing: string, attempt: string, answer: FirmwareAnswer): Promise<void>;
  rejected(thing: string, attempt: string, rejection: FirmwareRejection): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  granted(grant: { readonly thing: string; readonly attempt: string; readonly counter: number }): void;
  running(running: { readonly thing: string; readonly version: string; readonly counter: number }): void;
  /** A device asked for something that it does not get, as it may: a release is paused, or yanked. */
  rejected(rejection: { readonly thing: string; readonly attempt: string } & FirmwareRejection): void;
  /** A device said something that no device should say. */
  refused(message: { readonly thing: string; readonly attempt: string; readonly reason: string }): void;
}

/** What a device is answered, on `accepted` or on `rejected`. */
export type Verdict =
  | { readonly ok: true; readonly answer: FirmwareAnswer }
  | { readonly ok: false; readonly answer: FirmwareRejection };

/** What rollouts make of what devices say. */
export interface Updates {
  /** How far a device is with an attempt. */
  status(
    of: { readonly thing: string; readonly attempt: string },
    said: Extract<FirmwareRequest, { type: 'status' }>,
  ): Promise<Verdict>;
  /** A device has started; it may lack the current release of its product. */
  running(thing: string, said: Extract<FirmwareRequest, { type: 'running' }>): Promise<unknown>;
}

export interface GrantPorts {
  readonly devices: Pick<FirmwareDevices, 'read'>;
  readonly rollouts: { read(id: string): Promise<Pick<RolloutRow, 'state' | 'reason'> | undefined> };
  readonly releases: { read(product: string, counter: number): Promise<ReleaseRow | undefined> };
  /** Trust documents after a version, the oldest first. */
  readonly trust: { after(version: number, limit: number): Promise<readonly TrustRow[]> };
  readonly assigner: Assigner;
  readonly images: DownloadUrls;
  /** Epoch milliseconds. */
  now(): number;
}

/** Tells what the registry has no room for. */
export type OnboardingAttributes = Pick<OnboardingPorts['reports'], 'attributesLeftOut'>;

export interface RunningPorts extends Pick<OnboardingPorts, 'registry' | 'descriptions'> {
  readonly devices: Pick<FirmwareDevices, 'writeRunning'>;
  readonly versions: RunningVersions;
  readonly attributes: OnboardingAttributes;
}
