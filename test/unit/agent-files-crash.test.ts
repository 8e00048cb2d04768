/** Files and power cuts: at every step of a transfer, with every choice of what the disk had taken, it comes to the same end. */
import { randomBytes } from 'node:crypto';
import { FilesCloud, type Transfers } from './agent-files-cloud.ts';
import { FilesWorld, idOf } from './agent-files-world.ts';
import { CrashPoint, type Files, SimulatedDisk } from './outbox-disk.ts';

const EXHAUSTIVE = Boolean(process.env.THINGSTEAD_EXHAUSTIVE);
/** Of all crash states, in a usual run: every n-th, beginning anywhere. */
const EVERY = EXHAUSTIVE ? 1 : 3;
/** So many operations in doubt are tried in every combination. */
const ALL_SUBSETS = EXHAUSTIVE ? 9 : 4;

interface Life {
  readonly world: FilesWorld;
  /** How the cloud was, from which operation of the disk on. */
  readonly clouds: readonly { readonly at: number; readonly transfers: Transfers }[];
  /** Operations that belong to the preparation. */
  readonly from: number;
  readonly puts: number;
}

async function live(prepare: (world: FilesWorld) => void | Promise<void>, lies = false): Promise<Life> {
  const world = new FilesWorld();
  await prepare(world);
  const from = world.disk.trace.length;
  world.disk.lies = lies;
  const clouds = [{ at: 0, transfers: world.cloud.copy() }];
  world.cloud.changed = () => clouds.push({ at: world.disk.trace.length, transfers: world.cloud.copy() });
  world.connect();
  await world.ended();
  await world.transfers.end();
  return { world, clouds, from, puts: world.cloud.puts.length };
}

type Pending = CrashPoint['pending'];

/** What the disk may have taken of what was in doubt. */
function choices(pending: Pending): readonly Pending[] {
  if (pending.length <= ALL_SUBSETS) {
    return Array.from({ length: 2 ** pending.length }, (_, mask) =>
      pending.filter((_operation, index) => mask & (1 << index)),
    );
  }
  const without = pending.map((_, index) => pending.filter((_operation, at) => at !== index));
  const prefixes = pending.map((_, index) => pending.slice(0, index));
  return [pending, ...prefixes, ...without];
}

/** Every state in which the device and the cloud may find themselves after the power has gone. */
function* crashes({ world, clouds, from }: Life): Generator<{ files: Files; transfers: Transfers; where: string }> {
  const { trace } = world.disk;
  for (let length = from; length <= trace.length; length += 1) {
    const point = new CrashPoint(trace, length);
    const since = clouds.filter(({ at }) => at === length);
    const present = [...clouds.filter(({ at }) => at < length).slice(-1), ...since];
    for (const chosen of choices(point.pending)) {
      const tear = { at: Math.floor(point.tearable(chosen) / 2), zeros: length % 2 === 0 };
      for (const { transfers } of present) {
        const where = `after ${length} of ${trace.length}, with ${chosen.length} of ${point.pending.length}`;
        yield { files: point.files(chosen), transfers, where };
        if (point.tearable(chosen) > 0) yield { files: point.files(chosen, tear), transfers, where: `${where}, torn` };
      }
    }
  }
}

/** The agent starts again. */
async function recover(files: Files, transfers: Transfers): Promise<FilesWorld> {
  const cloud = new FilesCloud(transfers);
  const after = new FilesWorld(new SimulatedDisk(files), new FilesCloud(cloud.copy()), 100);
  after.connect();
  return after;
}

async function tryAll(
  life: Life,
  problems: (after: FilesWorld, files: Files) => Promise<string[]>,
): Promise<{ states: number; found: string[] }> {
  let states = 0;
  const found: string[] = [];
  let number = Math.floor(Math.random() * EVERY);
  for (const { files, transfers, where } of crashes(life)) {
    number += 1;
    if (number % EVERY !== 0) continue;
    states += 1;
    const after = await recover(files, transfers);
    try {
      found.push(...(await problems(after, files)).map((problem) => `${where}: ${problem}`));
    } catch (error) {
      found.push(`${where}: ${error}`);
    }
    after.disconnect();
    await after.transfers.end();
    if (found.length > 5) break;
  }
  return { states, found };
}

