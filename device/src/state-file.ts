import path from 'node:path';
import type { FileSystem } from './file-system.ts';

/**
 * A small file in the agent's folder that is there as a whole or not at all, also after a power cut: written under another
 * name, synced, renamed.
 */
export class StateFile {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #name: string;

  constructor(fs: FileSystem, directory: string, name: string) {
    this.#fs = fs;
    this.#directory = directory;
    this.#name = name;
  }

  /** The value that was written last; undefined when there is none, or it cannot be read. */
  read(): unknown {
    try {
      return JSON.parse(this.#fs.read(path.join(this.#directory, this.#name)).toString('utf8'));
    } catch {
      return undefined;
    }
  }

  /** @throws the error of the system; what was there before is still there. */
  write(value: unknown): void {
    this.#fs.makeDirectory(this.#directory);
    const draft = path.join(this.#directory, `${this.#name}.draft`);
    const file = this.#fs.create(draft);
    try {
      file.write(Buffer.from(`${JSON.stringify(value)}\n`));
      file.sync();
    } finally {
      file.close();
    }
    this.#fs.rename(draft, path.join(this.#directory, this.#name));
    this.#fs.syncDirectory(this.#directory);
  }
}
