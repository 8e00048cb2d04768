/** A strict reader of tar archives as an update needs them: files and folders, and nothing that reaches out of its folder. */

const BLOCK = 512;
const MAX_ENTRIES = 50_000;
const MAX_DEPTH = 32;

/** Where what is in the archive goes. */
export interface TarSink {
  /** @param path below the folder at the archive's top. Its parents come before it. */
  directory(path: string): void;
  /** Every byte of it comes by `data`, then `end` is called. */
  file(path: string, executable: boolean): { data(bytes: Buffer): void; end(): void };
}

/** An archive that is not taken, and why. */
export class BadArchive extends Error {
  override readonly name = 'BadArchive';
}

interface Header {
  readonly path: string;
  readonly directory: boolean;
  readonly executable: boolean;
  readonly size: number;
}

/**
 * Reads an archive in the ustar format (`tar --format=ustar`) with one folder at its top, which is left out of the paths. Links,
 * devices, extended headers and names that lead elsewhere are refused.
 *
 * @param maxBytes of all files together.
 * @throws (rejects) BadArchive, or what the sink throws.
 */
export async function readTar(source: AsyncIterable<Buffer>, maxBytes: number, sink: TarSink): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let open: { readonly file: ReturnType<TarSink['file']>; left: number; padding: number } | undefined;
  let total = 0;
  let zeros = 0;
  const names = new Map<string, 'file' | 'directory'>();

  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      if (open) {
        const data = rest.subarray(0, open.left);
        if (data.length > 0) open.file.data(data);
        const skipped = Math.min(open.padding, rest.length - data.length);
        open.left -= data.length;
        if (open.left === 0) open.padding -= skipped;
        rest = rest.subarray(data.length + skipped);
        if (open.left > 0 || open.padding > 0) break;
        open.file.end();
        open = undefined;
        continue;
      }
      if (rest.length < BLOCK) break;
      const block = rest.subarray(0, BLOCK);
      rest = rest.subarray(BLOCK);
      if (block.every((byte) => byte === 0)) {
        zeros += 1;
        continue;
      }
      if (zeros > 0) throw new BadArchive('something stands behind the end of the archive');
      const header = readHeader(block);
      if (header.path === '') continue;
      take(header);
      total += header.size;
      if (total > maxBytes) throw new BadArchive(`holds more than ${maxBytes} bytes`);
      if (header.directory) sink.directory(header.path);
      else {
        const file = sink.file(header.path, header.executable);
        if (header.size === 0) file.end();
        else open = { file, left: header.size, padding: (BLOCK - (header.size % BLOCK)) % BLOCK };
      }
    }
  }
  if (open || rest.length > 0 || zeros < 2) throw new BadArchive('is cut off');

  /** Each path once, below folders only; those that are not named are made. */
  function take({ path, directory }: Header): void {
    if (names.size >= MAX_ENTRIES) throw new BadArchive(`holds more than ${MAX_ENTRIES} files`);
    const levels = path.split('/');
    if (levels.length > MAX_DEPTH) throw new BadArchive(`folders are deeper than ${MAX_DEPTH}`);
    for (let depth = 1; depth < levels.length; depth += 1) {
      const parent = levels.slice(0, depth).join('/');
      if (names.get(parent) === 'file') throw new BadArchive(`${parent} is a file and a folder`);
      if (!names.has(parent)) sink.directory(parent);
      names.set(parent, 'directory');
    }
    const known = names.get(path);
    if (known && !(known === 'directory' && directory)) throw new BadArchive(`${path} is there twice`);
    names.set(path, directory ? 'directory' : 'file');
  }
}

function readHeader(block: Buffer): Header {
  const text = (from: number, to: number): string => {
    const field = block.subarray(from, to);
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end === -1 ? field.length : end);
  };
  const octal = (from: number, to: number): number => {
    const digits = text(from, to).trim();
    if (!/^[0-7]+$/.test(digits)) throw new BadArchive('has a damaged header');
    return Number.parseInt(digits, 8);
  };
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (octal(148, 156) !== sum) throw new BadArchive('has a damaged header');
  const prefix = text(345, 500);
  const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
  const type = text(156, 157);
  if (type !== '' && type !== '0' && type !== '5') {
    throw new BadArchive(
      `${JSON.stringify(name)} is neither a file nor a folder (type ${type}); pack it with --format=ustar`,
    );
  }
  const directory = type === '5';
  return {
    path: safePath(name, directory),
    directory,
    executable: (octal(100, 108) & 0o100) !== 0,
    size: directory ? 0 : octal(124, 136),
  };
}

/** Without the folder at the top. */
function safePath(name: string, directory: boolean): string {
  const levels = (directory ? name.replace(/\/$/, '') : name).split('/');
  const bad = levels.some(
    (level, depth) => level === '' || level === '..' || (level === '.' && depth > 0) || level.includes('\ufffd'),
  );
  if (bad || (!directory && levels.length < 2)) {
    throw new BadArchive(`${JSON.stringify(name)} is no name of a file in a folder of the archive`);
  }
  return levels.slice(1).join('/');
}
