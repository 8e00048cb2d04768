/** One operator and one chain of trust for all scenarios of firmware on a platform. */
import type { Platform } from '../../support/platform.ts';
import { type FirmwarePlatform, firmwarePlatform } from '../firmware/firmware-platform.ts';

const worlds = new WeakMap<Platform, Promise<FirmwarePlatform>>();

export function firmwareWorld(platform: Platform): Promise<FirmwarePlatform> {
  const known = worlds.get(platform);
  if (known) return known;
  const made = firmwarePlatform(platform).then(async (on) => {
    await on.trust(on.trustOf(1), on.releaseKeys[0]);
    return on;
  });
  worlds.set(platform, made);
  return made;
}
