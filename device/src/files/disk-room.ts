import type { LargeFiles } from './large-files.ts';
import { TryLater } from './transfer-error.ts';

/** @throws TryLater when this would leave less than `minFreeBytes` on the disk. */
export async function needRoom(
  files: LargeFiles,
  directory: string,
  bytes: number,
  minFreeBytes: number,
): Promise<void> {
  const free = await files.freeBytes(directory);
  if (free - bytes >= minFreeBytes) return;
  const missing = bytes + minFreeBytes - free;
  throw new TryLater(`${directory} has no room: ${missing} bytes more have to be free (files.minFreeBytes stays free)`);
}
