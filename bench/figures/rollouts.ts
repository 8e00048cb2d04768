import { randomBytes } from 'node:crypto';
import type { FirmwareRequest, UpdateState } from '@thingstead/contracts/firmware';
import type { RolloutRelease, RolloutTick } from '@thingstead/contracts/rollout-store';
import { NewRollout } from '@thingstead/contracts/rollouts';
import { listShardOf } from '@thingstead/contracts/things';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import * as v from 'valibot';
import { onTick } from '../../lambda/rollout-ticks/tick.ts';
import { create } from '../../lambda/rollouts/create.ts';
import type { StatusPorts, TickPorts } from '../../lambda/rollouts/ports.ts';
import { onStatus } from '../../lambda/rollouts/status.ts';
import { Bill } from '../support/bill.ts';
import { BilledRollout } from '../support/billed-rollout.ts';
import { type Figure, percentile, type Row, say } from '../support/figure.ts';
import { TimeQueue } from '../support/time-queue.ts';

/** BENCH_DEVICES: fewer, to try it out. */
const LARGEST = Number(process.env.BENCH_DEVICES ?? 1_000_000);
const SIZES = [1_000, 100_000, LARGEST].filter((size, at) => at === 2 || size < LARGEST);
const START = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;
const PRODUCT = 'lamp';
const SHARDS = 8;
/** A thing's row, on average: it has a description and its presence. */
const THING_BYTES = 900;
/** What is assumed of Lambda, since here nothing is waited for: so long a tick and a message take there. */
const TICK_GB_SECONDS = 2 * 0.5;
const MESSAGE_GB_SECONDS = 0.05 * 0.25;

/** What a device says, and when, counted from its start. */
const SUCCESS: readonly (readonly [UpdateState, number])[] = [
  ['DOWNLOADING', 0.5],
  ['VERIFYING', 3],
  ['INSTALLING', 3.5],
  ['RESTARTING', 4],
  ['HEALTH_CHECK', 5],
  ['COMMITTED', 6],
];
const FAILURE = [...SUCCESS.slice(0, 4), ['ROLLED_BACK', 6]] as const;

type Happening =
  | { readonly at: number; readonly tick: RolloutTick }
  | { readonly at: number; readonly thing: string; readonly attempt: string; readonly step: number };

/** The real decisions of rollouts, with devices that are played and tables in memory that count what AWS would charge. */
export const rollouts: Figure = {
  name: 'rollouts',
  title: `A rollout to ${LARGEST.toLocaleString('en-US')} devices: what it decides, and what that costs`,
  async measure() {
    const rows: Row[] = [];
    for (const size of SIZES) rows.push(...(await measured(size)));
    return rows;
  },
};

async function measured(size: number): Promise<readonly Row[]> {
  say(`rollouts: ${size.toLocaleString('en-US')} devices`);
  const bill = new Bill();
  const store = new BilledRollout(bill);
  const happenings = new TimeQueue<Happening>();
  let now = START;
  const ports = portsOf(size, store, bill, happenings, () => now);
  const settings = { waves: [{ percent: 5 }, { percent: 25 }, { percent: 100 }], rate: { perMinute: 1000 } };
  const body = v.parse(NewRollout, { product: PRODUCT, counter: 2, ...settings });
  await create(body, 'operator', ports);

  const cpu: number[] = [];
  let [mostTouched, peak] = [0, 0];
  for (let next = happenings.pop(); next; next = happenings.pop()) {
    now = next.at;
    if (store.row?.state === 'PAUSED' || store.row?.state === 'ABORTED')
      throw new Error(`it is ${store.row.state}: ${store.row.reason}`);
    if ('tick' in next) {
      // Sent, received and deleted; sending was counted where it was sent.
      bill.add('sqsRequest', 2);
      bill.add('lambdaRequest');
      bill.add('lambdaArm', TICK_GB_SECONDS);
      store.touched = 0;
      const before = process.threadCpuUsage();
      await onTick(next.tick, ports);
      const { user, system } = process.threadCpuUsage(before);
      cpu.push((user + system) / 1000);
      mostTouched = Math.max(mostTouched, store.touched);
      if (cpu.length % 500 === 0) peak = Math.max(peak, process.memoryUsage().rss);
    } else await speak(next, happenings, ports, bill);
  }
  const row = store.row;
  if (row?.state !== 'COMPLETED') throw new Error(`it is ${row?.state}: ${row?.reason}`);
  const each = (count: number): number => count / size;
  const of = `${size.toLocaleString('en-US')} devices`;
  return [
    {
      what: `${of}: DynamoDB write units per device`,
      value: each(bill.of('dynamodbWrite')),
      unit: '',
      aim: 'does not grow',
    },
    {
      what: `${of}: DynamoDB read units per device`,
      value: each(bill.of('dynamodbRead')),
      unit: '',
      aim: 'does not grow',
    },
    { what: `${of}: SQS requests per device`, value: each(bill.of('sqsRequest')), unit: '', aim: 'does not grow' },
    { what: `${of}: IoT messages per device`, value: each(bill.of('iotMessage')), unit: '', aim: 'does not grow' },
    { what: `${of}: DynamoDB`, value: 1e6 * each(bill.usd('dynamodbRead', 'dynamodbWrite')), unit: 'USD per million' },
    { what: `${of}: all of AWS`, value: 1e6 * each(bill.usd()), unit: 'USD per million', aim: 'does not grow' },
    { what: `${of}: devices that one tick looks at, at most`, value: mostTouched, unit: '', aim: 'at most 500' },
    { what: `${of}: processor time of a tick, 99th percentile`, value: percentile(cpu, 0.99), unit: 'ms' },
    { what: `${of}: ticks`, value: cpu.length, unit: '' },
    { what: `${of}: it takes, at 1 000 a minute`, value: (now - START) / 60 / MINUTE, unit: 'h' },
    ...(peak > 0 ? [{ what: `${of}: memory of this process`, value: peak / 2 ** 20, unit: 'MiB' }] : []),
  ];
}

