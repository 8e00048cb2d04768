/** A soak: devices send through a platform that harm is done to; then the harm ends, and the auditor compares. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeviceCertificate } from '../certificates.ts';
import { type Fault, type FaultReport, getFaults, postFaults } from '../faults.ts';
import type { Runtime } from '../runtime.ts';
import { type Audit, audit } from './audit.ts';
import type { Order, Progress } from './ledger.ts';

/** Time for a few batches of the stream. */
const STREAM_SECONDS = 30;
/** Firehose collects for up to 900 s. */
const FLUSH_SECONDS = 960;

const telemetry = { function: 'thingstead-telemetry' };
/** Harm as on a bad day: nothing that may lose what was acknowledged. An invocation makes up to 1 500 calls. */
const FAULTS = [
  { at: 'connection', do: 'cut', probability: 0.01 },
  { at: 'connection', do: 'silence', probability: 0.001 },
  { at: 'invocation', match: telemetry, do: 'error', probability: 0.01 },
  { at: 'invocation', match: telemetry, do: 'lose-result', probability: 0.01 },
  { at: 'call', match: telemetry, do: 'crash-after', probability: 0.00001 },
  { at: 'call', match: telemetry, do: 'lose-answer', probability: 0.0002 },
  { at: 'call', match: telemetry, do: 'error', probability: 0.0002 },
  { at: 'call', match: telemetry, do: 'throttle', probability: 0.0002 },
  { at: 'stream-delivery', do: 'duplicate', probability: 0.1 },
  { at: 'rule-action', do: 'duplicate', probability: 0.05 },
] as const satisfies readonly Fault[];

export interface SoakOptions {
  /** The folder of the repository. */
  readonly root: string;
  readonly seed: number;
  /** Registered and active. */
  readonly devices: readonly DeviceCertificate[];
  /** A device sends a message at every interval. */
  readonly intervalMs: number;
  /** A platform that has nothing yet. */
  readonly runtime: Pick<Runtime, 'config'> & {
    readonly endpoints: Pick<Runtime['endpoints'], 'mqtt' | 'rootCaFile' | 'outputs'>;
  };
  /** Resolves when the devices are to send no more. */
  during(progress: () => Promise<Progress>): Promise<void>;
  /** How long the devices may take to get the rest through, in milliseconds. */
  readonly drainMs: number;
  /** So many times the usual harm. */
  readonly intensity?: number;
}

export interface SoakResult extends Audit {
  readonly progress: Progress;
  /** How often harm was done, by point and harm. */
  readonly harmed: Readonly<Record<string, number>>;
}

/** Runs the devices in a process of their own, with harm to connections while they send, and to the rest until the stream is read. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { root, seed, devices, intervalMs, drainMs, intensity = 1 } = options;
  const { config, endpoints } = options.runtime;
  const startedAt = Date.now();
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-soak-'));
  const ledgerFile = path.join(folder, 'ledger.jsonl');
  const child = spawn(process.execPath, [path.join(root, 'test/support/soak/devices.ts')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const plan = FAULTS.map((each) => ({ ...each, probability: Math.min(1, each.probability * intensity) }));
    await postFaults(config.endpoint, plan, seed);
    const target = { ...endpoints.mqtt, trust: readFileSync(endpoints.rootCaFile, 'utf8') };
    const certificates = devices.map(({ thing, pem, keyPem }) => ({ thing, pem, keyPem }));
    await ask(child, { order: 'start', seed, target, devices: certificates, intervalMs });
    await options.during(() => ask(child, { order: 'progress' }));
    const before = await getFaults(config.endpoint);
    // The devices get the rest through; what is on the stream goes on meeting harm.
    const rest = plan.filter(({ at }) => at !== 'connection');
    await postFaults(config.endpoint, rest, seed);
    const progress = await ask(child, { order: 'finish', ledgerFile, withinMs: drainMs });
    await advance(config.endpoint, STREAM_SECONDS);
    const after = await getFaults(config.endpoint);
    await postFaults(config.endpoint, []);
    await advance(config.endpoint, FLUSH_SECONDS);
    const outputs = Object.assign({}, ...Object.values(endpoints.outputs));
    const found = await audit(ledgerFile, { config, outputs }, startedAt);
    const open = progress.sent - progress.acknowledged;
    const unacknowledged = open === 0 ? [] : [`${open} messages were not acknowledged in ${drainMs / 1000} s`];
    return {
      ...found,
      differences: [...unacknowledged, ...found.differences],
      progress,
      harmed: countHarm(before, after),
    };
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function countHarm(...reports: readonly FaultReport[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { at, do: harm, harmed } of reports.flatMap(({ faults }) => faults))
    counts[`${at} ${harm}`] = (counts[`${at} ${harm}`] ?? 0) + harmed;
  return counts;
}

/** @throws Error when the process ends instead of answering */
async function ask(child: ChildProcess, order: Order): Promise<Progress> {
  const over = new AbortController();
  try {
    const answer = once(child, 'message', { signal: over.signal }).then(([message]) => message as Progress);
    const end = once(child, 'exit', { signal: over.signal }).then(([code]): never => {
      throw new Error(`the process of the devices ended with ${code}`);
    });
    end.catch(() => undefined);
    child.send(order);
    return await Promise.race([answer, end]);
  } finally {
    over.abort();
  }
}

/** Not with fetch, which gives up after five minutes without an answer: first everything that is under way ends. */
async function advance(endpoint: string, advanceSeconds: number): Promise<void> {
  const request = http.request(`${endpoint}/_local/clock`, { method: 'POST' });
  request.end(JSON.stringify({ advanceSeconds }));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`/_local/clock answered ${response.statusCode}: ${answer}`);
}
