/** Encrypted files on their way, so that a command that was cut off goes on where it was. Nothing in them is readable without KMS. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { TransferId } from '@thingstead/contracts/files';
import * as v from 'valibot';
import { SECRET_MODE } from '../new-file.ts';

const Started = v.object({
  transfer: TransferId,
  /** Of what is encrypted, once all of it is in the spool; `sha256` in base64. */
  encrypted: v.optional(v.object({ bytes: v.number(), sha256: v.string() })),
});
export type Started = v.InferOutput<typeof Started>;

/** What is kept of one file that is being sent or fetched. */
export interface Spool {
  /** Where what is encrypted is. */
  readonly file: string;
  /** Undefined when nothing was begun, or nothing that can be read. */
  read(): Started | undefined;
  write(started: Started): void;
  remove(): void;
}

/** `what` tells one transfer from all others. In `$XDG_CACHE_HOME/thingstead/files`, or `~/.cache/thingstead/files`. */
export function spoolOf(...what: readonly string[]): Spool {
  const folder = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'thingstead', 'files');
  const name = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
  const [file, record] = [path.join(folder, `${name}.enc`), path.join(folder, `${name}.json`)];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    file,
    read() {
      try {
        return v.parse(Started, JSON.parse(readFileSync(record, 'utf8')));
      } catch {
        return undefined;
      }
    },
    /** At once, never half of it. */
    write(started) {
      const draft = `${record}.${process.pid}`;
      writeFileSync(draft, `${JSON.stringify(started)}\n`, { mode: SECRET_MODE });
      renameSync(draft, record);
    },
    remove() {
      for (const each of [record, file]) rmSync(each, { force: true });
    },
  };
}
