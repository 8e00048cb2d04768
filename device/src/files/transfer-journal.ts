import path from 'node:path';
import { validate } from '@thingstead/contracts/validate';
import type { FileSystem } from '../file-system.ts';
import { StateFile } from '../state-file.ts';
import { TransferRecord } from './transfer-record.ts';

const NAME = /^([0-9A-HJKMNP-TV-Z]{26})\.(json|enc)(\.draft)?$/;

/**
 * A folder with one small file for each transfer, and beside it what is encrypted of it. Every change of a record is there as a whole or
 * not at all, also after a power cut, and when `keep` has returned it is there.
 */
export class TransferJournal {
  readonly #fs: FileSystem;
  readonly #records = new Map<string, TransferRecord>();
  readonly directory: string;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.directory = directory;
  }

  /** Where what is encrypted is kept. */
  spool(id: string): string {
    return path.join(this.directory, `${id}.enc`);
  }

  get(id: string): TransferRecord | undefined {
    return this.#records.get(id);
  }

  all(): readonly TransferRecord[] {
    return [...this.#records.values()];
  }

  /**
   * Reads what an earlier process has left, and gives the ids of records that cannot be read. They are removed, like all that belongs to no
   * record.
   *
   * @throws the error of the system.
   */
  load(): readonly string[] {
    this.#fs.makeDirectory(this.directory);
    const names = this.#fs.list(this.directory).filter((name) => NAME.test(name));
    const ids = names.flatMap((name) => (name.endsWith('.json') ? name.slice(0, 26) : []));
    const read = ids.toSorted().map((id) => ({ id, record: validate(TransferRecord, this.#file(id).read()) }));
    for (const { id, record } of read) if (record.ok) this.#records.set(id, record.value);
    const known = new Set([...this.#records.keys()].flatMap((id) => [`${id}.json`, `${id}.enc`]));
    for (const name of names) if (!known.has(name)) this.#fs.remove(path.join(this.directory, name));
    return read.flatMap(({ id, record }) => (record.ok ? [] : id));
  }

  /** @throws the error of the system; what was kept before still is, or what was to be kept. A new one is not. */
  keep(record: TransferRecord): void {
    try {
      this.#file(record.id).write(record);
    } catch (error) {
      if (!this.#records.has(record.id)) this.#removeQuietly(record.id);
      throw error;
    }
    this.#records.set(record.id, record);
  }

  /** Also what is encrypted. A crash may bring the record back. @throws the error of the system. */
  forget(id: string): void {
    const names = this.#fs.list(this.directory);
    for (const name of [`${id}.enc`, `${id}.json.draft`, `${id}.json`])
      if (names.includes(name)) this.#fs.remove(path.join(this.directory, name));
    this.#records.delete(id);
  }

  /** It may have got its name before the disk refused; a later process would take it up. */
  #removeQuietly(id: string): void {
    try {
      this.forget(id);
    } catch {
      // Then it is taken up, and finds that it is over or that its file is gone.
    }
  }

  #file(id: string): StateFile {
    return new StateFile(this.#fs, this.directory, `${id}.json`);
  }
}