describe('a file from the device, after a crash', () => {
  const plain = randomBytes(150_000);

  async function problems({ puts }: Life, after: FilesWorld): Promise<string[]> {
    const stored = () => [...after.cloud.transfers].filter(([, { state }]) => state === 'STORED');
    const open = () => [...after.cloud.transfers.values()].some(({ state }) => state === 'UPLOADING');
    await after.until(() => stored().length > 0 && !open(), 'it is stored');
    await after.until(() => after.disk.files.size === 0, 'nothing is left');
    const [[id] = ['']] = stored();
    return [
      ...(stored().length === 1 ? [] : [`it is stored ${stored().length} times`]),
      ...((await after.cloud.fetch(id)).equals(plain) ? [] : ['it is another']),
      ...(after.cloud.puts.length <= puts ? [] : [`${after.cloud.puts.length} parts were sent`]),
    ];
  }
  const sent = (lies = false) => live((world) => world.put('log', plain), lies);

  it('is stored once, and nothing is left', async () => {
    const life = await sent();
    const { states, found } = await tryAll(life, (after) => problems(life, after));
    expect(found).toEqual([]);
    expect(states).toBeGreaterThan(EXHAUSTIVE ? 200 : 50);
  });
});

describe('a file for the device, after a crash', () => {
  const plain = randomBytes(30_000);
  const id = idOf(5);

  async function problems(after: FilesWorld, files: Files): Promise<string[]> {
    const early = files.get('in.bin');
    const found = early && !early.equals(plain) ? ['a part of it appeared'] : [];
    await after.until(() => after.cloud.transfers.get(id)?.state === 'DELIVERED', 'it is delivered');
    await after.until(() => after.disk.files.size <= 1, 'nothing else is left');
    const whole = after.disk.files.get('in.bin');
    if (!whole?.equals(plain)) found.push(`there is ${[...after.disk.files.keys()]}`);
    return found;
  }
  const received = (lies = false) => live((world) => world.cloud.store(id, 'in.bin', plain), lies);

  it('appears once, whole, and the cloud knows', async () => {
    const { states, found } = await tryAll(await received(), problems);
    expect(found).toEqual([]);
    expect(states).toBeGreaterThan(EXHAUSTIVE ? 200 : 50);
  });

  it('would be found missing if nothing were synced', async () => {
    const life = await received(true);
    const { trace } = life.world.disk;
    const cloud = life.clouds.at(-1)?.transfers ?? new Map();
    const after = await recover(new CrashPoint(trace, trace.length).files([]), cloud);
    expect(cloud.get(id)?.state).toBe('DELIVERED');
    expect(after.disk.files.has('in.bin')).toBe(false);
    await after.transfers.end();
  });
});

describe('a disk that refuses once', () => {
  const plain = randomBytes(30_000);

  /** The n-th operation fails, in all that a file from the device and one for it need. Gives how many there were. */
  async function lifeWith(failing: number): Promise<{ readonly world: FilesWorld; readonly operations: number }> {
    const disk = new SimulatedDisk();
    let operations = 0;
    const world = new FilesWorld(disk);
    await world.cloud.store(idOf(5), 'in.bin', plain);
    world.put('log', plain);
    disk.fault = () => {
      operations += 1;
      if (operations === failing) throw new Error('EIO');
    };
    world.connect();
    const isOver = () =>
      [...world.cloud.transfers.values()].every(({ state }) => state === 'STORED' || state === 'DELIVERED') &&
      world.cloud.transfers.size === 2 &&
      disk.files.size === 1;
    await world.until(isOver, `an end without operation ${failing}: ${[...disk.files.keys()]}`);
    await world.transfers.end();
    return { world, operations };
  }

  it('does not keep a file from its end', async () => {
    const { operations } = await lifeWith(0);
    expect(operations).toBeGreaterThan(40);
    const first = 1 + Math.floor(Math.random() * EVERY);
    for (let failing = first; failing <= operations; failing += EVERY) {
      const { world } = await lifeWith(failing);
      expect(world.disk.files.get('in.bin')?.equals(plain)).toBe(true);
      const [sent = ''] = [...world.cloud.transfers.keys()].filter((each) => each !== idOf(5));
      expect((await world.cloud.fetch(sent)).equals(plain)).toBe(true);
    }
  });
});
