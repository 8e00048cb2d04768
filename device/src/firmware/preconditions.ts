import type { UpdateFailure } from '@thingstead/contracts/firmware';
import type { FirmwareFileSystem } from './firmware-file-system.ts';

export interface Room {
  readonly fs: FirmwareFileSystem;
  /** Where it has to be. */
  readonly folder: string;
  /** So much stays free. */
  readonly minFreeBytes: number;
  readonly battery?: { readonly file: string; readonly minimum: number } | undefined;
}

export interface Obstacle {
  readonly failure: UpdateFailure;
  readonly reason: string;
}

/** What keeps an update that needs so many bytes from beginning. What cannot be measured keeps it, too. */
export function obstacle({ fs, folder, minFreeBytes, battery }: Room, bytes: number): Obstacle | undefined {
  try {
    const free = fs.freeBytes(folder);
    if (free < bytes + minFreeBytes) {
      return { failure: 'low-disk', reason: `${bytes + minFreeBytes} bytes are needed on the disk, ${free} are free` };
    }
  } catch (error) {
    return { failure: 'low-disk', reason: `the disk cannot be looked at: ${error}` };
  }
  if (!battery) return undefined;
  try {
    const level = Number.parseFloat(fs.read(battery.file).toString('utf8'));
    if (level >= battery.minimum) return undefined;
    return { failure: 'low-battery', reason: `the battery has ${level}, and ${battery.minimum} are needed` };
  } catch (error) {
    return { failure: 'low-battery', reason: `the battery cannot be looked at: ${error}` };
  }
}
