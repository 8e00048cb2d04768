/** A program of the device, its contracts and its libraries as one JavaScript file. */
import path from 'node:path';
import { build } from 'esbuild';

/** A folder below which the device SDK finds its native part, two levels up: `bin/<platform>/aws-crt-nodejs.node`. */
const NATIVE = '../native/x/y';

/** CommonJS packages in an ES module need `require` and `__dirname`; only the SDK's loader of its native part reads the latter. */
const BANNER = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);
const __dirname = \`\${import.meta.dirname}/${NATIVE}\`;`;

/**
 * Bundles the agent or its launcher.
 *
 * @param root the repository.
 * @param entry in the repository.
 * @returns the folders of the packages that are in it.
 */
export async function bundleProgram(root: string, entry: string, outfile: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
  });
  const folders = Object.keys(metafile.inputs).flatMap(
    (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(folders)].sort().map((folder) => path.join(root, folder));
}
