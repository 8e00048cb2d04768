/** Starts the local runtime in a process of its own, on free ports, and speaks to it as any script would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Fault, type FaultReport, getFaults, postFaults } from './faults.ts';
import { LogFile } from './log-file.ts';
import { runtimeFile } from './runtime-bundle.ts';

const root = path.resolve(__dirname, '../..');
const PORTS = [4566, 8883, 8443, 4580, 4581];
const ATTEMPTS = 5;

export interface Endpoints {
  readonly region: string;
  readonly accountId: string;
  readonly awsEndpoint: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly deviceHttps: { readonly host: string; readonly port: number };
  readonly apiUrl: string | null;
  readonly webUrl: string | null;
  readonly rootCaFile: string;
  readonly operator: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pid: number;
}

/** What the runtime would have sent to a person. */
export interface OutboxEntry {
  readonly id: number;
  readonly channel: 'email' | 'sms' | 'push';
  readonly destination: string;
  readonly topic: string | null;
  readonly subject: string | null;
  readonly message: string;
  readonly time: string;
  /** `confirmationToken`, `subscribeUrl`, `unsubscribeUrl` of mails; `platform`, `token` of pushes. */
  readonly details: Readonly<Record<string, string>>;
}

export interface RuntimeOptions {
  /** Folder of a cloud assembly; an empty account without one. */
  readonly assembly?: string;
  /** What is added to every port; free ones are found without it. */
  readonly portOffset?: number;
  /** Further options of the command line. */
  readonly args?: readonly string[];
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the endpoints file is, and beside it what clients trust. One that is given is left alone. */
  readonly folder?: string;
}

export interface Runtime {
  readonly endpoints: Endpoints;
  readonly endpointsFile: string;
  /** For any SDK client: `new SQSClient(runtime.config)`. */
  readonly config: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** What the process has written so far: start lines and log. */
  output(): string;
  /** Moves virtual time; resolves when everything that became due has run. Zero seconds: when nothing is left to do. */
  advance(seconds: number): Promise<void>;
  /** State as right after the start. */
  reset(): Promise<void>;
  /** Mails, text messages and pushes with a greater id than `after`. */
  outbox(after?: number): Promise<readonly OutboxEntry[]>;
  /** Replaces the plan of harm; an empty list ends all harm. */
  faults(faults: readonly Fault[], seed?: number): Promise<FaultReport>;
  /** The plan of harm, and how often each fault has matched and done harm. */
  faultReport(): Promise<FaultReport>;
  /** Ends the process as a person does. */
  stop(): Promise<void>;
  /** Ends the process by force, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** The exit code, once the process has ended. */
  readonly exited: Promise<number | null>;
}

/** Those that nobody has yet. A hook that takes too long never gets its runtime, and Jest would wait for it without end. */
const starting = new Set<ChildProcess>();
let isOver = false;
if ('afterAll' in globalThis) {
  afterAll(() => {
    isOver = true;
    for (const child of starting) child.kill('SIGKILL');
  });
}

/** Rejects with what the process wrote on standard error when it does not become ready. */
export async function startRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(options, options.portOffset ?? (await freePortOffset()));
    } catch (error) {
      // Another process may have taken a port between the look and the start.
      if (attempt === ATTEMPTS || !/Port \d+ is in use/.test(String(error))) throw error;
    }
  }
}

async function start(options: RuntimeOptions, portOffset: number): Promise<Runtime> {
  const { assembly, args = [], env } = options;
  const folder = options.folder ?? mkdtempSync(path.join(os.tmpdir(), 'thingstead-runtime-'));
  const endpointsFile = path.join(folder, 'endpoints.json');
  const log = new LogFile();
  const child = spawn(
    process.execPath,
    [
      runtimeFile(),
      '--json',
      ...['--port-offset', String(portOffset)],
      ...['--endpoints', endpointsFile],
      ...(assembly === undefined ? [] : ['--assembly', assembly]),
      ...args,
    ],
    { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', log.fd] },
  );
  const said: string[] = [];
  child.stdout?.on('data', (chunk) => said.push(String(chunk)));
  const output = () => `${said.join('')}${log.read()}`;
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const clean = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  starting.add(child);
  if (isOver) child.kill('SIGKILL');
  try {
    await ready(child, exited, output);
  } catch (error) {
    clean();
    throw error;
  } finally {
    starting.delete(child);
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal);
    await exited;
    clean();
  };
  const endpoints = JSON.parse(readFileSync(endpointsFile, 'utf8')) as Endpoints;
  const { awsEndpoint: endpoint, region, operator: credentials } = endpoints;
  return {
    endpoints,
    endpointsFile,
    config: { endpoint, region, credentials },
    output,
    advance: (seconds) => control(endpoint, 'clock', { advanceSeconds: seconds }),
    reset: () => control(endpoint, 'reset', {}),
    outbox: (after = 0) => readOutbox(endpoint, after),
    faults: (faults, seed) => postFaults(endpoint, faults, seed),
    faultReport: () => getFaults(endpoint),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    exited,
  };
}

/** Resolves with the line that says so. */
async function ready(child: ChildProcess, exited: Promise<number | null>, output: () => string): Promise<void> {
  const { stdout } = child;
  if (!stdout) throw new Error('the runtime has no standard output');
  const said = new Promise<void>((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.includes('"event":"ready"')) resolve();
    });
  });
  const ended = exited.then((code) => {
    throw new Error(`the runtime ended with ${code} before it was ready:\n${output()}`);
  });
  // When the runtime ends later, nobody waits for this any more.
  ended.catch(() => undefined);
  await Promise.race([said, ended]);
}

async function control(endpoint: string, route: string, body: unknown): Promise<void> {
  const response = await fetch(`${endpoint}/_local/${route}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`/_local/${route} answered ${response.status}: ${await response.text()}`);
}

async function readOutbox(endpoint: string, after: number): Promise<readonly OutboxEntry[]> {
  const response = await fetch(`${endpoint}/_local/outbox?after=${after}`);
  if (!response.ok) throw new Error(`/_local/outbox answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { entries: readonly OutboxEntry[] }).entries;
}

/** An offset with which every port is free now, below the range that the system gives to outgoing connections. */
/** Ports that `fetch` refuses, as browsers do: https://fetch.spec.whatwg.org/#port-blocking */
const FORBIDDEN = new Set([6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080]);

export async function freePortOffset(): Promise<number> {
  for (;;) {
    const offset = 1000 + Math.floor(Math.random() * 22_000);
    const free = await Promise.all(PORTS.map((port) => isFree(port + offset)));
    if (free.every(Boolean) && !PORTS.some((port) => FORBIDDEN.has(port + offset))) return offset;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
