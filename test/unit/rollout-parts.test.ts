/** Parts of rollouts by themselves: when devices may be started, whether one is well, what a device gets that joins late. */
import type { FirmwareDeviceRow, RolloutDeviceRow, RolloutRelease } from '@thingstead/contracts/rollout-store';
import { NewRollout, waveEnd } from '@thingstead/contracts/rollouts';
import * as v from 'valibot';
import { abortAt, maintenanceWindow, rate, waves } from '../../cli/src/rollouts/rollout-arguments.ts';
import { judge } from '../../lambda/rollout-ticks/health.ts';
import { numbersOf } from '../../lambda/rollout-ticks/numbers.ts';
import { allowedStarts, ratePerMinute, timeUntilOpen } from '../../lambda/rollout-ticks/schedule.ts';
import { skipReason } from '../../lambda/rollouts/candidates.ts';
import { offerCurrent } from '../../lambda/rollouts/offer-current.ts';

const MINUTE = 60_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);
const RELEASE: RolloutRelease = {
  ...{ product: 'lamp', version: '2.0', counter: 20, minimumCounter: 10, hardwareRevisions: ['a', 'b'] },
  ...{ size: 1000, expiresAt: MIDNIGHT + 86_400_000 },
};

describe('the rate', () => {
  const none = numbersOf({}, 1).all;

  it('lets start so many in the time that has passed, and keeps no more than ten seconds of it', () => {
    const allowance = { starts: 0, at: MIDNIGHT };
    expect(allowedStarts({ allowance }, 60, MIDNIGHT + 5_000)).toBe(5);
    expect(allowedStarts({ allowance }, 60, MIDNIGHT + 60 * MINUTE)).toBe(10);
    expect(allowedStarts({ allowance }, 1, MIDNIGHT + 60 * MINUTE)).toBe(1);
  });

  it('grows by its factor each time that so many more were notified, up to its maximum', () => {
    const growing = { basePerMinute: 50, factor: 2, every: 1000, of: 'notified', maximumPerMinute: 300 } as const;
    const at = (NOTIFIED: number) => ratePerMinute(growing, { ...none, PENDING: 5000, NOTIFIED });
    expect([at(0), at(999), at(1000), at(2000), at(3000)]).toEqual([50, 50, 100, 200, 300]);
  });
});

it.each([
  ['02:00', 60, 0, '01:59', 1],
  ['02:00', 60, 0, '02:00', 0],
  ['02:00', 60, 0, '02:59', 0],
  ['02:00', 60, 0, '03:00', 23 * 60],
  // One that goes over midnight, and one on a clock that is ahead.
  ['23:30', 60, 0, '00:10', 0],
  ['02:00', 60, 120, '00:30', 0],
  ['02:00', 60, -60, '02:30', 30],
])(
  'a window from %s for %i minutes, at %i from UTC: at %s it is %i minutes until it opens',
  (from, minutes, utcOffsetMinutes, at, until) => {
    const now = Date.parse(`2026-11-21T${at}:00Z`);
    expect(timeUntilOpen({ from, minutes, utcOffsetMinutes }, now) / MINUTE).toBe(until);
  },
);

describe('a device at the end of its soak time', () => {
  const row = {
    startedAt: MIDNIGHT,
    committedAt: MIDNIGHT + 10 * MINUTE,
    connections: 4,
    thing: 'lamp1',
  } as RolloutDeviceRow;
  const now = MIDNIGHT + 20 * MINUTE;

  async function judged(
    presence: { connected: boolean; connections?: number } | undefined,
    errors: { before: readonly [number, number]; since: readonly [number, number] } = { before: [0, 0], since: [0, 0] },
    health: v.InferInput<typeof NewRollout>['health'] = {},
  ): Promise<string> {
    const settings = v.parse(NewRollout, { product: 'lamp', counter: 1, health });
    const verdict = await judge(row, settings, {
      presences: {
        find: async () => presence && { connections: undefined, ...presence, since: MIDNIGHT },
      },
      errors: {
        between: async (_, __, from) => {
          const [count, mean] = from < MIDNIGHT ? errors.before : errors.since;
          return { count, mean };
        },
      },
      now: () => now,
    });
    return verdict.is;
  }

  it('is healthy when it is connected, and has not connected again more often than it may', async () => {
    expect(await judged({ connected: true, connections: 7 })).toBe('healthy');
    expect(await judged({ connected: true, connections: 8 })).toBe('unhealthy');
    // The broker began to count again.
    expect(await judged({ connected: true, connections: 2 })).toBe('healthy');
    expect(await judged({ connected: true, connections: 3 })).toBe('unhealthy');
    expect(await judged({ connected: false })).toBe('away');
    expect(await judged(undefined)).toBe('away');
  });

  it('is not healthy when its error sensor reads higher than before, or not at all any more', async () => {
    const health = { errorSensor: 'errors', maxErrorIncrease: 0.5 };
    const connected = { connected: true };
    expect(await judged(connected, { before: [60, 1], since: [10, 1.5] }, health)).toBe('healthy');
    expect(await judged(connected, { before: [60, 1], since: [10, 1.6] }, health)).toBe('unhealthy');
    expect(await judged(connected, { before: [60, 1], since: [0, 0] }, health)).toBe('unhealthy');
    expect(await judged(connected, { before: [0, 0], since: [0, 0] }, health)).toBe('healthy');
  });
});

