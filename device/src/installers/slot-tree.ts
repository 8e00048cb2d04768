import { createHash } from 'node:crypto';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import { readImage } from '../firmware/image-file.ts';
import type { Image } from './installer.ts';
import { readTar } from './tar-reader.ts';

interface WrittenFile {
  readonly size: number;
  readonly sha256: string;
  readonly executable: boolean;
}

/** What was meant to be written: path to file, or to nothing for a folder. */
type Written = ReadonlyMap<string, WrittenFile | undefined>;

const READ_BYTES = 1 << 20;
/** Each turn of zlib is one of the thread pool. */
const CHUNK_BYTES = 1 << 18;

/**
 * Unpacks an image into a folder that is not there yet; on the disk when it resolves. The image is checked once more while it is
 * read, so that what was unpacked is what was signed.
 *
 * @throws (rejects) BadArchive, Error: the image is another one; or the error of the system.
 */
export async function unpackImage(
  fs: FirmwareFileSystem,
  { file, size, sha256 }: Image,
  directory: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Written> {
  const written = new Map<string, WrittenFile | undefined>();
  const hash = createHash('sha256');
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  let open: ReturnType<FirmwareFileSystem['create']> | undefined;
  // An error of the source destroys what is read below, which says so there.
  const fed = pipeline(source, gunzip).catch(() => {});
  try {
    fs.makeDirectory(directory);
    await readTar(gunzip, maxBytes, {
      directory: (name) => {
        fs.makeDirectory(path.join(directory, name));
        written.set(name, undefined);
      },
      file: (name, executable) => writeFile(name, executable),
    });
  } finally {
    gunzip.destroy();
    open?.close();
    await fed;
  }
  if (hash.digest('hex') !== sha256) throw new Error('the image has changed since it was verified');
  for (const name of [...written.keys()].filter((each) => !written.get(each)).toSorted((a, b) => b.length - a.length)) {
    fs.syncDirectory(path.join(directory, name));
  }
  fs.syncDirectory(directory);
  return written;

  async function* source(): AsyncGenerator<Buffer> {
    for await (const part of readImage(fs, file, size)) {
      signal.throwIfAborted();
      hash.update(part);
      yield part;
    }
  }

  function writeFile(name: string, executable: boolean) {
    const target = path.join(directory, name);
    const output = executable ? fs.createExecutable(target) : fs.create(target);
    open = output;
    const digest = createHash('sha256');
    let bytes = 0;
    return {
      data: (data: Buffer): void => {
        output.write(data);
        digest.update(data);
        bytes += data.length;
      },
      end: (): void => {
        output.sync();
        output.close();
        open = undefined;
        written.set(name, { size: bytes, sha256: digest.digest('hex'), executable });
      },
    };
  }
}

/** Reads back a folder. @throws Error when it holds anything else than what was written. */
export function verifyTree(fs: FirmwareFileSystem, directory: string, written: Written): void {
  const found = new Set<string>();
  const look = (below: string): void => {
    for (const name of fs.list(path.join(directory, below))) {
      const each = path.join(below, name);
      found.add(each);
      const entry = fs.entry(path.join(directory, each));
      const wanted = written.get(each);
      if (entry?.kind === 'directory' && written.has(each) && !wanted) look(each);
      else if (entry?.kind !== 'file' || !wanted) throw new Error(`${each} was not to be there`);
      else if (!isSame(each, entry, wanted)) throw new Error(`${each} reads back as something else than was written`);
    }
  };
  look('');
  const missing = [...written.keys()].find((name) => !found.has(name));
  if (missing !== undefined) throw new Error(`${missing} is missing`);

  function isSame(
    name: string,
    { size, executable }: { size: number; executable: boolean },
    wanted: WrittenFile,
  ): boolean {
    return size === wanted.size && executable === wanted.executable && hashOf(name, size) === wanted.sha256;
  }

  function hashOf(name: string, size: number): string {
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += READ_BYTES) hash.update(fs.readPart(path.join(directory, name), at, READ_BYTES));
    return hash.digest('hex');
  }
}
