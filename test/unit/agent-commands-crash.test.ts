/** Commands and crashes: at every step, with every choice of what the disk had taken, nothing is done twice, nothing is left unsaid. */
import { setImmediate as turn } from 'node:timers/promises';
import type { CommandOutcome } from '@thingstead/contracts/commands';
import fc from 'fast-check';
import { ManualClock } from '../support/manual-clock.ts';
import { CommandWorld, idOf, isRepeatable, NOW } from './agent-commands-world.ts';
import { CrashPoint, SimulatedDisk } from './outbox-disk.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 2_000 : 80;
const CRASHES = 12;
const COMMANDS = 8;
const MAX_BEGUN = 3;

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('deliver' as const), number: fc.nat(COMMANDS - 1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), well: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Where the power goes: after a part of the operations, with a part of what was not yet certain. */
const crash = fc.record({ when: fc.double({ min: 0, max: 1, noNaN: true }), taken: fc.infiniteStream(fc.boolean()) });

async function live(steps: readonly Step[], disk = new SimulatedDisk()): Promise<CommandWorld> {
  const world = new CommandWorld(disk);
  for (const each of steps) {
    if (each.kind === 'deliver') world.deliver(each.number);
    else if (each.kind === 'end') await world.endOne(each.well ? undefined : new Error('broken'));
    else if (each.kind === 'acknowledge') world.acknowledge();
    else world.restart();
    await turn();
  }
  return world;
}

const isFinal = ({ state }: CommandOutcome): boolean => state !== 'DELIVERED';

/** What is wrong after a crash when so many operations had been done, and a restart. */
async function discrepancies(
  before: CommandWorld,
  length: number,
  files: ReadonlyMap<string, Buffer>,
): Promise<string[]> {
  const problems: string[] = [];
  const after = new CommandWorld(new SimulatedDisk(files), new ManualClock(NOW));
  await after.endAll();
  for (let number = 0; number < COMMANDS; number += 1) {
    const id = idOf(number);
    const said = before.said.filter((each) => each.id === id && each.at <= length).map(({ outcome }) => outcome);
    if (said.length > 0 && !after.lastOf(number) && !isRemembered(after, id))
      problems.push(`${number} was told of and is not known any more`);
  }
  // The cloud sends all of them again, twice.
  for (let number = 0; number < COMMANDS; number += 1) {
    after.deliver(number);
    after.deliver(number);
  }
  await after.endAll();
  for (let number = 0; number < COMMANDS; number += 1) {
    const id = idOf(number);
    const times =
      before.begun.filter((each) => each.id === id && each.at <= length).length +
      after.begun.filter((each) => each.id === id).length;
    if (times > (isRepeatable(number) ? MAX_BEGUN : 1)) problems.push(`${number} has begun ${times} times`);
    const last = after.lastOf(number);
    if (!last || !isFinal(last)) problems.push(`${number} has no outcome`);
    const told = before.said.find((each) => each.id === id && each.at <= length && isFinal(each.outcome));
    if (told && JSON.stringify(told.outcome) !== JSON.stringify(last)) {
      problems.push(`${number} was ${JSON.stringify(told.outcome)}, and is ${JSON.stringify(last)}`);
    }
    const finals = new Set(
      after.said.filter((each) => each.id === id && isFinal(each.outcome)).map((each) => JSON.stringify(each.outcome)),
    );
    if (finals.size > 1) problems.push(`${number} has several outcomes: ${[...finals].join(', ')}`);
  }
  return problems;
}

function isRemembered(world: CommandWorld, id: string): boolean {
  return [...world.disk.files.keys()].includes(`${id}.json`);
}

describe('commands on the disk, after a crash', () => {
  it('have begun once, and have one outcome, which is said', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 25 }),
        fc.array(crash, { minLength: CRASHES, maxLength: CRASHES }),
        async (steps, crashes) => {
          const world = await live(steps);
          for (const { when, taken } of crashes) {
            const length = Math.round(when * world.disk.trace.length);
            const point = new CrashPoint(world.disk.trace, length);
            const chosen = point.pending.filter(() => taken.next().value);
            expect(await discrepancies(world, length, point.files(chosen))).toEqual([]);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('have begun once at every single point and for every subset of one short life', async () => {
    const story: Step[] = [
      { kind: 'deliver', number: 0 },
      { kind: 'deliver', number: 2 },
      { kind: 'end', well: true },
      { kind: 'acknowledge' },
      { kind: 'deliver', number: 0 },
      { kind: 'end', well: false },
      { kind: 'acknowledge' },
    ];
    const world = await live(story);
    let states = 0;
    for (let length = 0; length <= world.disk.trace.length; length += 1) {
      const point = new CrashPoint(world.disk.trace, length);
      for (let mask = 0; mask < 2 ** point.pending.length; mask += 1) {
        const chosen = point.pending.filter((_, index) => mask & (1 << index));
        expect(await discrepancies(world, length, point.files(chosen))).toEqual([]);
        states += 1;
      }
    }
    expect(states).toBeGreaterThan(50);
  });

  it('would be caught if nothing were synced', async () => {
    const disk = new SimulatedDisk();
    disk.lies = true;
    const world = await live(
      [
        { kind: 'deliver', number: 0 },
        { kind: 'end', well: true },
      ],
      disk,
    );

    const { length } = disk.trace;
    const nothing = new CrashPoint(disk.trace, length).files([]);
    expect(await discrepancies(world, length, nothing)).toContain('0 has begun 2 times');
  });
});
