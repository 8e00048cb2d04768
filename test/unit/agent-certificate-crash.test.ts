/** Power cuts in the middle of a renewal: at every step, with every choice of what the disk had taken, a pair is left that works. */
import 'reflect-metadata';
import fc from 'fast-check';
import type { Identity } from '../../device/src/identity.ts';
import { Device, IN_TOKEN } from './agent-certificate-device.ts';
import { type Authorities, authorities, DAY_MS, NOW, World } from './certificate-world.ts';
import { CrashPoint, type Files, SimulatedDisk } from './outbox-disk.ts';

const DUE = NOW + 26 * DAY_MS;
const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 1500 : 25;
/** The device's own, in a file, or one in a token. */
type Key = Identity['key'] | undefined;
/** Of two pairs one works: it is tried at once, or after the other. */
const MAX_REFUSED = 1;
let by: Authorities;

beforeAll(async () => {
  by = await authorities();
});

interface Cut {
  readonly world: World;
  readonly disk: SimulatedDisk;
  /** How much of the disk's history there was; undefined when nothing was cut. */
  readonly length: number | undefined;
}

/** A renewal whose power is cut when so many things have happened. The cloud goes on with what it was asked. */
async function cutAfter(events: number, world: World, disk: SimulatedDisk, factoryKey?: Key): Promise<Cut> {
  let happened = 0;
  let length: number | undefined;
  const device = new Device(by, world, disk, {
    ...(factoryKey && { factoryKey }),
    happens: () => {
      happened += 1;
      if (happened <= events) return;
      length ??= disk.trace.length;
      throw new Error('power cut');
    },
  });
  await device.until(() => device.present !== by.device.certificateId && device.identities.next === undefined);
  await device.cutPower();
  expect(device.problems).toEqual([]);
  return { world, disk, length };
}

/** A disk on which these files are certain, as a part of its history. */
function diskWith(files: Files): SimulatedDisk {
  const disk = new SimulatedDisk();
  for (const [name, data] of files) {
    const file = disk.create(name);
    file.write(data);
    file.sync();
    file.close();
  }
  disk.syncDirectory();
  return disk;
}

/** What is wrong after a start with these files. */
async function discrepancies(files: Files, world: World, recovers = false, factoryKey?: Key): Promise<string[]> {
  const device = new Device(by, world, new SimulatedDisk(files), { recovers, ...(factoryKey && { factoryKey }) });
  const problems: string[] = [];
  if (!(await device.until(() => device.isConnected, 600))) {
    await device.cutPower();
    return ['it does not connect'];
  }
  const refused = device.connections.filter((each) => each.startsWith('-')).length;
  if (refused > MAX_REFUSED) problems.push(`it was refused ${refused} times`);
  const hasRenewed = (): boolean => world.working.length === 1 && world.working[0] !== by.device.certificateId;
  if (!(await device.until(() => hasRenewed() && device.present === world.working[0], 7200))) {
    problems.push(
      `it is left with ${device.present.slice(0, 8)} of ${world.working.map((id) => id.slice(0, 8)).join(', ')}`,
    );
  }
  await device.cutPower();
  return [...problems, ...device.problems];
}

function newWorld(): World {
  const world = new World(by);
  world.now = DUE;
  return world;
}

/** Of each point all subsets of what was not certain; gives the number of states. */
async function everyState(
  take: (files: Files, world: World, at: number) => Promise<void>,
  { lies = false, factoryKey }: { readonly lies?: boolean; readonly factoryKey?: Key } = {},
): Promise<number> {
  let states = 0;
  for (let events = 0; ; events += 1) {
    const disk = new SimulatedDisk();
    disk.lies = lies;
    const { world, length } = await cutAfter(events, newWorld(), disk, factoryKey);
    if (length === undefined) return states;
    const point = new CrashPoint(disk.trace, length);
    for (let mask = 0; mask < 2 ** point.pending.length; mask += 1) {
      const chosen = point.pending.filter((_, index) => mask & (1 << index));
      await take(point.files(chosen), world.copy(), events);
      states += 1;
    }
  }
}

describe.each([
  ['a device', undefined],
  ['a device whose key is in a token', IN_TOKEN],
] as const)('%s whose power is cut while it renews its certificate', (_which, factoryKey) => {
  it('connects at once when it starts again, and comes to an end: at every step, whatever the disk had taken', async () => {
    const states = await everyState(
      async (files, world, at) => {
        expect({ at, problems: await discrepancies(files, world, false, factoryKey) }).toEqual({ at, problems: [] });
      },
      { factoryKey },
    );

    expect(states).toBeGreaterThan(40);
  }, 180_000);

  it('comes back by itself when it lay on the shelf for years after that', async () => {
    await everyState(
      async (files, world, at) => {
        world.now += 3 * 366 * DAY_MS;
        expect({ at, problems: await discrepancies(files, world, true, factoryKey) }).toEqual({ at, problems: [] });
      },
      { factoryKey },
    );
  }, 180_000);
});

describe('a device whose power is cut while it renews its certificate', () => {
  it('connects and comes to an end too when the power goes again and again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ events: fc.nat(30), taken: fc.infiniteStream(fc.boolean()) }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (cuts) => {
          let world = newWorld();
          let files: Files = new Map();
          for (const { events, taken } of cuts) {
            const disk = diskWith(files);
            const cut = await cutAfter(events, world, disk);
            const point = new CrashPoint(disk.trace, cut.length ?? disk.trace.length);
            files = point.files(point.pending.filter(() => taken.next().value));
            world = world.copy();
          }
          expect(await discrepancies(files, world)).toEqual([]);
        },
      ),
      { numRuns: RUNS },
    );
  }, 180_000);

  it('would be caught if nothing were synced', async () => {
    const problems: string[] = [];
    const untilFound = everyState(
      async (files, world) => {
        problems.push(...(await discrepancies(files, world)));
        if (problems.length > 0) throw new Error('found');
      },
      { lies: true },
    );

    await expect(untilFound).rejects.toThrow('found');

    expect(problems).not.toEqual([]);
  }, 180_000);
});
