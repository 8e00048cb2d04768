/**
 * The file that holds the records: one SQLite database. SQLite gives what is hard to get right: many records change
 * at once or not at all, whatever ends the process, and a second process is kept out by a lock that dies with its owner.
 */
import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

const DIGEST = 'sha1';

export interface StoredRecord {
  readonly part: string;
  readonly key: string;
  readonly value: Buffer;
  readonly digest: string;
}

/** The file is held by another process. */
export class LockedFile extends Error {}

/** The file is damaged. */
export class DamagedFile extends Error {}

/** A short digest of a record's bytes: tells whether it has changed, and whether what was read is what was written. */
export function digestOf(value: Buffer): string {
  return hash(DIGEST, value, 'base64');
}

export class RecordFile {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#put = database.prepare(
      'INSERT INTO record (part, key, value, digest) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (part, key) DO UPDATE SET value = excluded.value, digest = excluded.digest',
    );
    this.#delete = database.prepare('DELETE FROM record WHERE part = ? AND key = ?');
  }

  /**
   * Opens the file, which may be empty, and locks it until `close` or the end of the process.
   *
   * @throws LockedFile, DamagedFile
   */
  static async open(file: string): Promise<RecordFile> {
    // Loaded only when state is kept.
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(file);
    try {
      // A commit survives the end of this process; it may be undone, never torn, by the end of the machine.
      database.exec(
        'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536',
      );
      // The lock is taken with the first write.
      database.exec('BEGIN IMMEDIATE');
      database.exec('CREATE TABLE IF NOT EXISTS stamp (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
      database.exec(
        'CREATE TABLE IF NOT EXISTS record ' +
          '(part TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, digest TEXT NOT NULL, UNIQUE (part, key))',
      );
      database.exec('COMMIT');
      const [check] = database.prepare('PRAGMA quick_check(1)').all();
      if (check?.quick_check !== 'ok') throw new DamagedFile(String(check?.quick_check));
      return new RecordFile(database);
    } catch (error) {
      database.close();
      throw classified(error);
    }
  }

  get stamps(): ReadonlyMap<string, string> {
    const rows = this.#database.prepare('SELECT name, value FROM stamp').all();
    return new Map(rows.map(({ name, value }) => [String(name), String(value)]));
  }

  /** @throws DamagedFile when a record is not what was written */
  *records(): Generator<StoredRecord> {
    try {
      const rows = this.#database.prepare('SELECT part, key, value, digest FROM record ORDER BY part, key').iterate();
      for (const { part, key, value, digest } of rows) {
        // The columns have these types: the statement above is the only one that writes them.
        const bytes = value as Uint8Array;
        const record = {
          part: String(part),
          key: String(key),
          value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          digest: String(digest),
        };
        if (digestOf(record.value) !== digest) throw new DamagedFile(`the record ${part} ${key} has changed`);
        yield record;
      }
    } catch (error) {
      throw classified(error);
    }
  }

  /** Runs `work`, which writes; all of it happens, or nothing when it throws. */
  atOnce(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  put(part: string, key: string, value: Buffer, digest: string): void {
    this.#put.run(part, key, value, digest);
  }

  delete(part: string, key: string): void {
    this.#delete.run(part, key);
  }

  /** Removes all records, and sets the stamps. */
  clear(stamps: ReadonlyMap<string, string>): void {
    this.#database.exec('DELETE FROM record; DELETE FROM stamp');
    const put = this.#database.prepare('INSERT INTO stamp (name, value) VALUES (?, ?)');
    for (const [name, value] of stamps) put.run(name, value);
  }

  close(): void {
    this.#database.close();
  }
}

/** SQLite's result codes: https://www.sqlite.org/rescode.html */
function classified(error: unknown): unknown {
  const { errcode, message } = Object(error) as { readonly errcode?: number; readonly message?: string };
  const [BUSY, LOCKED, CORRUPT, NOT_A_DATABASE] = [5, 6, 11, 26];
  const code = (errcode ?? 0) & 0xff;
  if (code === BUSY || code === LOCKED) return new LockedFile(message);
  if (code === CORRUPT || code === NOT_A_DATABASE) return new DamagedFile(message);
  return error;
}
