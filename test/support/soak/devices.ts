/** The process of a soak's devices. It knows nothing of the runtime but its address, and keeps the ledger. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { seededRandom } from '../../../local/src/faults/random.ts';
import type { Order, Progress } from './ledger.ts';
import { SoakDevice } from './soak-device.ts';

const CHECK_MS = 1_000;
const LOOK_MS = 20;
const devices: SoakDevice[] = [];
const timers: NodeJS.Timeout[] = [];
let checking: NodeJS.Timeout | undefined;

function start({ seed, target, devices: certificates, intervalMs }: Extract<Order, { order: 'start' }>): void {
  for (const [index, certificate] of certificates.entries()) {
    const random = seededRandom(seed + index);
    const device = new SoakDevice({ ...certificate, target, random });
    devices.push(device);
    // Spread over one interval: a fleet does not send in step.
    const first = setTimeout(() => {
      device.connect();
      timers.push(setInterval(() => device.produce(Date.now()), intervalMs));
    }, random() * intervalMs);
    timers.push(first);
  }
  checking = setInterval(() => {
    for (const device of devices) device.check();
  }, CHECK_MS);
}

function progress(): Progress {
  const sum = (of: (device: SoakDevice) => number): number => devices.reduce((total, each) => total + of(each), 0);
  return {
    sent: sum((each) => each.sent.length),
    acknowledged: sum((each) => each.acknowledged),
    repeated: sum((each) => each.repeated),
    connections: sum((each) => each.connections),
  };
}

async function finish({ ledgerFile, withinMs }: Extract<Order, { order: 'finish' }>): Promise<Progress> {
  for (const timer of timers) clearInterval(timer);
  const end = performance.now() + withinMs;
  while (!devices.every((each) => each.isDone) && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  clearInterval(checking);
  for (const device of devices) device.end();
  const file = createWriteStream(ledgerFile);
  for (const message of devices.flatMap(({ sent }) => sent))
    if (!file.write(`${JSON.stringify(message)}\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  return progress();
}

async function follow(order: Order): Promise<Progress> {
  if (order.order === 'start') start(order);
  return order.order === 'finish' ? await finish(order) : progress();
}

process.on('message', (order: Order) => {
  follow(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`devices: ${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
