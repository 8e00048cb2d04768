/**
 * `npm run bench -- soak [--minutes 60] [--devices 500] [--interval 10] [--seed N]`: a fleet sends telemetry while connections
 * are cut, functions fail and deliveries are repeated; then an auditor compares every store with what the devices have sent.
 * Prints the runtime's memory each minute. Exits 1 on any difference.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { DescribeEndpointCommand, IoTClient } from '@aws-sdk/client-iot';
import type { Progress } from '../test/support/soak/ledger.ts';
import { soak } from '../test/support/soak/soak.ts';
import { platformAssembly } from './support/assembly.ts';
import { activate, createFleet } from './support/fleet.ts';
import { ask, residentBytes, root } from './support/process.ts';
import { type BenchRuntime, startRuntime } from './support/runtime.ts';
import type { StoredReport } from './support/stored-probe.ts';

const MIB = 2 ** 20;
const MINUTE_MS = 60_000;
/** What the devices may take for the rest when they send no more. */
const DRAIN_MS = 120_000;
const SHOWN_DIFFERENCES = 20;

interface Sample {
  readonly minute: number;
  readonly sent: number;
  readonly residentMiB: number;
  /** After a collection: objects, and buffers outside the heap. */
  readonly heapMiB: number;
  readonly externalMiB: number;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @throws TypeError for options that are not known */
function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '60' },
      devices: { type: 'string', default: '500' },
      /** Seconds between two messages of a device. */
      interval: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    },
  });
  const [minutes, devices, interval, seed] = [values.minutes, values.devices, values.interval, values.seed].map(Number);
  if (
    !minutes ||
    !devices ||
    !interval ||
    seed === undefined ||
    !(minutes > 0 && devices > 0 && interval > 0 && seed >= 0)
  ) {
    throw new TypeError('--minutes, --devices and --interval are numbers above 0, --seed a whole number from 0');
  }
  return { minutes, devices, interval, seed };
}

/** Growth for each unit of `x`, by least squares. */
function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  return mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2);
}

/** Runs the soak and gives the exit code. */
export async function runSoak(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
  const { minutes, devices, interval, seed } = options;
  say(`soak: ${devices} devices, a message of 3 readings each ${interval} s, ${minutes} minutes, --seed ${seed}`);
  const fleet = await createFleet(devices);
  const runtime = await startRuntime(await platformAssembly(), { quiet: true });
  const samples: Sample[] = [];
  try {
    const atStart = await heapOf(runtime);
    await activate(fleet, runtime);
    const sample = async (minute: number, progress: Progress): Promise<void> => {
      const { heapBytes, externalBytes } = await ask<StoredReport>(runtime.process, 'stored');
      const residentMiB = residentBytes(runtime.process.pid) / MIB;
      const { sent, acknowledged, repeated, connections } = progress;
      const [heapMiB, externalMiB] = [heapBytes / MIB, externalBytes / MIB];
      samples.push({ minute, sent, residentMiB, heapMiB, externalMiB });
      say(
        `minute ${minute.toFixed(0).padStart(3)}  sent ${sent}, not acknowledged ${sent - acknowledged}, sent again ${repeated}, ` +
          `connections ${connections}  RSS ${residentMiB.toFixed(0)} MiB, heap ${heapMiB.toFixed(1)} MiB, buffers ${externalMiB.toFixed(1)} MiB`,
      );
    };
    const { progress, harmed, archivedAgain, differences, messages, readings } = await soak({
      root,
      seed,
      devices: fleet.devices,
      intervalMs: interval * 1000,
      runtime,
      drainMs: DRAIN_MS,
      during: async (ofDevices) => {
        const end = performance.now() + minutes * MINUTE_MS;
        for (let minute = 0; ; minute += 1) {
          await sample(minute, await ofDevices());
          const left = end - performance.now();
          if (left <= 0) return;
          await new Promise((resolve) => setTimeout(resolve, Math.min(MINUTE_MS, left)));
        }
      },
    });
    say(
      `harm done: ${Object.entries(harmed)
        .map(([what, times]) => `${what} ${times}`)
        .join(', ')}`,
    );
    say(
      `${messages} messages with ${readings} readings; sent again ${progress.repeated}, archived again ${archivedAgain}`,
    );
    sayMemory(samples);
    for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) say(`  ${difference}`);
    if (differences.length > 0) {
      say(`FAILED: ${differences.length} differences between what was sent and what is stored`);
      return 1;
    }
    const { awsEndpoint } = runtime.endpoints;
    await fetch(`${awsEndpoint}/_local/reset`, { method: 'POST' });
    // The front door knows the account of the request before until the next one.
    await new IoTClient(runtime.config).send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
    const afterReset = await heapOf(runtime);
    say(
      `without what is stored: ${(afterReset / MIB).toFixed(1)} MiB of heap and buffers after a reset, ${(atStart / MIB).toFixed(1)} MiB at the start`,
    );
    say('Stored is exactly what was sent: history, latest values and roll-ups once, archive at least once.');
    return 0;
  } finally {
    await runtime.stop();
  }
}

/** Bytes of objects and buffers after a collection. */
async function heapOf({ process }: BenchRuntime): Promise<number> {
  const { heapBytes, externalBytes } = await ask<StoredReport>(process, 'stored');
  return heapBytes + externalBytes;
}

/** History, stream and archive are in memory, so it grows with what is stored. The first minute is connecting and warming up. */
function sayMemory(samples: readonly Sample[]): void {
  const steady = samples.slice(1);
  if (steady.length < 2) return;
  const perMinute = (of: (sample: Sample) => number) =>
    slope(steady.map((each) => ({ x: each.minute, y: of(each) }))).toFixed(2);
  const perMessage = (of: (sample: Sample) => number) =>
    (slope(steady.map((each) => ({ x: each.sent, y: of(each) }))) * 1024).toFixed(2);
  say(
    `memory: RSS ${perMinute((each) => each.residentMiB)} MiB a minute; each message stored: ` +
      `${perMessage((each) => each.heapMiB)} KiB of heap, ${perMessage((each) => each.externalMiB)} KiB of buffers`,
  );
}
