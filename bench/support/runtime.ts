import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Endpoints } from '../../local/src/endpoints-file.ts';
import { temporaryPath } from './assembly.ts';
import { freePort, root, startNode, stop } from './process.ts';

export interface BenchRuntime {
  readonly process: ChildProcess;
  readonly endpoints: Endpoints;
  /** For any SDK client. */
  readonly config: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly secondsToReady: number;
  stop(): Promise<void>;
}

const PORTS = [4566, 8883, 8443, 4580];

/** Starts the local runtime with the probe inside. BENCH_NODE_OPTIONS goes to its Node.js, for a profile. */
export async function startRuntime(
  assembly: string,
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<BenchRuntime> {
  const offset = await freePort(PORTS.map((port) => port - 4566));
  const endpointsFile = path.join(temporaryPath('runtime'), 'endpoints.json');
  const options = (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean);
  const probe = path.join(root, 'bench/support/stored-probe.ts');
  const startedAt = performance.now();
  const child = startNode(
    [
      ...['--expose-gc', ...options, '--import', probe, 'local/src/main.ts'],
      ...['--assembly', assembly, '--port-offset', String(offset - 4566), '--endpoints', endpointsFile],
    ],
    { quiet },
  );
  while (!existsSync(endpointsFile)) {
    if (child.exitCode !== null) throw new Error(`the runtime ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const secondsToReady = (performance.now() - startedAt) / 1000;
  const endpoints = JSON.parse(readFileSync(endpointsFile, 'utf8')) as Endpoints;
  const { awsEndpoint: endpoint, region, operator: credentials } = endpoints;
  return {
    process: child,
    endpoints,
    config: { endpoint, region, credentials },
    secondsToReady,
    stop: () => stop(child),
  };
}

/** What people of the tests need of it. */
export function deployed({ config, endpoints }: BenchRuntime) {
  const outputs: Record<string, string> = Object.assign({}, ...Object.values(endpoints.outputs));
  return { config, output: (key: string): string => outputs[key] ?? '' };
}
