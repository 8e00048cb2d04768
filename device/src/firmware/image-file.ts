import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { FirmwareFileSystem } from './firmware-file-system.ts';

const PART_BYTES = 1 << 20;

/** The first `size` bytes of a file, in parts between which everything else has its turn. */
export async function* readImage(fs: FirmwareFileSystem, file: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += PART_BYTES) {
    const part = fs.readPart(file, at, Math.min(PART_BYTES, size - at));
    if (part.length === 0) return;
    yield part;
    await turn();
  }
}

export type ImageCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: 'truncated' | 'oversize' | 'hash-mismatch'; readonly reason: string };

/** Reads a whole image back from the disk. @throws the error of the system. */
export async function checkImage(
  fs: FirmwareFileSystem,
  file: string,
  { size, sha256 }: { readonly size: number; readonly sha256: string },
): Promise<ImageCheck> {
  const entry = fs.entry(file);
  const bytes = entry?.kind === 'file' ? entry.size : 0;
  if (bytes !== size) {
    return {
      ok: false,
      failure: bytes < size ? 'truncated' : 'oversize',
      reason: `the image has ${bytes} of ${size} bytes`,
    };
  }
  const hash = createHash('sha256');
  for await (const part of readImage(fs, file, size)) hash.update(part);
  const found = hash.digest('hex');
  if (found === sha256) return { ok: true };
  return { ok: false, failure: 'hash-mismatch', reason: `the image has SHA-256 ${found}, the release says ${sha256}` };
}
