/** The times of a command, without any harm, and its id. */
import fc from 'fast-check';
import { firstCommandId } from '../../contracts/src/command-store.ts';
import { CommandId } from '../../contracts/src/commands.ts';
import { ulidOf } from '../../contracts/src/ulid.ts';
import { validate } from '../../contracts/src/validate.ts';
import { fingerprintOf } from '../../lambda/commands/fingerprint.ts';
import { QUIET } from '../support/harmed-world.ts';
import { CommandsWorld, SECOND } from './commands-world.ts';

const DAY_SECONDS = 86_400;
const REQUEST = {
  ...{ thing: 'lamp', name: 'blink', payload: undefined, ttlSeconds: 300 },
  ...{ person: 'mary', key: 'k', authority: 'grant' as const },
};

function only(world: CommandsWorld) {
  const [row, ...others] = [...world.rows.values()];
  if (!row || others.length > 0) throw new Error(`there are ${world.rows.size} commands`);
  return row;
}

describe('a command', () => {
  it('is SENT at once to a thing that is connected, and QUEUED for one that is not', async () => {
    for (const [connected, state] of [
      [true, 'SENT'],
      [false, 'QUEUED'],
    ] as const) {
      const world = new CommandsWorld();
      world.device('lamp').conduct = 'mute';
      if (connected) world.connect('lamp');
      await world.run(SECOND);
      world.give(REQUEST);
      await world.run(SECOND);
      expect(only(world).state).toBe(state);
    }
  });

  it.each([5, 60, 899, 901, 7 * DAY_SECONDS])(
    'expires within seconds when its %d seconds are over',
    async (ttlSeconds) => {
      const world = new CommandsWorld();
      world.give({ ...REQUEST, ttlSeconds });
      await world.run((ttlSeconds + 3) * SECOND);

      const { state, changedAt, voidAt } = only(world);
      expect(state).toBe('EXPIRED');
      expect(changedAt - voidAt).toBeGreaterThanOrEqual(0);
      expect(changedAt - voidAt).toBeLessThan(3 * SECOND);
    },
  );

  it('that takes long to be stored has a tick all the same', async () => {
    const world: CommandsWorld = new CommandsWorld(QUIET, ({ given, ...ports }) => ({
      ...ports,
      given: {
        ...given,
        async create(...command) {
          await world.pause(20 * SECOND);
          return given.create(...command);
        },
      },
    }));
    world.give(REQUEST);
    await world.run((REQUEST.ttlSeconds + 5) * SECOND);

    expect(only(world).state).toBe('EXPIRED');
  });

  it('is looked at 679 times in a week, if nobody answers', async () => {
    const world = new CommandsWorld();
    world.give({ ...REQUEST, ttlSeconds: 7 * DAY_SECONDS });
    await world.run(8 * DAY_SECONDS * SECOND);

    expect(world.ticks.get(only(world).id)).toBe(679);
    expect(only(world)).toMatchObject({ state: 'EXPIRED' });
  });

  it('under a key that was used a day ago is another one', async () => {
    const world = new CommandsWorld();
    world.give(REQUEST);
    await world.run((DAY_SECONDS - 1) * SECOND);
    world.give(REQUEST);
    await world.run(SECOND / 2);
    expect(world.rows.size).toBe(1);
    await world.run(SECOND);

    world.give(REQUEST);
    await world.run(SECOND);

    expect(world.rows.size).toBe(2);
    expect(world.violations).toEqual([]);
  });

  it('has an id that sorts by its time', () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(time, random, time, random, (a, ofA, b, ofB) => {
        const [one, other] = [ulidOf(a, ofA), ulidOf(b, ofB)];
        expect(validate(CommandId, one).ok).toBe(true);
        if (a < b) expect(one < other).toBe(true);
        expect(firstCommandId(a) <= one).toBe(true);
        if (a < b) expect(one < firstCommandId(b)).toBe(true);
      }),
    );
    // As other makers of ULIDs write it.
    expect(firstCommandId(1_469_918_176_385)).toBe('01ARYZ6S410000000000000000');
  });
});

it('requests have the same fingerprint if their JSON says the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      if (same) expect(fingerprintOf(a)).toBe(fingerprintOf(b));
      expect(fingerprintOf({ a, b })).toBe(fingerprintOf({ b, a }));
    }),
  );
  expect(fingerprintOf([1, 2])).not.toBe(fingerprintOf([2, 1]));
  expect(fingerprintOf({ a: 1 })).not.toBe(fingerprintOf({ a: '1' }));
});
