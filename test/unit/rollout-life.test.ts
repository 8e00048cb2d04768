/** What becomes of rollouts, one story at a time, with nothing going wrong but what the story says. */
import * as v from 'valibot';
import { NewRollout } from '../../contracts/src/rollouts.ts';
import { abort, pause, resume, retryFailed } from '../../lambda/rollouts/operate.ts';
import { FailedCallError, QUIET } from '../support/harmed-world.ts';
import { type Conduct, MINUTE, PRODUCT, SECOND } from './rollout-devices.ts';
import { type AllPorts, RolloutWorld } from './rollout-world.ts';

const HOUR = 60 * MINUTE;

function worldOf(
  conducts: Partial<Record<Conduct, number>>,
  change: (ports: AllPorts) => AllPorts = (ports) => ports,
): RolloutWorld {
  const world = new RolloutWorld(QUIET, change);
  for (const [conduct, count] of Object.entries(conducts)) {
    for (let n = 0; n < count; n += 1) world.add(`${conduct}${n}`, conduct as Conduct);
  }
  return world;
}

type Settings = Omit<v.InferInput<typeof NewRollout>, 'product' | 'counter'>;

async function begun(world: RolloutWorld, settings: Settings = {}, counter = 2): Promise<string> {
  const id = await world.during(world.create(v.parse(NewRollout, { product: PRODUCT, counter, ...settings })));
  if (id === undefined) throw new Error('it was refused');
  return id;
}

async function ran(world: RolloutWorld, settings: Settings = {}): Promise<string> {
  const id = await begun(world, settings);
  await world.run(12 * HOUR);
  world.rows.check();
  expect(world.violations).toEqual([]);
  return id;
}

test('all devices get it, wave by wave, and it becomes what those get who join later', async () => {
  const world = worldOf({ updates: 40 });
  const id = await ran(world, { rate: { perMinute: 600 } });
  expect(world.rollout(id).state).toBe('COMPLETED');
  expect(world.states(id)).toEqual({ SUCCEEDED: 40 });
  expect(world.events(id)).toEqual(['created', 'started', 'wave', 'wave', 'completed']);
  expect(world.rows.all(id).filter(({ wave }) => wave === 0)).toHaveLength(5);
  expect(world.rows.all(id).filter(({ wave }) => wave === 1)).toHaveLength(5);
  expect(world.current).toBe(2);
});

test('a canary that fails ends the rollout before anybody else is touched', async () => {
  const world = worldOf({ 'rolls-back': 30 });
  const id = await ran(world, {
    waves: [{ count: 5 }, { percent: 100 }],
    abort: { failurePercent: 40, minimumFailures: 2 },
  });
  expect(world.rollout(id)).toMatchObject({ state: 'ABORTED', endedAt: expect.any(Number) });
  // Some of the five may have been kept from it by then.
  const { PENDING, ROLLED_BACK = 0, CANCELLED = 0 } = world.states(id);
  expect({ PENDING, ended: ROLLED_BACK + CANCELLED }).toEqual({ PENDING: 25, ended: 5 });
  expect(ROLLED_BACK).toBeGreaterThanOrEqual(2);
  expect([...world.devices.values()].filter(({ desired }) => desired)).toHaveLength(5);
  expect(world.rollout(id).reason).toMatch(/\d of \d with an outcome failed/);
  expect(world.current).toBeUndefined();
});

test('those who are told and have not begun are told to stop, and what has begun ends', async () => {
  const world = worldOf({ updates: 30 });
  const id = await begun(world, { waves: [{ percent: 100 }], rate: { perMinute: 600 } });
  await world.run(20 * SECOND);
  await world.during(world.operate(id, abort));
  await world.run(6 * HOUR);
  world.rows.check();
  expect(world.violations).toEqual([]);
  expect(world.isOver(id)).toBe(true);
  const { SUCCEEDED = 0, CANCELLED = 0, FAILED = 0 } = world.states(id);
  expect(SUCCEEDED + CANCELLED).toBe(30);
  expect(CANCELLED).toBeGreaterThan(0);
  expect(FAILED).toBe(0);
});

