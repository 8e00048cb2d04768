/** Keeps the files of temporary folders that a test removes, out of its sight, until the run is over. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { folders } from './leaks.ts';
import { FOLDER_VARIABLE } from './notes.ts';

let kept = 0;

/** Removing one of the run's temporary folders moves it aside instead. */
export function keepRemovedFiles(): void {
  const { rmSync } = fs;
  const { rm } = fs.promises;
  fs.rmSync = (target, options) => {
    if (!moveAside(target)) rmSync(target, options);
  };
  fs.promises.rm = async (target, options) => {
    if (!moveAside(target)) await rm(target, options);
  };
  syncBuiltinESMExports();
}

function moveAside(target: fs.PathLike): boolean {
  const folder = process.env[FOLDER_VARIABLE];
  if (!folder || path.dirname(String(target)) !== path.join(folder, folders.temporary)) return false;
  const removed = path.join(folder, folders.removed);
  try {
    fs.mkdirSync(removed, { recursive: true });
    kept += 1;
    fs.renameSync(target, path.join(removed, `${process.pid}-${kept}-${path.basename(String(target))}`));
    return true;
  } catch {
    // It is not there, or in use: whatever is wrong, the real function says it.
    return false;
  }
}
