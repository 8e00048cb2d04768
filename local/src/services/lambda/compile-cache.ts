/**
 * Compiled code of functions is kept where this process keeps its own (https://nodejs.org/api/module.html#module-compile-cache):
 * half of the time that an environment takes to start. Each process unpacks functions to another folder; with a link beside
 * them, and paths relative to it, their paths are the same to the cache.
 */
import { symlinkSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';

const LINK = 'compiled';

/** Prepares the folder that has the folders of all functions in it. */
export function linkCompileCache(root: string): void {
  const kept = getCompileCacheDir();
  if (kept) symlinkSync(kept, path.join(root, LINK));
}

/** Variables for Node.js in a thread that runs the code in `taskRoot`. The code itself must not see them. */
export function compileCacheVariables(taskRoot: string): Readonly<Record<string, string>> {
  if (!getCompileCacheDir()) return {};
  return { NODE_COMPILE_CACHE: path.join(path.dirname(taskRoot), LINK), NODE_COMPILE_CACHE_PORTABLE: '1' };
}
