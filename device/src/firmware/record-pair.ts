/**
 * A small record that survives the end of the process and of power at any moment, on a full disk too: two files of a fixed
 * size, written in place by turns. A torn one fails its checksum, and the one before holds.
 */
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { FirmwareFileSystem } from './firmware-file-system.ts';

interface Generation {
  readonly sequence: number;
  /** Which of the two files. */
  readonly half: 0 | 1;
  readonly value: unknown;
}

export class RecordPair {
  readonly #fs: FirmwareFileSystem;
  readonly #directory: string;
  readonly #name: string;
  readonly #bytes: number;

  /**
   * @param name of the files: `<name>.0` and `<name>.1`.
   * @param bytes of each file, and the most that a record may take; the same for ever.
   */
  constructor(fs: FirmwareFileSystem, directory: string, name: string, bytes: number) {
    this.#fs = fs;
    this.#directory = directory;
    this.#name = name;
    this.#bytes = bytes;
  }

  /** The value that was written last, or the one before it when that one is damaged; undefined when there is none. */
  read(): unknown {
    return this.#newest()?.value;
  }

  /** On the disk when it returns. @throws the error of the system; what was there before is still there. RangeError for one too long. */
  write(value: unknown): void {
    const newest = this.#newest();
    const half = newest?.half === 0 ? 1 : 0;
    const data = encode((newest?.sequence ?? 0) + 1, value, this.#bytes);
    const file = this.#file(half);
    const entry = this.#fs.entry(file);
    if (entry?.kind === 'file' && entry.size === this.#bytes) this.#put(this.#fs.overwrite(file), data);
    else this.#make(file, data);
  }

  /** Makes both files, so that later nothing but their content changes. @throws the error of the system. */
  prepare(): void {
    for (const half of [0, 1] as const) {
      const file = this.#file(half);
      if (this.#fs.entry(file)?.kind !== 'file') this.#make(file, Buffer.alloc(this.#bytes));
    }
  }

  #make(file: string, data: Buffer): void {
    this.#fs.makeDirectory(this.#directory);
    const draft = `${file}.draft`;
    this.#put(this.#fs.create(draft), data);
    this.#fs.rename(draft, file);
    this.#fs.syncDirectory(this.#directory);
  }

  #put(file: ReturnType<FirmwareFileSystem['create']>, data: Buffer): void {
    try {
      file.write(data);
      file.sync();
    } finally {
      file.close();
    }
  }

  #newest(): Generation | undefined {
    const [first, second] = ([0, 1] as const).map((half) => this.#readHalf(half));
    if (!first || !second) return first ?? second;
    return first.sequence > second.sequence ? first : second;
  }

  #readHalf(half: 0 | 1): Generation | undefined {
    try {
      const decoded = decode(this.#fs.read(this.#file(half)));
      return decoded && { ...decoded, half };
    } catch {
      return undefined;
    }
  }

  #file(half: 0 | 1): string {
    return path.join(this.#directory, `${this.#name}.${half}`);
  }
}

/** One line: CRC-32 of what follows, sequence, JSON; then spaces. */
function encode(sequence: number, value: unknown, bytes: number): Buffer {
  const body = `${sequence} ${JSON.stringify(value)}`;
  const data = Buffer.alloc(bytes, ' ');
  const line = Buffer.from(`${crc32(body).toString(16).padStart(8, '0')} ${body}\n`);
  if (line.length > bytes) throw new RangeError(`a record of ${line.length} bytes does not fit into ${bytes}`);
  line.copy(data);
  return data;
}

function decode(data: Buffer): Pick<Generation, 'sequence' | 'value'> | undefined {
  const line = data.toString('utf8', 0, Math.max(0, data.indexOf('\n')));
  const [, sum, body = ''] = /^([0-9a-f]{8}) (.*)$/.exec(line) ?? [];
  const space = body.indexOf(' ');
  if (sum === undefined || space < 1 || crc32(body) !== Number.parseInt(sum, 16)) return undefined;
  return { sequence: Number(body.slice(0, space)), value: JSON.parse(body.slice(space + 1)) };
}