test('while it is paused nothing starts, and nobody downloads; then it goes on', async () => {
  const world = worldOf({ updates: 20 });
  const id = await begun(world, { waves: [{ percent: 100 }], rate: { perMinute: 6 } });
  await world.run(30 * SECOND);
  await world.during(world.operate(id, pause));
  await world.run(2 * SECOND);
  const { PENDING } = world.states(id);
  expect(PENDING).toBeGreaterThan(10);
  await world.run(3 * HOUR);
  expect(world.states(id).PENDING).toBe(PENDING);
  await world.during(world.operate(id, resume));
  await world.run(3 * HOUR);
  expect(world.states(id)).toEqual({ SUCCEEDED: 20 });
  expect(world.violations).toEqual([]);
});

test('a tick starts nobody when the rollout was paused while it counted', async () => {
  const pausing = async (id: string): Promise<void> => {
    if (world.events(id).at(-1) === 'started') await world.operate(id, pause);
  };
  const world: RolloutWorld = worldOf({ updates: 5 }, ({ rollouts, ...ports }) => ({
    ...ports,
    rollouts: { ...rollouts, counts: (id) => pausing(id).then(() => rollouts.counts(id)) },
  }));
  const id = await begun(world, { waves: [{ percent: 100 }], rate: { perMinute: 600 } });
  await world.run(HOUR);
  expect(world.rollout(id).state).toBe('PAUSED');
  expect(world.states(id)).toEqual({ PENDING: 5 });
});

test('while it is paused, those that are to try again wait, and cost no ticks', async () => {
  const world = worldOf({ fails: 3, updates: 20 });
  const id = await begun(world, {
    waves: [{ count: 3 }, { percent: 100 }],
    abort: { failurePercent: 100, minimumFailures: 4 },
  });
  for (const device of world.devices.values()) device.conduct = 'fails';
  await world.run(HOUR);
  expect(world.rollout(id)).toMatchObject({ state: 'PAUSED', pausedFor: 'wave' });
  for (const device of world.devices.values()) device.conduct = 'updates';
  await world.during(world.operate(id, retryFailed));
  const before = world.ticks;
  await world.run(3 * HOUR);
  // One in 15 minutes.
  expect(world.ticks - before).toBeLessThan(15);
  expect(world.states(id)).toEqual({ FAILED: 3, PENDING: 20 });
  await world.during(world.operate(id, resume));
  await world.run(3 * HOUR);
  expect(world.states(id)).toEqual({ SUCCEEDED: 23 });
  expect(world.violations).toEqual([]);
});

test('an operator gets through while every page of a list changes the rollout, and sends one tick', async () => {
  let [pages, sent] = [8, 0];
  const world: RolloutWorld = worldOf({ updates: 5 }, ({ rollouts, ticks, ...ports }) => ({
    ...ports,
    ticks: {
      send(tick, delay) {
        // The operator's: a tick that lists sends the next one without a delay.
        if (tick.tick === 1 && delay > 0) sent += 1;
        return ticks.send(tick, delay);
      },
    },
    rollouts: {
      ...rollouts,
      advance(was, next, event) {
        pages -= 1;
        const row = world.rollout(was.id);
        if (pages >= 0) world.rows.rollouts.set(was.id, { ...row, revision: row.revision + 1 });
        return rollouts.advance(was, next, event);
      },
    },
  }));
  const id = await begun(world);
  sent = 0;
  await world.during(world.operate(id, abort));
  expect([world.rollout(id).state, sent]).toEqual(['ABORTED', 1]);
});

test('silence of a device that is connected is a failure; of one that is away it is none, and it gets it when it comes', async () => {
  const world = worldOf({ updates: 6, mute: 1, away: 2 });
  const id = await ran(world, { waves: [{ percent: 100 }] });
  expect(world.states(id)).toEqual({ SUCCEEDED: 6, TIMED_OUT: 1, UNREACHED: 2 });
  expect(world.rollout(id).state).toBe('COMPLETED');
  world.device('away0').conduct = 'updates';
  world.connect('away0');
  await world.run(HOUR);
  world.rows.check();
  expect(world.violations).toEqual([]);
  expect(world.states(id)).toEqual({ SUCCEEDED: 7, TIMED_OUT: 1, UNREACHED: 1 });
  expect(world.isOver(id)).toBe(true);
});

