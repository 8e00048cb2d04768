/** The code of the functions, bundled by esbuild in this process. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';

/** The file of a bundle in the folder of its function. */
export const BUNDLE = 'index.mjs';

/** With its SDK clients, for Node.js 24. */
export const BUNDLE_OPTIONS: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: {
    // The AWS SDK has CommonJS inside, which asks for Node's own modules with `require`.
    js: "import{createRequire as thingsteadRequire}from'node:module';const require=thingsteadRequire(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'error',
};

const bundles = new Map<string, string>();
let kept: string | undefined;

/**
 * Has bundles made in this folder, which stay there; or taken from it, if it is there. Tests synthesize several times from the
 * same sources. Whoever gives a folder vouches that the sources have not changed since.
 */
export function keepBundles(folder: string): void {
  kept = folder;
}

/** All functions of a folder at once, which reads the SDK once and not for each of them. Gives the folder they are in. */
export function bundlesOf(lambdaFolder: string): string {
  const known = bundles.get(lambdaFolder);
  if (known !== undefined) return known;
  const made = kept ?? temporaryFolder();
  if (kept === undefined || !existsSync(kept)) build(lambdaFolder, made);
  bundles.set(lambdaFolder, made);
  return made;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-bundles-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function build(lambdaFolder: string, folder: string): void {
  const entries = readdirSync(lambdaFolder).map((name) => path.join(lambdaFolder, name, 'index.ts'));
  // Nobody takes half of the bundles.
  const draft = `${folder}.draft`;
  mkdirSync(draft, { recursive: true });
  buildSync({
    ...BUNDLE_OPTIONS,
    entryPoints: entries.filter((entry) => existsSync(entry)),
    outdir: draft,
    outbase: lambdaFolder,
    outExtension: { '.js': path.extname(BUNDLE) },
  });
  renameSync(draft, folder);
}
