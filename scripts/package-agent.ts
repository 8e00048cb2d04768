/**
 * Makes a tarball of the device agent for one platform: `npm run package:agent -- --platform linux-arm64`. It holds the
 * agent as one JavaScript file, the device SDK's native part, Node.js, the systemd unit, an install script and licences, and
 * needs neither npm nor a network on the device. The same sources give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleProgram } from './package-agent/bundle.ts';
import { writeLicences } from './package-agent/licences.ts';
import { nodeRuntime } from './package-agent/node-runtime.ts';

const root = path.resolve(import.meta.dirname, '..');
const PLATFORMS = ['linux-arm64', 'linux-x64', 'linux-arm'];
const USAGE = `npm run package:agent -- [--platform ${PLATFORMS.join('|')}] [--out DIR] [--node FILE | --without-node] [--native-part FILE]`;

const values = readOptions();
const { platform } = values;

function readOptions() {
  try {
    const { values: given } = parseArgs({
      options: {
        platform: { type: 'string', default: `${process.platform}-${process.arch}` },
        out: { type: 'string', default: path.join(root, 'dist') },
        /** Node.js for the platform, where npm has none. */
        node: { type: 'string' },
        /** The device has Node.js 22.18 or newer. */
        'without-node': { type: 'boolean', default: false },
        /** aws-crt-nodejs.node for the platform, where aws-crt brings none. */
        'native-part': { type: 'string' },
      },
    });
    if (PLATFORMS.includes(given.platform)) return given;
    throw new Error(`--platform ${given.platform} is not known`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

const { version, license } = JSON.parse(readFileSync(path.join(root, 'device/package.json'), 'utf8'));
const name = `thingstead-agent-${version}-${platform}`;
const out = path.resolve(values.out);
const tree = path.join(out, name);
const inTree = (file: string): string => {
  mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
  return path.join(tree, file);
};
const copy = (from: string, to: string, mode = 0o644): void => {
  copyFileSync(path.resolve(root, from), inTree(to));
  chmodSync(path.join(tree, to), mode);
};

rmSync(tree, { recursive: true, force: true });
const packages = await bundleProgram(root, 'device/bin/thingstead-agent.mjs', inTree('lib/agent.mjs'));
// It brings no package.
await bundleProgram(root, 'device/bin/thingstead-launcher.mjs', inTree('lib/launcher.mjs'));
copy('device/package/thingstead-agent', 'bin/thingstead-agent', 0o755);
copy('device/package/thingstead-launcher', 'bin/thingstead-launcher', 0o755);
copy(nativePart(), `native/bin/${platform}-glibc/aws-crt-nodejs.node`);
if (values.node !== undefined) {
  copy(path.resolve(values.node), 'bin/node', 0o755);
} else if (!values['without-node']) {
  const runtime = nodeRuntime(root, platform);
  copy(path.join(runtime, 'bin/node'), 'bin/node', 0o755);
  copy(path.join(runtime, 'LICENSE'), 'licences/node/LICENSE');
}
copy('device/package/install.sh', 'install.sh', 0o755);
copy('device/package/agent.json', 'agent.json');
copy('device/README.md', 'README.md');
copy('LICENSE', 'LICENSE');
cpSync(path.join(root, 'device/systemd'), inTree('systemd'), { recursive: true });
writeFileSync(
  inTree('package.json'),
  `${JSON.stringify({ name: 'thingstead-agent', version, license, type: 'module', platform })}\n`,
);
writeLicences(packages, inTree('licences'));

const archive = path.join(out, `${name}.tar.gz`);
pack(archive);
const sum = createHash('sha256').update(readFileSync(archive)).digest('hex');
writeFileSync(`${archive}.sha256`, `${sum}  ${path.basename(archive)}\n`);
process.stdout.write(`${archive}\n`);

function nativePart(): string {
  const file = values['native-part'] ?? `node_modules/aws-crt/dist/bin/${platform}-glibc/aws-crt-nodejs.node`;
  if (existsSync(path.resolve(root, file))) return file;
  throw new Error(
    `${file} is missing: build aws-crt on such a device and give --native-part FILE (docs/agent-install.md)`,
  );
}

/** Names in order, one owner, one date, modes without the umask of whoever packs: nothing of this machine is in it. GNU tar. */
function pack(file: string): void {
  const order = ['--sort=name', '--format=ustar', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const mode = '--mode=u=rwX,go=rX';
  execFileSync('tar', [...order, mode, '--use-compress-program=gzip -n', '-cf', file, '-C', out, name], {
    stdio: 'inherit',
  });
}
