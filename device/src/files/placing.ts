import path from 'node:path';
import type { LargeFiles } from './large-files.ts';

/** Beside the files, so that a rename suffices. No received file can be called that: names with it would clash, and are changed. */
const DRAFTS = '.thingstead';

/** Where a file is written until it is whole. */
export function draftOf(incoming: string, id: string): { readonly directory: string; readonly file: string } {
  const directory = path.join(incoming, DRAFTS);
  return { directory, file: path.join(directory, id) };
}

/** Where a file appears: under its own name, or with the id of its transfer before the ending when there is such a file. */
export async function targetFor(files: LargeFiles, incoming: string, name: string, id: string): Promise<string> {
  const wanted = path.join(incoming, name);
  // 255 bytes is what file systems take for a name; a letter may have four.
  if (Buffer.byteLength(name) <= 255 && name !== DRAFTS && !(await files.facts(wanted))) return wanted;
  const { name: stem, ext } = path.parse(name);
  const ending = `.${id}${Buffer.byteLength(ext) <= 32 ? ext : ''}`;
  return path.join(incoming, `${shortened(stem, 255 - Buffer.byteLength(ending))}${ending}`);
}

function shortened(text: string, bytes: number): string {
  let cut = '';
  for (const letter of text) {
    if (Buffer.byteLength(cut + letter) > bytes) break;
    cut += letter;
  }
  return cut;
}
