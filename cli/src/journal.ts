import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { STATE_FOLDER } from './target.ts';

const Entry = v.object({
  /** The account, region or runtime it was made in. */
  target: v.string(),
  kind: v.picklist(['ca', 'device']),
  /** Name of the CA, or of the thing. */
  name: v.string(),
  certificateId: v.string(),
  /** Where its files are. */
  folder: v.string(),
});
export type JournalEntry = v.InferOutput<typeof Entry>;

/** What this command has made, so that `clean` can take it away again: one line of JSON each. */
export class Journal {
  readonly #file: string;

  constructor(file = path.join(STATE_FOLDER, 'created.jsonl')) {
    this.#file = file;
  }

  /** Appends, so that commands that run at the same time do not overwrite each other. */
  add(entry: JournalEntry): void {
    mkdirSync(path.dirname(this.#file), { recursive: true });
    appendFileSync(this.#file, `${JSON.stringify({ ...entry, folder: path.resolve(entry.folder) })}\n`);
  }

  /** Lines that cannot be read are passed over: a torn line must not stop the others from being cleaned. */
  entries(): readonly JournalEntry[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, 'utf8').split('\n').flatMap(parse);
  }

  /** Forgets everything of one target. */
  forget(target: string): void {
    if (!existsSync(this.#file)) return;
    const kept = this.entries().filter((each) => each.target !== target);
    writeFileSync(this.#file, kept.map((each) => `${JSON.stringify(each)}\n`).join(''));
  }
}

function parse(line: string): readonly JournalEntry[] {
  try {
    const result = v.safeParse(Entry, JSON.parse(line));
    return result.success ? [result.output] : [];
  } catch {
    return [];
  }
}
