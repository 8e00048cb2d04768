/**
 * Random interleavings of connects, ends, losses and takeovers, with everything that AWS IoT may do to their events, over the
 * real handler. A failure prints seed and actions; `THINGSTEAD_SEED=<seed>` runs it again.
 */
import fc from 'fast-check';
import type { Ports } from '../../lambda/presence/ports.ts';
import { type Action, BARE, type Noise, PresenceWorld } from './presence-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 10_000 : 400;
const SEED = process.env.THINGSTEAD_SEED === undefined ? {} : { seed: Number(process.env.THINGSTEAD_SEED) };
const THINGS = ['farm-a', 'farm-b', 'alone', BARE] as const;
const MINUTE = 60_000;

const step = fc.record({
  thing: fc.constantFrom(...THINGS),
  action: fc.constantFrom<Action>('connect', 'connect', 'end', 'kill', 'kill', 'take-over'),
  /** Until the next step: often at once, sometimes longer than the delay of a notice, or than versions are kept. */
  waitMs: fc.oneof(
    fc.integer({ min: 0, max: 5_000 }),
    fc.integer({ min: 0, max: 20 * MINUTE }),
    fc.integer({ min: 14 * MINUTE, max: 16 * MINUTE }),
    fc.integer({ min: 60 * MINUTE, max: 150 * MINUTE }),
  ),
});
const noise = fc.record<Noise>({
  seed: fc.integer(),
  maxDelayMs: fc.constantFrom(0, 5_000, 2 * MINUTE),
  maxSkewMs: fc.constantFrom(0, 2 * MINUTE),
  duplicate: fc.constantFrom(0, 0.3),
  lose: fc.constantFrom(0, 0.3),
  willConflict: fc.constantFrom(0, 0.3),
  crash: fc.constantFrom(0, 0, 0.03),
});
const steps = fc.array(step, { minLength: 1, maxLength: 14 });
type Steps = readonly { readonly thing: string; readonly action: Action; readonly waitMs: number }[];

async function live(given: Steps, disturbance: Noise, change?: (ports: Ports) => Ports): Promise<PresenceWorld> {
  const world = new PresenceWorld(disturbance, {}, change);
  world.startHarm();
  for (const { thing, action, waitMs } of given) {
    world.act(thing, action);
    await world.run(waitMs);
  }
  return world;
}

/** Row, shadow and broker agree; no notice was wrong, and none that was due is missing. */
function expectTruth(world: PresenceWorld, lossy: boolean): void {
  expect(world.violations).toEqual([]);
  for (const thing of THINGS) {
    // Where a thing says nothing itself, a lost event is lost until the next one.
    if (thing === BARE && lossy) continue;
    const presence = world.presence(thing);
    if (!presence) continue;
    expect({ thing, row: presence.connected }).toEqual({ thing, row: world.isConnected(thing) });
    if (thing !== BARE)
      expect({ thing, shadow: world.shadow(thing) }).toEqual({ thing, shadow: world.isConnected(thing) });
  }
}

function expectNoticesOfLongOutages(world: PresenceWorld, lossy: boolean): void {
  for (const [thing, outages] of world.outages) {
    if (thing === BARE && lossy) continue;
    let told = false;
    let lastEnd = 0;
    for (const { from, to = world.now, offlineNotices } of outages) {
      // It was told that it is gone, and was back for less time than events may be late: that is one outage to the user.
      told &&= from - lastEnd < 6 * MINUTE;
      // The events may have been two minutes late, and the group may have waited.
      if (!told && to - from > 35 * MINUTE) expect({ thing, offlineNotices }).toEqual({ thing, offlineNotices: 1 });
      told ||= offlineNotices > 0;
      lastEnd = to;
    }
  }
}

describe('presence under random interleavings', () => {
  it('comes to the truth, with one notice for each outage that lasts and none for others', async () => {
    await fc.assert(
      fc.asyncProperty(steps, noise, async (given, disturbance) => {
        const world = await live(given, disturbance);
        world.calm();
        await world.run(45 * MINUTE);
        expectTruth(world, disturbance.lose > 0);
        // What failed five times on end waits in the dead-letter queue, with an alarm.
        if (world.deadLetters.length === 0) expectNoticesOfLongOutages(world, disturbance.lose > 0);
        if (disturbance.crash === 0) expect(world.deadLetters).toEqual([]);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });

  it('needs no second look where nothing is lost: the row is true as soon as all events are there', async () => {
    await fc.assert(
      fc.asyncProperty(steps, noise, async (given, disturbance) => {
        const world = await live(given, { ...disturbance, lose: 0, willConflict: 0, crash: 0 });
        // Less than the first look comes after.
        await world.run(2 * MINUTE + 1);
        for (const thing of THINGS) {
          const row = world.presence(thing)?.connected ?? false;
          expect({ thing, row }).toEqual({ thing, row: world.isConnected(thing) });
        }
      }),
      { numRuns: RUNS, ...SEED },
    );
  });
});
