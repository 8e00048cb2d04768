/**
 * Random commands, connections, losses and revocations, with everything that AWS may do to them, over the real handler. A
 * failure prints seed and steps; `THINGSTEAD_SEED=<seed>` runs it again.
 */
import fc from 'fast-check';
import { type Noise, QUIET } from '../support/harmed-world.ts';
import { type AllPorts, CommandsWorld, type Conduct, SECOND } from './commands-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 5_000 : 200;
const SEED = process.env.THINGSTEAD_SEED === undefined ? {} : { seed: Number(process.env.THINGSTEAD_SEED) };
const MINUTE = 60 * SECOND;
const MAX_TTL_SECONDS = 900;
const THINGS = ['lamp', 'gate'] as const;
const PEOPLE = ['mary', 'john'] as const;

const ACTIONS = [
  'give',
  'give',
  'give',
  'repeat',
  'connect',
  'connect',
  'connect',
  'appear',
  'disconnect',
  'revoke',
] as const;

const step = fc.record({
  thing: fc.constantFrom(...THINGS),
  person: fc.constantFrom(...PEOPLE),
  action: fc.constantFrom(...ACTIONS),
  conduct: fc.constantFrom<Conduct>('executes', 'executes', 'rejects', 'fails', 'begins', 'mute'),
  ttlSeconds: fc.constantFrom(5, 30, 300, MAX_TTL_SECONDS),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 5 * MINUTE })),
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

async function live(given: Steps, disturbance: Noise, change?: (ports: AllPorts) => AllPorts): Promise<CommandsWorld> {
  const world = new CommandsWorld(disturbance, change);
  for (const [n, { thing, person, action, conduct, ttlSeconds, waitMs }] of given.entries()) {
    if (action === 'give' || action === 'repeat') {
      const key = action === 'give' ? `${person}-${n}` : `${person}-repeated`;
      const authority = person === 'mary' ? 'grant' : 'staff';
      const request = { thing, name: 'blink', payload: { n: 1 }, ttlSeconds: 300, person, key, authority } as const;
      world.give({ ...request, ...(action === 'give' && { ttlSeconds }) });
    } else if (action === 'revoke') world.revoke(person, thing);
    else if (action === 'disconnect') world.disconnect(thing);
    else {
      world.device(thing).conduct = conduct;
      world.connect(thing, action === 'connect');
    }
    await world.run(waitMs);
  }
  // The longest chain of attempts: five receives and three asynchronous ones.
  await world.run(MAX_TTL_SECONDS * SECOND + 25 * MINUTE);
  world.calm();
  await world.run(30 * MINUTE);
  return world;
}

function expectTruth(world: CommandsWorld): void {
  expect(world.violations).toEqual([]);
  for (const { id, state, thing } of world.rows.values()) {
    expect({ id, state }).toEqual({ id, state: expect.stringMatching(/^(EXECUTED|REJECTED|FAILED|EXPIRED)$/) });
    expect(world.device(thing).executed.filter((each) => each === id).length).toBeLessThanOrEqual(1);
    // In 15 minutes there are nine of them; copies of one tick end at the next.
    expect({ id, few: (world.ticks.get(id) ?? 0) < 30 }).toEqual({ id, few: true });
  }
  expect(world.accepted.filter(({ id }) => !world.rows.has(id))).toEqual([]);
}

async function findsBug(change: (ports: AllPorts) => AllPorts): Promise<boolean> {
  const found = await fc.check(
    fc.asyncProperty(steps, noise, async (given, disturbance) => expectTruth(await live(given, disturbance, change))),
    { numRuns: RUNS, endOnFailure: true, ...SEED },
  );
  return found.failed;
}

describe('commands under random interleavings', () => {
  it('end once, as the device says or in time, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(steps, noise, async (given, disturbance) => expectTruth(await live(given, disturbance))),
      { numRuns: RUNS, ...SEED },
    );
  }, 300_000);

  describe('are found out of order when', () => {
    it('a state is written over whatever state there is', async () => {
      const careless = ({ commands, ...ports }: AllPorts): AllPorts => ({
        ...ports,
        commands: {
          ...commands,
          async change(row, _, next) {
            const { state } = (await commands.read(row.thing, row.id)) ?? row;
            return commands.change(row, state, next);
          },
        },
      });
      expect(await findsBug(careless)).toBe(true);
    }, 300_000);

    it('the first tick is not sent', async () => {
      const forgetful = ({ ticks, ...ports }: AllPorts): AllPorts => ({
        ...ports,
        ticks: { send: (tick, delay) => (tick.tick === 0 ? Promise.resolve() : ticks.send(tick, delay)) },
      });
      expect(await findsBug(forgetful)).toBe(true);
    }, 300_000);

    it('copies of ticks go on beside each other', async () => {
      const multiplying = ({ commands, ...ports }: AllPorts): AllPorts => ({
        ...ports,
        commands: { ...commands, advance: () => Promise.resolve(true) },
      });
      expect(await findsBug(multiplying)).toBe(true);
    }, 300_000);

    it('nobody asks whether the person may still command', async () => {
      const trusting = (ports: AllPorts): AllPorts => ({
        ...ports,
        access: () => Promise.resolve({ role: 'controller', visibleFrom: 0 }),
      });
      const of = (action: Steps[number]['action'], waitMs: number): Steps[number] => ({
        ...{ thing: 'lamp', person: 'mary', action, conduct: 'executes', ttlSeconds: MAX_TTL_SECONDS, waitMs },
      });
      const sold = [of('give', SECOND), of('revoke', MINUTE), of('connect', MINUTE)];

      expect((await live(sold, QUIET)).violations).toEqual([]);
      expect((await live(sold, QUIET, trusting)).violations).toEqual([
        expect.stringContaining('after the access had ended'),
      ]);
    });
  });
});