it.each<[string | undefined, string | undefined, Partial<NonNullable<FirmwareDeviceRow['running']>> | undefined]>([
  [undefined, 'a', undefined],
  [undefined, 'a', { counter: 10 }],
  ['other-hardware', 'c', undefined],
  // What it says of itself when it starts is newer than its description.
  ['other-hardware', 'a', { counter: 10, hardwareRevision: 'c' }],
  ['has-it-already', 'a', { counter: 20 }],
  ['has-it-already', 'a', { counter: 21 }],
  ['not-reachable-from-here', 'a', { counter: 9 }],
  // Not from a release: it counts as the first one, on the device too.
  ['not-reachable-from-here', 'a', { counter: 0 }],
  ['other-product', 'a', { counter: 10, product: 'gate' }],
])('%s: hardware %s, running %j', (reason, hardwareRevision, running) => {
  const row = { pk: 'lamp1', thingType: 'lamp', hardwareRevision };
  const offered = running && { running: { version: '1.0', counter: 0, at: 0, ...running } };
  expect(skipReason(row as never, offered, RELEASE, MIDNIGHT)).toBe(reason);
});

describe('a device that is in no rollout', () => {
  async function offered(
    before: FirmwareDeviceRow | undefined,
    running: { counter: number; hardwareRevision?: string },
  ) {
    const told: string[] = [];
    await offerCurrent(
      'lamp1',
      { type: 'running', product: 'lamp', version: '1.0', ...running },
      {
        offers: { read: async () => before, offerLate: async () => true },
        shadows: { desire: async (_, { attempt }) => told.push(attempt) > 0 },
        current: async () => RELEASE,
        newId: () => 'new',
        now: () => MIDNIGHT,
      },
    );
    return told;
  }
  const now = { offeredAt: MIDNIGHT, counter: 20, attempt: 'old' };

  it('gets what is current, once, and again only what it may not have heard of', async () => {
    expect(await offered(undefined, { counter: 15 })).toEqual(['new']);
    expect(await offered({ ...now, state: 'OFFERED' }, { counter: 15 })).toEqual(['old']);
    expect(await offered({ ...now, counter: 19, state: 'ENDED' }, { counter: 15 })).toEqual(['new']);
  });

  it('gets nothing that it has, cannot take, has failed with, or while a rollout has it', async () => {
    expect(await offered(undefined, { counter: 20 })).toEqual([]);
    expect(await offered(undefined, { counter: 5 })).toEqual([]);
    expect(await offered(undefined, { counter: 15, hardwareRevision: 'c' })).toEqual([]);
    expect(await offered({ ...now, state: 'ENDED', failure: 'unhealthy' }, { counter: 15 })).toEqual([]);
    expect(await offered({ ...now, state: 'OFFERED', counter: 19, rollout: 'r' }, { counter: 15 })).toEqual([]);
  });
});

it('the command line says settings in one word', () => {
  expect(waves('5, 25%,100%')).toEqual([{ count: 5 }, { percent: 25 }, { percent: 100 }]);
  expect(rate('100')).toEqual({ perMinute: 100 });
  expect(rate('50x1.5/1000')).toEqual({ basePerMinute: 50, factor: 1.5, every: 1000, of: 'succeeded' });
  expect(abortAt('12.5%/3')).toEqual({ failurePercent: 12.5, minimumFailures: 3 });
  expect(maintenanceWindow('02:00+120@-60')).toEqual({ from: '02:00', minutes: 120, utcOffsetMinutes: -60 });
  expect(() => waves('5;6')).toThrow('Waves are');
  expect(() => rate('fast')).toThrow('A rate is');
});

it('a wave ends after so many, or so many percent of all, and never beyond all', () => {
  expect(waveEnd({ count: 5 }, 3)).toBe(3);
  expect(waveEnd({ percent: 25 }, 9)).toBe(3);
  expect(waveEnd({ percent: 100 }, 9)).toBe(9);
  const last = { product: 'lamp', counter: 1, waves: [{ count: 5 }, { percent: 25 }] };
  expect(v.safeParse(NewRollout, last).success).toBe(false);
  expect(v.safeParse(NewRollout, { ...last, waves: [], target: { things: ['a'], site: 'b' } }).success).toBe(false);
});
