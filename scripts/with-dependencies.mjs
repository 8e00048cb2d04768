// Runs a TypeScript file with the Node.js that package.json pins, and installs the dependencies first when they are
// missing or older than the lock file. Plain JavaScript without dependencies: it runs on Node.js 20.17 on a fresh clone.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const node = path.join(modules, 'node', 'bin', 'node');
const installed = path.join(modules, '.package-lock.json');

function isInstalled() {
  if (!existsSync(installed) || !existsSync(node)) return false;
  return statSync(installed).mtimeMs >= statSync(path.join(root, 'package-lock.json')).mtimeMs;
}

if (!isInstalled()) {
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      `${modules} is a link, and npm ci would empty the folder that it leads to. Remove the link, then try again.`,
    );
    process.exit(1);
  }
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
const tools = [path.dirname(node), path.join(modules, '.bin'), process.env.PATH];
// What was compiled, types taken out, is kept between runs: it is half of the time that a small program takes to start.
const NODE_COMPILE_CACHE = path.join(modules, '.cache', 'compiled');
const env = { NODE_COMPILE_CACHE, ...process.env, PATH: tools.join(path.delimiter) };
const child = spawn(node, [path.join(root, script), ...args], { stdio: 'inherit', env });
// The terminal sends Ctrl-C to the whole group; the child decides when to end, and we wait for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 130 : 1)));
