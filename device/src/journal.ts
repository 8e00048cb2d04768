import path from 'node:path';
import type { FileSystem, WritableFile } from './file-system.ts';
import { decodeEntries, type Entry, encodeEntry } from './journal-format.ts';

const NAME = /^(\d{10})\.journal$/;
const fileName = (generation: number): string => `${String(generation).padStart(10, '0')}.journal`;
/** A rewrite appears under its own name only when it is whole and on the disk. */
const DRAFT = 'draft';

/**
 * A folder with one append-only file. A rewrite replaces it by the next generation: draft, sync, rename, sync of the
 * folder, and only then the old one goes. After an error the file must be rewritten, never appended to or synced again: the
 * kernel may have thrown away what it could not write and report success the next time (Rebello et al., USENIX ATC 2020).
 */
export class Journal {
  readonly #fs: FileSystem;
  readonly #directory: string;
  #generation = 0;
  #file: WritableFile | undefined;
  #synced = true;
  /** Bytes of the file. */
  size = 0;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /**
   * What the newest file holds, and how many stretches of it are damaged. A file that cannot be read at all is put aside
   * under another name. @throws the error of the system when the folder cannot be made or listed.
   */
  load(): { readonly entries: readonly Entry[]; readonly damaged: number } {
    this.#fs.makeDirectory(this.#directory);
    let damaged = 0;
    const generations = this.#generations().sort((a, b) => b - a);
    this.#generation = generations[0] ?? 0;
    for (const generation of generations) {
      try {
        const decoded = decodeEntries(this.#fs.read(this.#path(fileName(generation))));
        damaged += decoded.damaged;
        if (decoded.entries.length > 0) return { entries: decoded.entries, damaged };
        // A file appears with its first entry in it.
        damaged += decoded.damaged === 0 ? 1 : 0;
      } catch {
        damaged += 1;
        const file = this.#path(fileName(generation));
        quietly(() => this.#fs.rename(file, `${file}.unreadable`));
      }
    }
    return { entries: [], damaged };
  }

  /** Survives the end of the process at once, and a power cut after `sync`. @throws the error of the system. */
  append(entry: Entry): void {
    const frame = encodeEntry(entry);
    this.#synced = false;
    this.#open().write(frame);
    this.size += frame.length;
  }

  /** @throws the error of the system. */
  sync(): void {
    if (this.#synced) return;
    this.#open().sync();
    this.#synced = true;
  }

  /** Starts the next file with these entries; on the disk when it returns. @throws the error of the system. */
  rewrite(entries: readonly Entry[]): void {
    this.close();
    this.#fs.makeDirectory(this.#directory);
    const content = Buffer.concat(entries.map(encodeEntry));
    const file = this.#fs.create(this.#path(DRAFT));
    try {
      file.write(content);
      file.sync();
      const generation = this.#generation + 1;
      this.#fs.rename(this.#path(DRAFT), this.#path(fileName(generation)));
      this.#generation = generation;
      this.#fs.syncDirectory(this.#directory);
    } catch (error) {
      quietly(() => file.close());
      quietly(() => this.#fs.remove(this.#path(DRAFT)));
      throw error;
    }
    // One that stays is passed over, and goes the next time.
    quietly(() => {
      for (const old of this.#generations()) {
        if (old !== this.#generation) this.#fs.remove(this.#path(fileName(old)));
      }
    });
    this.#file = file;
    this.#synced = true;
    this.size = content.length;
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file) quietly(() => file.close());
  }

  #open(): WritableFile {
    if (!this.#file) throw new Error('the journal is closed');
    return this.#file;
  }

  #generations(): number[] {
    return this.#fs.list(this.#directory).flatMap((name) => {
      const generation = NAME.exec(name)?.[1];
      return generation === undefined ? [] : [Number(generation)];
    });
  }

  #path(name: string): string {
    return path.join(this.#directory, name);
  }
}

/** For steps whose failure changes nothing: what mattered was said by an earlier write or sync. */
function quietly(step: () => void): void {
  try {
    step();
  } catch {}
}
