/**
 * The local runtime as one file, for the many starts of a test run: finding, reading and linking its six hundred modules takes
 * half of the processor time of a start. Packages stay outside, and the threads of functions start from the sources.
 */
import { hash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

const root = path.resolve(__dirname, '../..');
const SOURCES = path.join(root, 'local/src');
/** As execution-environment.ts names it, beside itself. */
const THREAD = 'runtime/bootstrap.ts';

/** A bundle of older sources goes after a day: no run that has begun with it is still there. */
const KEPT_MS = 86_400_000;

/** Tells the workers of one Jest run where the bundle is. */
const FILE_VARIABLE = 'THINGSTEAD_TEST_RUNTIME';

/** What to start: the bundle of this run; the sources outside of Jest, where starts are few. */
export function runtimeFile(): string {
  return process.env[FILE_VARIABLE] ?? path.join(SOURCES, 'main.ts');
}

/** Has the sources as they are now bundled, and this run start that. */
export function useBundledRuntime(): void {
  process.env[FILE_VARIABLE] = bundle();
}

/** The same sources give the same file, so that its compiled code is kept between runs. */
function bundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(__dirname, 'runtime-entry.ts')],
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: false,
    keepNames: true,
    logLevel: 'error',
    write: false,
  });
  const [main] = outputFiles;
  if (!main) throw new Error('esbuild made no file of the local runtime');
  const cache = path.join(root, 'node_modules/.cache');
  const folder = path.join(cache, `runtime-${hash('sha256', main.contents).slice(0, 16)}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    removeOld(cache);
    const draft = mkdtempSync(`${folder}.`);
    mkdirSync(path.dirname(path.join(draft, THREAD)));
    symlinkSync(path.join(SOURCES, 'services/lambda', THREAD), path.join(draft, THREAD));
    writeFileSync(path.join(draft, 'main.mjs'), main.contents);
    try {
      renameSync(draft, folder);
    } catch {
      // Another run was faster; its file is the same.
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return path.join(folder, 'main.mjs');
}

function removeOld(cache: string): void {
  for (const name of readdirSync(cache).filter((each) => each.startsWith('runtime-'))) {
    const folder = path.join(cache, name);
    const made = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - made > KEPT_MS) rmSync(folder, { recursive: true, force: true });
  }
}
