/**
 * `npm start`: synthesizes, starts the local runtime, lets the demo devices join and shows what happens. It spawns the
 * same commands that a person would type, and imports nothing of ours but its own parts in `start/`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { printCost, watchMeter } from './start/cost.ts';
import { check, demoThings, isKeptDemo, startDemo } from './start/demo.ts';
import { peopleNext, startPeople } from './start/people.ts';
import { endAll, endpointsFile, root, run, say, start } from './start/processes.ts';

const assembly = path.join(root, 'cdk.out');

const USAGE = 'npm start -- [--once] [--no-demo] [--data DIR] [--port-offset N]';

const options = readOptions();

function readOptions() {
  try {
    return parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        'no-demo': { type: 'boolean', default: false },
        data: { type: 'string' },
        'port-offset': { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

interface Endpoints {
  readonly awsEndpoint: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly deviceHttps: { readonly host: string; readonly port: number };
  readonly apiUrl: string | null;
  readonly rootCaFile: string;
  readonly pid: number;
}

const startedAt = performance.now();
let ending = false;

function seconds(): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

/** True when no source of the templates or of the bundles is newer than the assembly. */
function isSynthesized(): boolean {
  const manifest = path.join(assembly, 'manifest.json');
  if (!existsSync(manifest)) return false;
  const made = statSync(manifest).mtimeMs;
  const sources = ['bin', 'lib', 'contracts', 'crypto', 'lambda'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  );
  return [...sources, 'cdk.json', 'package-lock.json'].every((name) => statSync(path.join(root, name)).mtimeMs <= made);
}

async function startRuntime(): Promise<Endpoints> {
  const data = options.data === undefined ? [] : ['--data', path.resolve(options.data)];
  const runtime = start('local/src/main.ts', [
    ...['--assembly', assembly, '--port-offset', options['port-offset']],
    ...data,
  ]);
  let words = '';
  for (const stream of [runtime.stdout, runtime.stderr]) {
    stream?.on('data', (chunk) => {
      words += chunk;
    });
  }
  runtime.on('exit', (code) => {
    if (!ending) end(code || 1, words);
  });
  for (;;) {
    const endpoints = readEndpoints();
    // A file that is there already is another runtime's, which may be running and needs it.
    if (endpoints && endpoints.pid === runtime.pid) return endpoints;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function readEndpoints(): Endpoints | undefined {
  return existsSync(endpointsFile) ? JSON.parse(readFileSync(endpointsFile, 'utf8')) : undefined;
}

function printEndpoints(endpoints: Endpoints): void {
  say(`${styleText('bold', 'Thingstead')}  local runtime, ready in ${seconds()}\n`);
  say(`  AWS        ${endpoints.awsEndpoint}`);
  say(
    `  MQTT       ${endpoints.mqtt.host}:${endpoints.mqtt.port}   mutual TLS, root CA ${path.relative(root, endpoints.rootCaFile)}`,
  );
  say(
    `  HTTPS      https://${endpoints.deviceHttps.host}:${endpoints.deviceHttps.port}/topics/...   devices publish here without MQTT`,
  );
  if (endpoints.apiUrl !== null) say(`  REST API   ${endpoints.apiUrl}   docs/openapi.json has its routes`);
  say(`  Endpoints  ${path.relative(root, endpointsFile)}   for scripts: addresses, stack outputs, operator's keys\n`);
}

function printNext(): void {
  say('\n  Try next, in another terminal:');
  say('    npx thingstead --local device list');
  say(`    npx thingstead --local device show ${demoThings[0]}`);
  say('    npx thingstead --local watch');
  say('    npx thingstead --local simulate 5');
  for (const line of peopleNext) say(`    ${line}`);
  const kept = options.data === undefined ? 'nothing is kept' : `${options.data} keeps the state for the next start`;
  say(`  Ctrl-C ends everything; ${kept}.\n`);
}

async function end(code: number, words = ''): Promise<void> {
  if (ending) return;
  ending = true;
  if (words) process.stderr.write(words);
  else await printCost();
  await endAll();
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal === 'SIGINT' ? 130 : 143));

if (options.help) {
  say(USAGE);
  process.exit(0);
}
if (options.once && options['no-demo']) {
  process.stderr.write('--once checks what the demo devices sent, so it cannot go with --no-demo.\n');
  process.exit(2);
}
if (options.once && options.data !== undefined) {
  process.stderr.write(
    '--once compares what the demo devices send with all that is stored, so it cannot go with --data.\n',
  );
  process.exit(2);
}
try {
  if (!isSynthesized()) {
    say('Synthesizing the templates ...');
    await run('bin/thingstead.ts', []);
  }
  const endpoints = await startRuntime();
  watchMeter(endpoints.awsEndpoint);
  printEndpoints(endpoints);
  const [devices, people] = options['no-demo']
    ? [[], undefined]
    : await Promise.all([startDemo(options.data), isKeptDemo(options.data) ? undefined : startPeople()]);
  if (options.once) {
    const isStored = await check(devices, endpoints.awsEndpoint);
    const seen = await people?.ownThings();
    const isSeen = demoThings.every((thing) => seen?.includes(thing));
    if (!isSeen) say(`\n  FAILED: the owner of the site sees ${seen?.join(', ') || 'nothing'}.`);
    if (!isStored) say('\n  FAILED: what was sent is not what is stored.');
    if (isSeen && isStored) say(`\n  Every reading is in every store, and the owner sees every thing (${seconds()}).`);
    await end(isSeen && isStored ? 0 : 1);
  }
  printNext();
} catch (error) {
  await end(1, `${error instanceof Error ? error.message : String(error)}\n`);
}
