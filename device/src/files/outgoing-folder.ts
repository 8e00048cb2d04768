import path from 'node:path';
import { FileName } from '@thingstead/contracts/files';
import * as v from 'valibot';
import type { FileFacts, LargeFiles } from './large-files.ts';

/** Where files go that the cloud does not take. */
const FAILED = 'failed';

export interface WaitingFile {
  readonly source: string;
  readonly name: string;
  readonly facts: FileFacts;
  /** It cannot be called that in the cloud. */
  readonly isBadName: boolean;
}

/** The folder from which files are sent. Whoever puts one there writes it elsewhere, or under a name with a dot, and renames it. */
export class OutgoingFolder {
  readonly #files: LargeFiles;
  readonly #directory: string;

  constructor(files: LargeFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** Files that are there; no folders, no links, nothing that begins with a dot. @throws the error of the system. */
  async *waiting(): AsyncGenerator<WaitingFile> {
    await this.#files.makeDirectory(this.#directory);
    const names = (await this.#files.list(this.#directory)).filter((name) => !name.startsWith('.')).toSorted();
    for (const name of names) {
      const source = path.join(this.#directory, name);
      const facts = await this.#files.facts(source);
      if (facts?.isFile) yield { source, name, facts, isBadName: !v.is(FileName, name) };
    }
  }

  /** Takes a file out of the folder, if it is still the one with this version. @throws the error of the system. */
  async remove(source: string, version: string): Promise<void> {
    if ((await this.#files.facts(source))?.version !== version) return;
    await this.#files.remove(source);
    await this.#files.syncDirectory(this.#directory);
  }

  /** Puts a file aside, where nobody sends it. @throws the error of the system. */
  async setAside(source: string, version: string, id: string): Promise<void> {
    if ((await this.#files.facts(source))?.version !== version) return;
    const failed = path.join(this.#directory, FAILED);
    await this.#files.makeDirectory(failed);
    const wanted = path.join(failed, path.basename(source));
    await this.#files.rename(source, (await this.#files.facts(wanted)) ? `${wanted}.${id}` : wanted);
    await this.#files.syncDirectory(failed);
    await this.#files.syncDirectory(this.#directory);
  }
}