test('whoever comes back to a rollout that is COMPLETED, and fails, gets its other attempts', async () => {
  const world = worldOf({ updates: 6, away: 1 });
  const id = await ran(world, { waves: [{ percent: 100 }], retries: 1 });
  expect(world.rollout(id).state).toBe('COMPLETED');
  const device = world.device('away0');
  device.conduct = 'fails';
  world.connect('away0');
  await world.run(10 * SECOND);
  expect(world.states(id)).toEqual({ SUCCEEDED: 6, RETRY: 1 });
  device.conduct = 'updates';
  await world.run(HOUR);
  world.rows.check();
  expect(world.violations).toEqual([]);
  expect(world.states(id)).toEqual({ SUCCEEDED: 7 });
  expect(world.isOver(id)).toBe(true);
});

test.each([60, 3600])(
  'whoever was counted as started, and not told because the tick died, is told: %i s to answer',
  async (answerSeconds) => {
    let left = 4;
    const world = worldOf({ updates: 8 }, (ports) => ({
      ...ports,
      shadows: {
        desire: (thing, desired) => {
          left -= 1;
          return left >= 0 ? Promise.reject(new FailedCallError()) : ports.shadows.desire(thing, desired);
        },
      },
    }));
    const id = await ran(world, { waves: [{ count: 3 }, { percent: 100 }], answerSeconds });
    expect(world.states(id)).toEqual({ SUCCEEDED: 8 });
    expect(world.rows.all(id).filter(({ wave }) => wave === 0)).toHaveLength(3);
  },
);

test('a wave that does not reach what is asked for pauses the rollout, and whoever resumes it accepts that', async () => {
  const world = worldOf({ updates: 10 });
  for (const device of world.devices.values()) device.conduct = 'fails';
  const id = await begun(world, {
    waves: [{ percent: 50 }, { percent: 100 }],
    abort: { failurePercent: 100, minimumFailures: 9 },
  });
  await world.run(3 * HOUR);
  expect(world.rollout(id)).toMatchObject({ state: 'PAUSED', pausedFor: 'wave', wave: 0 });
  expect(world.states(id)).toEqual({ FAILED: 5, PENDING: 5 });
  for (const device of world.devices.values()) device.conduct = 'updates';
  await world.during(world.operate(id, resume));
  await world.run(3 * HOUR);
  expect(world.states(id)).toEqual({ FAILED: 5, SUCCEEDED: 5 });
  expect(world.rollout(id).state).toBe('COMPLETED');
  await world.during(world.operate(id, retryFailed));
  await world.run(3 * HOUR);
  world.rows.check();
  expect(world.violations).toEqual([]);
  expect(world.states(id)).toEqual({ SUCCEEDED: 10 });
  expect(world.isOver(id)).toBe(true);
});

test('a wave that has reached nobody shows nothing: the rollout waits for somebody to decide', async () => {
  const world = worldOf({ away: 10 });
  const id = await ran(world);
  expect(world.rollout(id)).toMatchObject({ state: 'PAUSED', pausedFor: 'wave' });
  expect(world.states(id)).toEqual({ UNREACHED: 5, PENDING: 5 });
});

test('a failure that may pass is followed by other attempts, as many as are asked for', async () => {
  const world = worldOf({ stalls: 1, fails: 1, updates: 3 });
  const id = await ran(world, {
    waves: [{ percent: 100 }],
    retries: 2,
    updateSeconds: 600,
    abort: { failurePercent: 100, minimumFailures: 5 },
  });
  expect(world.states(id)).toEqual({ SUCCEEDED: 3, FAILED: 1, TIMED_OUT: 1 });
  expect(
    world.rows
      .all(id)
      .filter(({ state }) => state !== 'SUCCEEDED')
      .map(({ attempts }) => attempts),
  ).toEqual([3, 3]);
});

