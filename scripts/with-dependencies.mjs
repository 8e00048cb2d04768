// Runs a TypeScript file with the Node.js that package.json pins, and installs the dependencies first when they are
// missing or older than the lock file. Plain JavaScript without dependencies: it runs on Node.js 20.17 on a fresh clone.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const node = path.join(root, 'node_modules', 'node', 'bin', 'node');
const installed = path.join(root, 'node_modules', '.package-lock.json');

function isInstalled() {
  if (!existsSync(installed) || !existsSync(node)) return false;
  return statSync(installed).mtimeMs >= statSync(path.join(root, 'package-lock.json')).mtimeMs;
}

if (!isInstalled()) {
  console.error('Installing dependencies (npm ci), this takes a minute the first time ...');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error('npm ci failed; its message is above. Check the network and the npm registry, then try again.');
    process.exit(status ?? 1);
  }
}

const [script, ...args] = process.argv.slice(2);
// The pinned Node.js first, then the tools of the workspace, so that scripts name them without a path.
const tools = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH];
// What was compiled, types taken out, is kept between runs: it is half of the time that a small program takes to start.
const NODE_COMPILE_CACHE = path.join(root, 'node_modules', '.cache', 'compiled');
const env = { NODE_COMPILE_CACHE, ...process.env, PATH: tools.join(path.delimiter) };
const child = spawn(node, [path.join(root, script), ...args], { stdio: 'inherit', env });
// The terminal sends Ctrl-C to the whole group; the child decides when to end, and we wait for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 130 : 1)));
