/** The load generator's side of the bench; the generator itself is a process of its own. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { DeviceCertificate } from '../../test/support/certificates.ts';
import { ask, nextMessage, root, startNode, stop } from './process.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** PEM of what the devices trust. */
  readonly trust: string;
}

export interface Task {
  readonly target: Target;
  readonly devices: readonly Pick<DeviceCertificate, 'thing' | 'pem' | 'keyPem'>[];
  /** What a refused device does: gives up, or tries again until it is accepted, as in registration. */
  readonly refused: 'fail' | 'again';
  /** How many devices connect at the same time. */
  readonly connecting: number;
}

export interface Connected {
  readonly seconds: number;
  readonly attempts: number;
}

export interface Burst {
  readonly messages: number;
  /** Unacknowledged messages per device. */
  readonly window: number;
  /** Messages a second over all devices; undefined: as fast as they are acknowledged. */
  readonly rate?: number;
}

export interface Published {
  readonly messages: number;
  readonly seconds: number;
  /** Monotonic microseconds of the first message. */
  readonly firstAt: number;
  /** Processor time of the generator, in seconds. */
  readonly cpuSeconds: number;
}

export interface Load {
  readonly connected: Connected;
  publish(burst: Burst): Promise<Published>;
  stop(): Promise<void>;
}

/** Starts a generator and connects its devices. */
export async function startLoad(task: Task): Promise<Load> {
  const child: ChildProcess = startNode([path.join(root, 'bench/support/generator.ts')]);
  const started = nextMessage<string>(child);
  await started;
  const connected = await ask<Connected>(child, task);
  return {
    connected,
    publish: (burst) => ask<Published>(child, burst),
    stop: () => stop(child),
  };
}
