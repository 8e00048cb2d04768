/** Compares what a run has put out with the secrets that it knows. */
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { OutputNote, SecretNote } from './notes.ts';
import { type Found, SecretSearch } from './search.ts';

export interface Leak extends Found {
  readonly place: string;
  readonly times: number;
}

/** Files that are there to hold a secret. Only their owner may read them. */
const KEPT_SECRETS = /\.key$|^endpoints\.json|^state\.sqlite/;

/** Folders of a run below its own. */
export const folders = {
  /** TMPDIR of every process of the run. */
  temporary: 'tmp',
  /** What tests have removed from it. */
  removed: 'removed',
} as const;

/** Every secret of the run in `folder` that stands where it must not. The secret itself is not told. */
export function findLeaks(folder: string): readonly Leak[] {
  const secrets = new Map(
    [...notes<SecretNote>(folder, 'secrets')].map(({ slot, base64 }) => [
      base64,
      { slot, bytes: Buffer.from(base64, 'base64') },
    ]),
  );
  const search = new SecretSearch(secrets.values());
  const leaks = new Map<string, Leak>();
  for (const { place, text } of outputsOf(folder)) {
    for (const { slot, form } of search.in(text)) {
      const key = `${slot}|${form}|${place}`;
      leaks.set(key, { slot, form, place, times: (leaks.get(key)?.times ?? 0) + 1 });
    }
  }
  return [...leaks.values()];
}

function* outputsOf(folder: string): Generator<OutputNote> {
  yield* notes<OutputNote>(folder, 'outputs');
  for (const below of Object.values(folders)) yield* filesIn(path.join(folder, below));
}

function* notes<Note>(folder: string, kind: 'secrets' | 'outputs'): Generator<Note> {
  const files = path.join(folder, kind);
  if (!existsSync(files)) return;
  for (const name of readdirSync(files)) {
    // A process that was killed may have left half a line.
    for (const line of readFileSync(path.join(files, name), 'utf8').split('\n'))
      if (line.endsWith('}')) yield JSON.parse(line) as Note;
  }
}

function* filesIn(folder: string): Generator<OutputNote> {
  if (!existsSync(folder)) return;
  // Copies of assemblies are most of what there is.
  const seen = new Set<string>();
  for (const file of filesBelow(folder)) {
    const ownersOnly = (statSync(file).mode & 0o077) === 0;
    if (ownersOnly && KEPT_SECRETS.test(path.basename(file))) continue;
    const text = readFileSync(file, 'latin1');
    const digest = hash('sha1', text);
    if (seen.has(digest)) continue;
    seen.add(digest);
    // Temporary names differ from run to run.
    const place = path.relative(folder, file).replaceAll(/[A-Za-z0-9]{6}(?=\/)/g, '…');
    yield { place: `file ${place}${ownersOnly ? '' : ", which is not its owner's alone"}`, text };
  }
}

/** Links are not followed, as `recursive` of `readdirSync` does: below one of them lies the compiled code of all functions. */
function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const each = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(each);
    else if (entry.isFile()) yield each;
  }
}

/** For people: where which secret was found. */
export function describeLeaks(leaks: readonly Leak[]): string {
  return leaks.map(({ slot, form, place, times }) => `  ${slot}, ${form}, in ${place} (${times} times)`).join('\n');
}