test('what connects again and again after the update is not healthy', async () => {
  const world = worldOf({ restless: 1, updates: 4 });
  const id = await ran(world, { waves: [{ percent: 100 }], abort: { failurePercent: 100, minimumFailures: 5 } });
  expect(world.states(id)).toEqual({ SUCCEEDED: 4, FAILED: 1 });
  expect(world.rows.all(id).find(({ state }) => state === 'FAILED')).toMatchObject({ failure: 'unhealthy' });
});

test('devices are started in the maintenance window alone', async () => {
  const world = worldOf({ updates: 30 });
  // The world begins at midnight.
  const window = { from: '03:30', minutes: 1, utcOffsetMinutes: 60 };
  const id = await begun(world, { waves: [{ percent: 100 }], rate: { perMinute: 12 }, window });
  await world.run(52 * HOUR);
  expect(world.violations).toEqual([]);
  expect(world.states(id)).toEqual({ SUCCEEDED: 30 });
  const day = world.rows.starts.map(({ at }) => Math.floor((at % (24 * HOUR)) / MINUTE));
  expect(new Set(day)).toEqual(new Set([150]));
});

function yank(world: RolloutWorld, counter: number): void {
  const release = world.releases.get(counter);
  if (release) release.state = 'YANKED';
}

test.each(['runs', 'is paused'])(
  'a rollout that %s ends when its release is yanked: no device has failed by it, and all are free for the next one',
  async (how) => {
    const world = worldOf({ updates: 20 });
    const abortAt = { failurePercent: 100, minimumFailures: 20 };
    const id = await begun(world, { waves: [{ percent: 100 }], rate: { perMinute: 6 }, abort: abortAt });
    await world.run(MINUTE);
    if (how === 'is paused') await world.during(world.operate(id, pause));
    yank(world, 2);
    await world.run(HOUR);
    expect(world.rollout(id)).toMatchObject({ state: 'ABORTED', reason: expect.stringContaining('was yanked') });
    const { PENDING = 0, SUCCEEDED = 0, CANCELLED = 0 } = world.states(id);
    expect(PENDING).toBeGreaterThan(5);
    expect(PENDING + SUCCEEDED + CANCELLED).toBe(20);
    const next = await begun(world, { waves: [{ percent: 100 }] }, 3);
    await world.run(3 * HOUR);
    expect(world.states(next)).toEqual({ SUCCEEDED: 20 });
    expect(world.violations).toEqual([]);
  },
);

test('a release that is yanked when all were started ends it too, and whoever asks for it then has not failed', async () => {
  const world = worldOf({ updates: 4 });
  const id = await begun(world, { waves: [{ percent: 100 }], rate: { perMinute: 600 } });
  await world.run(2 * SECOND);
  yank(world, 2);
  await world.run(HOUR);
  expect(world.rollout(id)).toMatchObject({ state: 'ABORTED' });
  expect(world.states(id)).toEqual({ CANCELLED: 4 });
});

test('a pause takes nothing of the time that a device has: who was told before it is waited for after it', async () => {
  const world = worldOf({ updates: 5 });
  const settings = { waves: [{ percent: 100 }], rate: { perMinute: 600 }, answerSeconds: 300, updateSeconds: 600 };
  const id = await begun(world, settings);
  while (world.states(id).NOTIFIED === undefined) await world.run(100);
  await world.during(world.operate(id, pause));
  await world.run(9 * HOUR);
  expect(world.states(id).TIMED_OUT).toBeUndefined();
  await world.during(world.operate(id, resume));
  await world.run(HOUR);
  expect(world.states(id)).toEqual({ SUCCEEDED: 5 });
});

