import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The Node.js that package.json pins, as npm packages by platform. */
const VERSION = '24.21.0';
/** SHA-256 of `bin/node` in them: a tarball of the agent holds these bytes or none. */
const SHA256: Readonly<Record<string, string>> = {
  'linux-x64': '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
  'linux-arm64': '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
};

/**
 * The folder of the npm package with Node.js for a platform. It is fetched once, into `node_modules/.cache`.
 *
 * @throws Error when there is none for this platform, or it is not the one that is pinned.
 */
export function nodeRuntime(root: string, platform: string): string {
  const expected = SHA256[platform];
  if (expected === undefined) {
    throw new Error(
      `there is no Node.js ${VERSION} for ${platform}: give --node FILE, or --without-node for the system's`,
    );
  }
  const cache = path.join(root, 'node_modules/.cache/thingstead-agent', `${platform}-${VERSION}`);
  const folder = path.join(cache, 'package');
  if (!existsSync(path.join(folder, 'bin/node'))) {
    mkdirSync(cache, { recursive: true });
    execFileSync('npm', ['pack', '--silent', '--pack-destination', cache, `node-${platform}@${VERSION}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    execFileSync('tar', ['-xzf', path.join(cache, `node-${platform}-${VERSION}.tgz`), '-C', cache]);
  }
  const found = createHash('sha256')
    .update(readFileSync(path.join(folder, 'bin/node')))
    .digest('hex');
  if (found !== expected)
    throw new Error(`${folder}/bin/node has SHA-256 ${found}, not ${expected}: remove that folder`);
  return folder;
}
