/**
 * Random rollouts over random devices, with operators who interfere and everything that AWS may do, over the real handler and the
 * real domain. A failure prints seed and steps; `THINGSTEAD_SEED=<seed>` runs it again.
 */
import fc from 'fast-check';
import * as v from 'valibot';
import { NewRollout } from '../../contracts/src/rollouts.ts';
import { abort, pause, resume, retryFailed } from '../../lambda/rollouts/operate.ts';
import type { Noise } from '../support/harmed-world.ts';
import { type Conduct, MINUTE, PRODUCT, SECOND } from './rollout-devices.ts';
import { RolloutWorld } from './rollout-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 5_000 : 250;
const SEED = process.env.THINGSTEAD_SEED === undefined ? {} : { seed: Number(process.env.THINGSTEAD_SEED) };
const HOUR = 60 * MINUTE;
/** In four hours: every 30 seconds while devices are under way, twice when messages come twice, and some more for each device. */
const MAX_TICKS = 1200;
const OPERATIONS = { pause, resume, abort, 'retry-failed': retryFailed };

const conducts = fc.array(
  fc.constantFrom<Conduct>(
    ...([
      'updates',
      'updates',
      'updates',
      'updates',
      'fails',
      'rolls-back',
      'stalls',
      'mute',
      'away',
      'late',
      'restless',
    ] as const),
  ),
  { minLength: 1, maxLength: 25 },
);
const settings = fc.record({
  counter: fc.constantFrom(2, 3),
  waves: fc.constantFrom(
    [{ percent: 100 }],
    [{ count: 2 }, { percent: 50 }, { percent: 100 }],
    [{ count: 5 }, { count: 5 }, { percent: 100 }],
  ),
  rate: fc.constantFrom(
    { perMinute: 3 },
    { perMinute: 300 },
    { basePerMinute: 2, factor: 2, every: 3, of: 'notified' as const },
  ),
  successPercent: fc.constantFrom(0, 60, 100),
  abort: fc.record({ failurePercent: fc.constantFrom(20, 60, 100), minimumFailures: fc.constantFrom(1, 3, 100) }),
  retries: fc.constantFrom(0, 1),
  answerSeconds: fc.constantFrom(300, 3600),
  updateSeconds: fc.constantFrom(300, 3600),
  health: fc.record({ soakSeconds: fc.constantFrom(0, 300) }),
  target: fc.constantFrom({}, {}, { percent: 50 }, { prefix: 'd1' }),
});
const steps = fc.array(
  fc.record({
    action: fc.constantFrom(
      'create',
      'create',
      'pause',
      'resume',
      'abort',
      'retry-failed',
      'disconnect',
      'connect',
      'yank',
    ),
    which: fc.nat(30),
    settings,
    waitMs: fc.oneof(fc.integer({ min: 0, max: MINUTE }), fc.integer({ min: 0, max: HOUR })),
  }),
  { minLength: 1, maxLength: 6 },
);
const noise = fc.record<Noise>({
  seed: fc.integer(),
  maxDelayMs: fc.constantFrom(0, 500, 20 * SECOND),
  duplicate: fc.constantFrom(0, 0.3),
  fail: fc.constantFrom(0, 0.03),
  crash: fc.constantFrom(0, 0.03),
});
type Value<A> = A extends fc.Arbitrary<infer T> ? T : never;

async function live(
  given: Value<typeof conducts>,
  happening: Value<typeof steps>,
  disturbance: Noise,
): Promise<RolloutWorld> {
  const world = new RolloutWorld(disturbance);
  for (const [n, conduct] of given.entries()) world.add(`d${n}`, conduct);
  // Those too of which whoever made them was told nothing.
  const ids = (): readonly string[] => [...world.rows.rollouts.keys()];
  const make = async (asked: Value<typeof settings>): Promise<void> => {
    await world.during(world.create(v.parse(NewRollout, { product: PRODUCT, ...asked })));
  };
  if (happening[0]) await make(happening[0].settings);
  for (const { action, which, settings: asked, waitMs } of happening) {
    const thing = `d${which % given.length}`;
    if (action === 'create') await make(asked);
    else if (action === 'connect') world.connect(thing);
    else if (action === 'disconnect') world.disconnect(thing);
    else if (action === 'yank') Object.assign(world.releases.get(asked.counter) ?? {}, { state: 'YANKED' });
    else await world.during(world.operate(ids()[which % ids().length] ?? '', OPERATIONS[action]));
    await world.run(waitMs);
    world.rows.check();
  }
  // All harm ends; everything that waits for an operator gets one, and then everything has to come to its end.
  for (let round = 0; round < 8; round += 1) {
    const ticks = world.ticks;
    await world.run(4 * HOUR);
    const perRollout = (world.ticks - ticks) / ids().length;
    if (perRollout > MAX_TICKS) world.violations.push(`a rollout ticked ${perRollout} times in four hours`);
    world.calm();
    world.rows.check();
    for (const id of ids()) {
      if (world.rollout(id).state === 'PAUSED') await world.during(world.operate(id, resume));
    }
  }
  await world.run(12 * HOUR);
  world.rows.check();
  for (const id of ids()) {
    if (!world.isOver(id))
      world.violations.push(`rollout ${id} is ${JSON.stringify([world.rollout(id), world.states(id)])}`);
  }
  return world;
}

test(`${RUNS} histories: counts are exact, no device is in two rollouts, no success that was none, few ticks, and all comes to an end`, async () => {
  await fc.assert(
    fc.asyncProperty(conducts, steps, noise, async (given, happening, disturbance) => {
      const world = await live(given, happening, disturbance);
      expect(world.violations.slice(0, 3)).toEqual([]);
    }),
    { ...SEED, numRuns: RUNS },
  );
}, 3_600_000);
