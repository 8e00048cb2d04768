/** The folder of `--data`: who it belongs to, what it holds, and how it comes up to date. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { type KeptRecord, KeptRecords, type KeptState } from '../kernel/kept-state.ts';
import { DamagedFile, digestOf, LockedFile, RecordFile } from './record-file.ts';

/** Grows when records of any service change their layout, so that no version reads what it would misunderstand. */
const STATE_FORMAT = '1';

/** What state belongs to: ARNs and queue addresses carry these. */
export interface Owner {
  readonly accountId: string;
  readonly region: string;
  /** The AWS endpoint; queue addresses begin with it. */
  readonly endpoint: string;
}

/** A part of the state: what one service keeps, by its name. */
export type Part = readonly [name: string, state: KeptState];

/** A folder that cannot be used; its message is for the person who named it. */
export class DataFolderError extends Error {}

export class DataFolder {
  readonly #folder: string;
  readonly #file: RecordFile;
  readonly #stamps: ReadonlyMap<string, string>;
  /** By part and key: the stamp of what is written, or the digest where there is no stamp. */
  readonly #written = new Map<string, Map<string, unknown>>();

  private constructor(folder: string, file: RecordFile, stamps: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#file = file;
    this.#stamps = stamps;
  }

  /**
   * Opens a folder, making it if there is none, and keeps every other runtime out of it.
   *
   * @throws DataFolderError when it is in use, damaged, or the state of another version, account, region or port
   */
  static async open(folder: string, owner: Owner): Promise<DataFolder> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const database = path.join(folder, 'state.sqlite');
    // Made here, since SQLite gives the files beside it the same mode.
    closeSync(openSync(database, 'a', 0o600));
    const holder = path.join(folder, 'pid');
    // SQLite would take an empty file for a new one.
    if (existsSync(holder) && statSync(database).size === 0 && !existsSync(`${database}-wal`)) {
      throw new DataFolderError(damaged(folder, 'state.sqlite is empty'));
    }
    let file: RecordFile;
    try {
      file = await RecordFile.open(database);
    } catch (error) {
      if (error instanceof LockedFile) throw new DataFolderError(inUse(folder, holder));
      if (error instanceof DamagedFile) throw new DataFolderError(damaged(folder, error.message));
      throw error;
    }
    try {
      writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
      const wanted = new Map(Object.entries({ format: STATE_FORMAT, ...owner }));
      checkStamps(folder, file.stamps, wanted);
      return new DataFolder(folder, file, wanted);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** True before the first `save`: nothing was kept. */
  get isNew(): boolean {
    return this.#file.stamps.size === 0;
  }

  /**
   * What was kept, by the name of the part.
   *
   * @throws DataFolderError when it is damaged
   */
  load(): ReadonlyMap<string, KeptRecords> {
    const parts = new Map<string, Map<string, unknown>>();
    try {
      for (const { part, key, value, digest } of this.#file.records()) {
        entry(parts, part).set(key, deserialize(value));
        entry(this.#written, part).set(key, digest);
      }
    } catch (error) {
      if (error instanceof DamagedFile) throw new DataFolderError(damaged(this.#folder, error.message));
      throw error;
    }
    return new Map([...parts].map(([part, records]) => [part, new KeptRecords(records)]));
  }

  /** Writes what has changed, in one step. Synchronous, so that all parts are read at the same instant. */
  save(parts: readonly Part[]): void {
    try {
      this.#file.atOnce(() => {
        if (this.isNew) this.#file.clear(this.#stamps);
        for (const [name, state] of parts) this.#savePart(name, state);
      });
    } catch (error) {
      // What is written is no longer known, so next time everything is compared with the file.
      this.#written.clear();
      this.load();
      throw error;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#file.atOnce(() => this.#file.clear(new Map()));
    this.#written.clear();
  }

  close(): void {
    this.#file.close();
  }

  #savePart(part: string, state: KeptState): void {
    const written = entry(this.#written, part);
    let count = 0;
    for (const record of state.save()) {
      count += 1;
      this.#saveRecord(part, written, record);
    }
    // Keys are unique: as many as are written means that none has gone.
    if (count === written.size) return;
    const keys = new Set(Array.from(state.save(), ([key]) => key));
    if (keys.size < count) throw new Error(`${part} keeps two records of one key`);
    for (const key of [...written.keys()]) {
      if (keys.has(key)) continue;
      this.#file.delete(part, key);
      written.delete(key);
    }
  }

  #saveRecord(part: string, written: Map<string, unknown>, [key, given, stamp]: KeptRecord): void {
    const before = written.get(key);
    if (stamp !== undefined && before === stamp) return;
    const bytes = serialize(typeof given === 'function' ? given() : given);
    const digest = digestOf(bytes);
    if (stamp !== undefined || before !== digest) written.set(key, stamp ?? digest);
    if (before !== digest) this.#file.put(part, key, bytes, digest);
  }
}

function entry(parts: Map<string, Map<string, unknown>>, part: string): Map<string, unknown> {
  let records = parts.get(part);
  if (!records) {
    records = new Map();
    parts.set(part, records);
  }
  return records;
}

function inUse(folder: string, holder: string): string {
  let by = 'another runtime';
  try {
    by = `the runtime with process id ${readFileSync(holder, 'utf8').trim()}`;
  } catch {
    // It has not said who it is yet.
  }
  return `${folder} is in use by ${by}. End that one, or give another folder.`;
}

function damaged(folder: string, why: string): string {
  return `The state in ${folder} is damaged: ${why}. Put back a copy of the folder, or remove it to begin anew.`;
}

function checkStamps(folder: string, found: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): void {
  if (found.size === 0) return;
  const format = found.get('format');
  if (format !== wanted.get('format')) {
    throw new DataFolderError(
      `The state in ${folder} has format ${format}; this version reads ${wanted.get('format')}. Use the version that wrote it, or remove the folder to begin anew.`,
    );
  }
  const options = { accountId: '--account', region: '--region', endpoint: '--port-offset' };
  for (const [name, option] of Object.entries(options)) {
    if (found.get(name) === wanted.get(name)) continue;
    throw new DataFolderError(
      `The state in ${folder} is of ${name} ${found.get(name)}, not ${wanted.get(name)}. Set ${option} as it was, or give another folder.`,
    );
  }
}
