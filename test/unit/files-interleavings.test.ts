/**
 * Random transfers, cancellations, failures and revocations, with everything that AWS may do to them, over the real handler. A
 * failure prints seed and steps; `THINGSTEAD_SEED=<seed>` runs it again.
 */
import fc from 'fast-check';
import { objectKeyOf } from '../../contracts/src/file-store.ts';
import type { Ports } from '../../lambda/file-transfers/ports.ts';
import { type Noise, QUIET } from '../support/harmed-world.ts';
import { DAY, FilesWorld, isOver, SECOND } from './files-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 5_000 : 150;
/** A bug that needs two at the same moment is not met at once. */
const BUG_RUNS = 3_000;
const SEED = process.env.THINGSTEAD_SEED === undefined ? {} : { seed: Number(process.env.THINGSTEAD_SEED) };
const THINGS = ['camera', 'gate'] as const;
const IDS = ['1', '2', '3'].map((each) => each.padStart(26, '0'));

const step = fc.record({
  thing: fc.constantFrom(...THINGS),
  id: fc.constantFrom(...IDS),
  action: fc.constantFrom(
    'upload',
    'upload',
    'send',
    'send',
    'pending',
    'failed',
    'remove',
    'revoke',
    'received',
    'deleted',
  ),
  size: fc.constantFrom(10, 10, 500, 2000),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 300 * SECOND })),
});
const noise = fc.record<Noise>({
  seed: fc.integer(),
  maxDelayMs: fc.constantFrom(0, 500, 20 * SECOND),
  duplicate: fc.constantFrom(0, 0.3),
  fail: fc.constantFrom(0, 0.05),
  crash: fc.constantFrom(0, 0.05),
});
const steps = fc.array(step, { minLength: 1, maxLength: 12 });
type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

async function live(given: Steps, disturbance: Noise, change?: (ports: Ports) => Ports): Promise<FilesWorld> {
  const world = new FilesWorld(disturbance, change);
  for (const { thing, id: name, action, size, waitMs } of given) {
    // In the store of the world, an id is of one thing.
    const id = thing === 'camera' ? name : name.replace(/^0/, '7');
    if (action === 'upload') world.upload({ thing, id, size });
    else if (action === 'send') void world.send('mary', { thing, id, size });
    else if (action === 'pending') world.say(thing, 'pending', { type: 'pending' });
    else if (action === 'failed') world.say(thing, id, { type: 'failed', reason: 'no room' });
    else if (action === 'received') world.say(thing, id, { type: 'received', size });
    else if (action === 'remove') void world.remove(thing, id);
    else if (action === 'revoke') world.revoke('mary', thing);
    else if (world.objects.delete(objectKeyOf(thing, id))) world.event('Object Deleted', objectKeyOf(thing, id));
    await world.run(waitMs);
  }
  await world.run(3600 * SECOND);
  world.calm();
  await world.run(3600 * SECOND);
  return world;
}

async function expectTruth(given: Steps, disturbance: Noise, change?: (ports: Ports) => Ports): Promise<void> {
  const world = await live(given, disturbance, change);
  expect(world.violations).toEqual([]);
  // What is in the store belongs to someone, and what is said to be there is there.
  for (const row of world.rows.values()) {
    const { id, state } = row;
    const isThere = world.objects.has(objectKeyOf(row.thing, id));
    if (state === 'STORED' || state === 'DELIVERING')
      expect({ id, state, isThere }).toEqual({ id, state, isThere: true });
    // Nobody was told that it is whole for nothing.
    const lost = world.promised.has(id) && (state === 'REQUESTED' || state === 'UPLOADING');
    expect({ id, state, lost }).toEqual({ id, state, lost: false });
  }
  for (const key of world.objects.keys()) {
    const row = [...world.rows.values()].find(({ thing, id }) => objectKeyOf(thing, id) === key);
    expect({ key, state: row?.state }).toEqual({ key, state: expect.stringMatching(/^(STORED|DELIVERING)$/) });
  }
  // In the end nothing is left of anything.
  for (let day = 0; day < 6; day += 1) {
    await world.run(DAY);
    world.midnight();
  }
  await world.run(3600 * SECOND);
  expect([...world.objects.keys(), ...world.uploads.keys()]).toEqual([]);
  expect([...world.rows.values()].filter((row) => !isOver(row, world.now))).toEqual([]);
  expect(world.violations).toEqual([]);
}

async function findsBug(change: (ports: Ports) => Ports): Promise<boolean> {
  const found = await fc.check(
    fc.asyncProperty(steps, noise, (given, disturbance) => expectTruth(given, disturbance, change)),
    { numRuns: BUG_RUNS, endOnFailure: true, ...SEED },
  );
  return found.failed;
}

describe('transfers', () => {
  it('without harm come to their end', async () => {
    const world = new FilesWorld(QUIET);
    const [sent = '', given = ''] = IDS;
    world.upload({ thing: 'camera', id: sent, size: 500 });
    void world.send('mary', { thing: 'gate', id: given, size: 500 });
    await world.run(60 * SECOND);

    expect([world.rows.get(sent)?.state, world.rows.get(given)?.state]).toEqual(['STORED', 'DELIVERED']);
    expect(world.violations).toEqual([]);
  });

  it('under random interleavings keep to their states, their room, their key and their object', async () => {
    await fc.assert(
      fc.asyncProperty(steps, noise, (given, disturbance) => expectTruth(given, disturbance)),
      { numRuns: RUNS, ...SEED },
    );
  }, 300_000);

  describe('are found out of order when', () => {
    it.each<[string, (ports: Ports) => Ports]>([
      [
        'a state is written over whatever state there is',
        ({ transfers, ...ports }) => ({
          ...ports,
          transfers: {
            ...transfers,
            change: async (row, next) => transfers.change((await transfers.read(row.thing, row.id)) ?? row, next),
          },
        }),
      ],
      [
        'the room is counted without the version of the account',
        ({ transfers, ...ports }) => ({
          ...ports,
          transfers: {
            ...transfers,
            create: async (row) => transfers.create(row, (await transfers.occupied(row.thing)).version),
          },
        }),
      ],
      [
        'an object is not looked at when S3 tells of it',
        ({ objects, ...ports }) => ({ ...ports, objects: { ...objects, remove: async () => {} } }),
      ],
      [
        'whoever lost the access is not asked about',
        (ports) => ({ ...ports, access: async () => ({ role: 'controller', visibleFrom: 0 }) }),
      ],
    ])(
      '%s',
      async (_bug, change) => {
        expect(await findsBug(change)).toBe(true);
      },
      300_000,
    );
  });
});
