/** Updates from one version to the next, with the real updater and the real choice of the launcher. */
import { type Behaviour, FirmwareWorld, grantOf, MAX_BOOTS, type Release, release } from './agent-firmware-world.ts';
import { systemError } from './firmware-disk.ts';

const states = (world: FirmwareWorld, { attempt }: Release) =>
  world.said.filter((each) => each.attempt === attempt).map(({ state, by }) => `${state} by ${by}`);
const endOf = (world: FirmwareWorld) => world.said.at(-1)?.status;

/** A device that runs the first release. */
async function updated(): Promise<FirmwareWorld> {
  const world = new FirmwareWorld();
  world.desired = release(1, 'works');
  await world.run();
  return new FirmwareWorld(world.disk);
}

describe('an update', () => {
  it('goes through its states, and is committed by the new version', async () => {
    const world = new FirmwareWorld();
    const first = release(1, 'works');
    world.desired = first;
    await world.run();

    expect(states(world, first)).toEqual([
      'WAITING by 0',
      'DOWNLOADING by 0',
      'DOWNLOADING by 0',
      'VERIFYING by 0',
      'INSTALLING by 0',
      'RESTARTING by 0',
      'HEALTH_CHECK by 1',
      'COMMITTED by 1',
    ]);
    expect(world.goodCounter).toBe(1);
  });

  it('is begun once: what has ended is not begun again, and an older release never', async () => {
    const world = await updated();
    world.desired = release(1, 'works');
    await world.run();
    expect(world.said).toEqual([]);

    world.desired = { ...release(1, 'works'), attempt: '01J0000000000000000000000Z', counter: 1 };
    await world.run();
    expect(endOf(world)).toEqual({ state: 'COMMITTED', version: '1.0.0', counter: 1 });
  });

  it.each<[Behaviour, string, number]>([
    ['crashes', 'does-not-start', MAX_BOOTS],
    ['hangs', 'does-not-start', MAX_BOOTS],
    ['cuts-power', 'does-not-start', MAX_BOOTS],
    ['offline', 'unhealthy', 1],
    ['fills-disk', 'unhealthy', 1],
  ])('that %s goes back within its boots, and the old version says so: %s', async (behaviour, failure, boots) => {
    const world = await updated();
    world.desired = release(2, behaviour);
    await world.run();

    expect(world.launched.filter(({ onTrial }) => onTrial)).toHaveLength(boots);
    expect(endOf(world)).toMatchObject({ state: 'ROLLED_BACK', failure, version: '1.0.0', counter: 1 });
    expect(world.goodCounter).toBe(1);
  });

  it('may be found good in its last boot', async () => {
    const world = await updated();
    world.desired = release(2, 'works-at-last');
    await world.run();

    expect(world.launched.filter(({ onTrial }) => onTrial)).toHaveLength(MAX_BOOTS);
    expect(endOf(world)).toMatchObject({ state: 'COMMITTED', version: '2.0.0' });
    expect(world.goodCounter).toBe(2);
  });

  it('whose boots cannot be counted is not tried', async () => {
    const world = await updated();
    world.desired = release(2, 'works');
    let refuses = false;
    world.disk.fault = (step, file) => {
      if (step === 'overwrite' && file.startsWith('/slots/boot') && refuses) throw systemError('EROFS', file);
      if (step === 'overwrite' && file.startsWith('/slots/boot')) refuses = true;
      if (world.complaints.length > 0) refuses = false;
    };
    await world.run();

    expect(world.complaints).toHaveLength(1);
    expect(world.launched.some(({ onTrial }) => onTrial)).toBe(false);
    expect(endOf(world)).toMatchObject({ state: 'ROLLED_BACK', failure: 'does-not-start' });
  });

  it('is given up when it is no longer wanted, and nothing is switched', async () => {
    const world = await updated();
    world.desired = release(2, 'works');
    const { get } = world;
    world.get = (...args) => {
      world.unwanted();
      return get(...args);
    };
    await world.run();

    expect(endOf(world)).toMatchObject({ state: 'FAILED', failure: 'cancelled' });
    expect(world.goodCounter).toBe(1);
  });

  it('waits for room, and says so', async () => {
    const world = await updated();
    world.desired = release(2, 'works');
    world.disk.free = 10;
    const waiting = world.run();
    await world.hears(({ status }) => status.failure === 'low-disk');
    world.disk.free = 1e12;
    await waiting;

    expect(endOf(world)).toMatchObject({ state: 'COMMITTED' });
  });

  it.each([
    ['ENOSPC', 'storage'],
    ['EIO', 'storage'],
  ])('that meets %s while it is unpacked ends as %s', async (code, failure) => {
    const world = await updated();
    world.desired = release(2, 'works');
    world.disk.fault = (step, file) => {
      if (step === 'write' && file.includes('incoming')) throw systemError(code, file);
    };
    await world.run();

    expect(endOf(world)).toMatchObject({ state: 'FAILED', failure });
    expect(world.goodCounter).toBe(1);
    expect(world.disk.entry('/slots/incoming')).toBeUndefined();
    expect(world.disk.entry('/state/image')).toBeUndefined();
  });

  it('that reads back otherwise than it was written is not started', async () => {
    const world = await updated();
    world.desired = release(2, 'works');
    const { readPart } = world.disk;
    world.disk.readPart = (file, offset, length) => {
      const data = Buffer.from(readPart.call(world.disk, file, offset, length));
      if (file === '/slots/b/lib/agent.mjs') data[0] = (data[0] ?? 0) ^ 1;
      return data;
    };
    await world.run();

    expect(endOf(world)).toMatchObject({ state: 'FAILED', failure: 'installer' });
    expect(world.launched.some(({ onTrial }) => onTrial)).toBe(false);
  });
});

describe('the cloud is asked again', () => {
  it('when an answer is to an earlier question; and a frozen cloud is refused by its name', async () => {
    const world = await updated();
    const next = release(2, 'works');
    world.desired = next;
    let asked = 0;
    world.grant = (wanted, nonce) => {
      asked += 1;
      return grantOf(wanted, asked === 1 ? 'the nonce of before' : nonce);
    };
    await world.run();
    expect(endOf(world)).toMatchObject({ state: 'COMMITTED' });

    const frozen = new FirmwareWorld(world.disk);
    frozen.desired = release(3, 'works');
    frozen.grant = (wanted) => grantOf(wanted, 'the nonce of before');
    await frozen.run();
    expect(endOf(frozen)).toMatchObject({ state: 'FAILED', failure: 'freeze' });
  });
});
