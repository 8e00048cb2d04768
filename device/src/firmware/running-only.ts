import { FirmwareSession } from './firmware-session.ts';
import type { Firmware, FirmwareOptions } from './open-firmware.ts';

const MAX_VERSION = 64;
const MAX_REVISION = 64;

/** A version as the cloud takes it; a configuration may call it as it likes. */
export function firmwareVersionOf(text: string): string {
  const letters = text.replace(/[^a-zA-Z0-9._-]+/g, '_').replace(/^[._-]+/, '');
  return letters.slice(0, MAX_VERSION) || 'unknown';
}

/** A hardware revision as releases name it; the registry takes longer ones. */
export function revisionOf(text: string): string {
  return text.slice(0, MAX_REVISION);
}

/** Says what runs, and takes no updates. */
export function runningOnly({
  thing,
  clock,
  log,
  hardwareRevision,
  version,
}: Pick<FirmwareOptions, 'thing' | 'clock' | 'log' | 'hardwareRevision' | 'version'>): Firmware {
  const text = firmwareVersionOf(version);
  const running = () => ({ hardwareRevision: revisionOf(hardwareRevision), version: text, counter: 0 });
  return {
    part: new FirmwareSession({ thing, clock, log, running }),
    release: undefined,
    run: () => Promise.resolve(),
  };
}
