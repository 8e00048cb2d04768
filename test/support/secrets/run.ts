/** The watch over secrets of one Jest run: set up before the first test, judged after the last. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeLeaks, findLeaks, folders } from './leaks.ts';
import { FOLDER_VARIABLE } from './notes.ts';

const preload = path.join(__dirname, 'preload.ts');

/** Every process that starts from now on notes its secrets and outputs, and has its temporary files in the run's folder. */
export function watchSecrets(): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-run-'));
  const temporary = path.join(folder, folders.temporary);
  mkdirSync(temporary);
  process.env[FOLDER_VARIABLE] = folder;
  process.env.TMPDIR = temporary;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${pathToFileURL(preload)}`.trim();
  // Jest runs a single test file in this process.
  createRequire(__filename)(preload);
}

/** @throws Error with every place that shows a secret */
export function refuseLeakedSecrets(): void {
  const folder = process.env[FOLDER_VARIABLE];
  if (!folder) throw new Error(`${FOLDER_VARIABLE} is not set: watchSecrets was not called`);
  try {
    const leaks = findLeaks(folder);
    if (leaks.length > 0) throw new Error(`secrets were found where they must not be:\n${describeLeaks(leaks)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
