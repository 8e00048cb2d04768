/** What becomes of a description, over stores in memory: limits, settings, order, and any interleaving with crashes. */
import fc from 'fast-check';
import { describe as take } from '../../lambda/onboarding/domain.ts';
import { event, NOW, SAID, THING, World } from './onboarding-world.ts';

const ATTRIBUTES = { model: 'weather-station', firmwareVersion: '1.4.0', serial: 'WS-0042', hardwareRevision: 'B' };
let world: World;

beforeEach(() => {
  world = new World();
});

describe('a description', () => {
  it('answers last', async () => {
    const calls: string[] = [];
    world.disturb = (point) => void calls.push(point);

    await take(event(SAID), world.ports());

    expect(calls.at(-1)).toBe('after accepted');
    expect(calls.indexOf('before accepted')).toBe(calls.length - 2);
  });

  it('of a thing that is not registered writes nothing', async () => {
    world.thing = undefined;

    await take(event({ id: 'a', ...SAID }), world.ports());

    expect(world.answers).toEqual([{ rejected: 'a', reason: `there is no thing ${THING} in the registry` }]);
    expect([world.row, world.shadow]).toEqual([undefined, undefined]);
  });

  it('does not become the attributes of a thing that is deleted meanwhile', async () => {
    world.disturb = (point) => {
      if (point === 'after write') world.thing = undefined;
    };

    await take(event(SAID), world.ports());

    expect(world.thing).toBeUndefined();
  });

  it('is answered with the settings of the type, and of no other', async () => {
    world.settings = { thingTypes: { station: { samplingSeconds: 5 }, lamp: { reportingSeconds: 9 } } };

    await take(event({ id: 'a', ...SAID }), world.ports());

    expect(world.answers).toEqual([{ accepted: 'a', settings: { samplingSeconds: 5 } }]);
    expect(world.due).toBeUndefined();
  });

  it('of a thing that sleeps puts it among those that are looked for, once; the device is not told', async () => {
    world.settings = { thingTypes: { station: { expectedIntervalSeconds: 600 } } };

    await take(event(SAID), world.ports());
    expect(world.due).toBe(NOW + 600_000);
    world.due = NOW + 5;
    await take(event(SAID, NOW + 1), world.ports());

    expect(world.due).toBe(NOW + 5);
    expect(world.answers).toEqual(Array(2).fill({ accepted: undefined, settings: {} }));
  });

  it('that is sent again touches neither registry nor shadow', async () => {
    await take(event(SAID), world.ports());
    const { thing } = world;
    const calls: string[] = [];
    world.disturb = (point) => void calls.push(point);

    await take(event(SAID, NOW + 1), world.ports());

    expect(world.thing).toEqual(thing);
    expect(calls).not.toContain('before setAttributes');
  });
});

describe('the attributes', () => {
  const limited = (type: string | undefined, count: number) => {
    const others = Array.from({ length: count }, (_, n) => [`other${n}`, 'x']);
    world.thing = { type, attributes: Object.fromEntries(others), version: 1 };
  };

  it.each([
    ['with a type', 'station', 46, 4, undefined],
    ['with a type', 'station', 48, 2, 'left out serial,hardwareRevision'],
    ['without a type', undefined, 0, 3, 'left out hardwareRevision'],
    ['without a type', undefined, 3, 0, 'left out model,firmwareVersion,serial,hardwareRevision'],
  ])('of a thing %s (%s) that has %d others: %d have room', async (_what, type, others, room, leftOut) => {
    limited(type, others);

    await take(event(SAID), world.ports());

    expect(Object.keys(world.thing?.attributes ?? {})).toHaveLength(others + room);
    expect(world.reported).toEqual([...(leftOut === undefined ? [] : [leftOut]), 'accepted']);
    expect(world.row).toMatchObject(SAID);
  });

  it('that are there already need no room', async () => {
    world.thing = { type: undefined, attributes: { ...ATTRIBUTES, hardwareRevision: 'A' }, version: 1 };

    await take(event(SAID), world.ports());

    expect(world.thing.attributes).toEqual(ATTRIBUTES);
  });
});

describe('the registry follows the row', () => {
  const older = event({ ...SAID, firmwareVersion: '2.0.0' }, NOW + 1);
  const newer = event(SAID, NOW + 2);

  /** Runs something when this point is reached for the first time, undisturbed. */
  function onceAt(point: string, run: () => Promise<void>): void {
    world.disturb = async (reached) => {
      if (reached !== point) return;
      world.disturb = () => {};
      await run();
    };
  }

  beforeEach(() => take(event(SAID), world.ports()));

  it('when an earlier description is taken while a later one, with nothing new, begins', async () => {
    onceAt('after thing', () => take(older, world.ports()));

    await take(newer, world.ports());

    expect(world.thing?.attributes).toMatchObject(ATTRIBUTES);
  });

  it('when an earlier one is cut off that had undone a later one: its next attempt comes too late, and mends it', async () => {
    onceAt('before setAttributes', async () => {
      await take(newer, world.ports());
      onceAt('after setAttributes', () => Promise.reject(new Error('cut off')));
    });
    await expect(take(older, world.ports())).rejects.toThrow('cut off');
    expect(world.thing?.attributes).toMatchObject({ firmwareVersion: '2.0.0' });

    await take(older, world.ports());

    expect(world.thing?.attributes).toMatchObject(ATTRIBUTES);
    expect(world.row).toMatchObject({ describedAt: NOW + 2 });
  });
});

describe('whatever the interleaving', () => {
  /** Arrivals of descriptions in milliseconds after NOW; the same twice is an event that Lambda delivers twice. */
  const arrivals = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 });
  const crashes = fc.uniqueArray(fc.integer({ min: 0, max: 80 }), { maxLength: 4 });
  /** Not every arrival has its own content: what a device goes back to is found in the registry. */
  const firmware = (arrival: number): string => `1.${arrival % 2}`;

  it('of descriptions, crashes and repeats, the last one holds in row and registry, and each is answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), arrivals, crashes, async (scheduler, arrived, crashing) => {
        const fresh = new World();
        let calls = 0;
        fresh.disturb = async (point) => {
          await scheduler.schedule(Promise.resolve(), point);
          if (crashing.includes(calls++)) throw new Error('cut off');
        };
        const run = async (arrival: number): Promise<void> => {
          const message = { id: `${arrival}`, ...SAID, firmwareVersion: firmware(arrival) };
          for (;;) {
            try {
              return await take(event(message, NOW + arrival), fresh.ports());
            } catch (error) {
              if (!(error instanceof Error && error.message === 'cut off')) throw error;
            }
          }
        };

        await scheduler.waitFor(Promise.all(arrived.map(run)));

        const last = Math.max(...arrived);
        const attributes = { ...ATTRIBUTES, firmwareVersion: firmware(last), field: 'north' };
        expect(fresh.row).toMatchObject({ describedAt: NOW + last, firmwareVersion: firmware(last) });
        expect(fresh.thing?.attributes).toEqual(attributes);
        const answered = fresh.answers.map((each) => (each as { accepted: string }).accepted);
        expect(new Set(answered)).toEqual(new Set(arrived.map(String)));
        expect(fresh.shadow).toEqual({ model: 'weather-station' });
      }),
      { numRuns: process.env.THINGSTEAD_EXHAUSTIVE ? 5000 : 300 },
    );
  });
});
