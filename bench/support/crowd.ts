/** Many devices that connect and stay; the generator is a process of its own. */
import path from 'node:path';
import type { DeviceCertificate } from '../../test/support/certificates.ts';
import type { Target } from './load.ts';
import { ask, nextMessage, root, startNode, stop } from './process.ts';

export interface Crowd {
  readonly target: Target;
  readonly devices: readonly Pick<DeviceCertificate, 'thing' | 'pem' | 'keyPem'>[];
  /** What each device subscribes to, with `{thing}` for its name; undefined: nothing. */
  readonly topic: string | undefined;
}

export type CrowdOrder =
  | { readonly do: 'gather'; readonly crowd: Crowd }
  /** Connects the devices with the indices `from` to, but not with, `to`. */
  | { readonly do: 'connect'; readonly from: number; readonly to: number; readonly atOnce: number }
  /** All lose their connections and connect again, at the same time. */
  | { readonly do: 'return' }
  /** All lose their connections, without DISCONNECT. */
  | { readonly do: 'lose' }
  | { readonly do: 'report' };

export interface CrowdAnswer {
  /** From the first attempt to connect to the last acceptance. */
  readonly seconds: number;
  readonly connected: number;
  /** How many topics something was received on, and how many messages that were. */
  readonly reached: number;
  readonly messages: number;
}

export interface CrowdGenerator {
  tell(order: CrowdOrder): Promise<CrowdAnswer>;
  stop(): Promise<void>;
}

/** Starts a generator that has the certificates ready and no connection yet. */
export async function startCrowd(crowd: Crowd): Promise<CrowdGenerator> {
  const child = startNode([path.join(root, 'bench/support/crowd-generator.ts')]);
  await nextMessage(child);
  const tell = (order: CrowdOrder): Promise<CrowdAnswer> => ask<CrowdAnswer>(child, order);
  await tell({ do: 'gather', crowd });
  return { tell, stop: () => stop(child) };
}

/** So many descriptors a process needs besides its connections. */
const OTHER_DESCRIPTORS = 500;

/**
 * Stops the figure before it begins when the processes may not open so many connections.
 *
 * @throws Error that says what to raise
 */
export function requireDescriptors(connections: number): void {
  const report = process.report.getReport() as unknown as {
    readonly userLimits: { readonly open_files: { readonly soft: number | 'unlimited' } };
  };
  const { soft } = report.userLimits.open_files;
  const needed = connections + OTHER_DESCRIPTORS;
  if (soft !== 'unlimited' && soft < needed)
    throw new Error(`a process may open ${soft} files and ${needed} are needed: run \`ulimit -n ${needed}\` before`);
}