/** One in a hundred fails, two are away. */
function conductOf(thing: string): 'updates' | 'fails' | 'away' {
  const number = Number(thing.slice(1)) % 100;
  return number === 7 ? 'fails' : number === 42 || number === 77 ? 'away' : 'updates';
}

async function speak(
  { thing, attempt, step, at }: Extract<Happening, { readonly thing: string }>,
  happenings: TimeQueue<Happening>,
  ports: StatusPorts,
  bill: Bill,
): Promise<void> {
  const script = conductOf(thing) === 'fails' ? FAILURE : SUCCESS;
  const [state, minutes] = script[step] ?? ['COMMITTED', 0];
  const failure = state === 'ROLLED_BACK' ? ({ failure: 'does-not-start' } as const) : {};
  const status: FirmwareRequest = { type: 'status', state, version: '2.0', counter: 2, ...failure };
  spoken(bill);
  await onStatus({ thing, attempt }, status, ports);
  const following = script[step + 1];
  if (following) happenings.push({ at: at + (following[1] - minutes) * MINUTE, thing, attempt, step: step + 1 });
}

/** A message of a device through the rule to the function, and its answer. */
function spoken(bill: Bill): void {
  bill.add('iotMessage', 3);
  bill.add('iotRule');
  bill.add('iotAction');
  bill.add('lambdaRequest');
  bill.add('lambdaArm', MESSAGE_GB_SECONDS);
}

function portsOf(
  size: number,
  store: BilledRollout,
  bill: Bill,
  happenings: TimeQueue<Happening>,
  now: () => number,
): TickPorts & StatusPorts {
  const release: RolloutRelease = {
    ...{ product: PRODUCT, version: '2.0', counter: 2, minimumCounter: 1, hardwareRevisions: ['r1'], size: 50_000_000 },
    expiresAt: START + 365 * 86_400_000,
  };
  const names = shardsOf(size);
  return {
    rollouts: store.rollouts,
    devices: store.devices,
    offers: store.offers,
    now,
    newId: (time) => ulidOf(time, randomBytes(ULID_RANDOM_BYTES)),
    lists: {
      names: async ({ partition }, { from }, limit) => {
        bill.read(limit * 100, false);
        const list = names[Number(partition.slice(-1))] ?? [];
        const begin = firstFrom(list, from);
        return list.slice(begin, begin + limit);
      },
      rows: async (things) => {
        for (const _ of things) bill.read(THING_BYTES, false);
        const presence = { connected: true, since: START };
        return new Map(
          things.map((thing) => [
            thing,
            {
              ...{ pk: thing, thingType: PRODUCT, hardwareRevision: 'r1' },
              presence: { ...presence, connected: conductOf(thing) !== 'away' },
            },
          ]),
        );
      },
    },
    shadows: {
      desire: async (thing, { attempt }) => {
        bill.add('iotOperation');
        // Those who listen to the shadow hear of it: accepted, documents and delta are published, the device gets the delta.
        bill.add('iotMessage', 4);
        if (conductOf(thing) === 'away') return true;
        // It asks for the download, which is signed; and says what it runs when it has started again.
        spoken(bill);
        bill.add('kmsAsymmetric');
        bill.read(600);
        spoken(bill);
        bill.write(700);
        bill.write(THING_BYTES);
        happenings.push({ at: now() + 0.5 * MINUTE, thing, attempt, step: 0 });
        return true;
      },
    },
    presences: {
      find: async (thing) => {
        bill.read(THING_BYTES);
        return { connected: conductOf(thing) !== 'away', since: START, connections: 1 };
      },
    },
    errors: { between: () => Promise.reject(new Error('no sensor is asked for')) },
    releases: {
      find: async () => {
        bill.read(1500);
        return { ...release, state: 'PUBLISHED' };
      },
      makeCurrent: async () => bill.write(200, true),
    },
    ticks: {
      send: async (tick, delay) => {
        bill.add('sqsRequest');
        happenings.push({ at: now() + delay * 1000, tick });
      },
    },
    reports: { decided: () => {}, changed: () => {}, refused: () => {}, late: () => {}, failed: () => {} },
  };
}

/** Where the names from this one on begin. */
function firstFrom(list: readonly string[], from: string): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? '') < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Names of things as the lists have them, in their order. */
function shardsOf(size: number): readonly (readonly string[])[] {
  const shards: string[][] = Array.from({ length: SHARDS }, () => []);
  for (let number = 0; number < size; number += 1) {
    const name = `d${String(number).padStart(7, '0')}`;
    shards[Number(listShardOf(PRODUCT, name).slice(-1))]?.push(name);
  }
  return shards;
}