test('who goes on saying nothing once it is resumed has failed', async () => {
  const world = worldOf({ stalls: 2, mute: 1 });
  const settings = { waves: [{ percent: 100 }], rate: { perMinute: 600 }, answerSeconds: 300, updateSeconds: 600 };
  const id = await begun(world, { ...settings, abort: { failurePercent: 100, minimumFailures: 9 } });
  await world.run(MINUTE);
  await world.during(world.operate(id, pause));
  await world.run(3 * HOUR);
  expect(world.states(id)).toEqual({ NOTIFIED: 1, UPDATING: 2 });
  await world.during(world.operate(id, resume));
  await world.run(HOUR);
  expect(world.states(id)).toEqual({ TIMED_OUT: 3 });
});

test('things that are not there are named, and nothing is begun', async () => {
  const world = worldOf({ updates: 1 });
  const target = { things: ['updates0', 'nobody', 'nobody'] };
  const asked = v.parse(NewRollout, { product: PRODUCT, counter: 2, target });
  expect(await world.during(world.create(asked))).toBeUndefined();
  expect(world.rows.rollouts.size).toBe(0);
});

test.each([
  ['no thing is meant', { prefix: 'x' }, 'no thing of this product is what the target means', 0],
  ['all have it already', {}, 'all 2 that the target means are passed over', 2],
])('a rollout for nobody says so: %s', async (_why, target, said, skipped) => {
  const world = worldOf({ updates: 2 });
  for (const device of world.devices.values()) device.counter = 2;
  const id = await ran(world, { target, makeCurrent: true });
  expect(world.rollout(id)).toMatchObject({ state: 'COMPLETED', reason: `nobody gets it: ${said}` });
  expect(world.states(id)).toEqual(skipped > 0 ? { SKIPPED: skipped } : {});
  expect(world.rows.events.get(id)?.[1]?.text).toContain(said);
  expect(world.current).toBeUndefined();
});

test('what has reached nobody is not what those get who join later', async () => {
  const world = worldOf({ away: 3 });
  const id = await ran(world);
  expect(world.rollout(id).state).toBe('COMPLETED');
  expect(world.states(id)).toEqual({ UNREACHED: 3 });
  expect(world.current).toBeUndefined();
});

test('a paused rollout whose devices all wait for another attempt costs a tick in 15 minutes, and no write of theirs', async () => {
  const world = worldOf({ fails: 3, updates: 20 });
  const id = await begun(world, {
    waves: [{ count: 3 }, { percent: 100 }],
    retries: 1,
    abort: { failurePercent: 100, minimumFailures: 9 },
  });
  for (const device of world.devices.values()) device.conduct = 'fails';
  while (world.states(id).RETRY !== 3) await world.run(SECOND);
  await world.during(world.operate(id, pause));
  await world.run(MINUTE);
  const before = { ticks: world.ticks, revisions: world.rows.all(id).map(({ revision }) => revision) };
  await world.run(3 * HOUR);
  expect(world.ticks - before.ticks).toBeLessThanOrEqual(13);
  expect(world.rows.all(id).map(({ revision }) => revision)).toEqual(before.revisions);
  for (const device of world.devices.values()) device.conduct = 'updates';
  await world.during(world.operate(id, resume));
  await world.run(3 * HOUR);
  expect(world.states(id)).toEqual({ SUCCEEDED: 23 });
});

test('who has it already, or cannot take it, is passed over, with the reason', async () => {
  const world = worldOf({ updates: 6 });
  world.device('updates0').counter = 2;
  const id = await ran(world);
  expect(world.states(id)).toEqual({ SUCCEEDED: 5, SKIPPED: 1 });
  expect(world.rows.all(id).find(({ state }) => state === 'SKIPPED')).toMatchObject({ reason: 'has-it-already' });
});

test('the rate grows with what has succeeded', async () => {
  const world = worldOf({ updates: 60 });
  const rate = { basePerMinute: 2, factor: 2, every: 10, of: 'succeeded' as const };
  const id = await ran(world, { waves: [{ percent: 100 }], rate, health: { soakSeconds: 60 } });
  expect(world.states(id)).toEqual({ SUCCEEDED: 60 });
  const times = world.rows.starts.map(({ at }) => at);
  const gap = (from: number, to: number): number => (times[to] ?? 0) - (times[from] ?? 0);
  expect(gap(50, 59)).toBeLessThan(gap(0, 9) / 4);
});
