/** Readings page by page, against a plain filter over all of them; roll-ups; what an earlier owner has measured. */
import {
  CLOCK_AHEAD_MS,
  type HourItem,
  hourKey,
  hourOf,
  MAX_BATCH_SPAN_MS,
} from '@thingstead/contracts/telemetry-store';
import fc from 'fast-check';
import { addToHour, groupByHour } from '../../lambda/telemetry/roll-up.ts';
import type { StoredMessage } from '../../lambda/things/ports.ts';
import { ThingsWorld } from './things-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 20_000 : 500;
const THING = 'farm-1';
const SENSOR = 'temperature';
const SERIES = `${THING}#${SENSOR}`;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 10, 21, 10);

interface Sent {
  readonly time: number;
  readonly arrivesAfter: number;
  /** Of a batch, in milliseconds after the first reading. */
  readonly offsets: readonly number[] | undefined;
}
interface Shown {
  readonly value: number;
  readonly time: number;
}

let serial = 0;

/** Each reading has a value of its own. */
function stored({ time, arrivesAfter, offsets }: Sent): {
  message: StoredMessage;
  readings: Shown[];
  receivedAt: number;
} {
  serial += 1;
  const receivedAt = time + arrivesAfter;
  const readings = [0, ...(offsets ?? [])].map((offset, index) => ({
    value: serial * 100 + index,
    time: time + offset,
  }));
  const content = offsets === undefined ? readings[0] : { readings };
  const sk = `${new Date(time).toISOString()}#${serial}`;
  return { message: { ...content, sk, pk: SERIES, receivedAt }, readings, receivedAt };
}

const times = fc.integer({ min: START, max: START + 4 * HOUR_MS });
const messages = fc.array(
  fc.record({
    time: times,
    // A clock may be ahead.
    arrivesAfter: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
    offsets: fc.option(fc.array(fc.integer({ min: 0, max: MAX_BATCH_SPAN_MS }), { maxLength: 5 }), { nil: undefined }),
  }),
  { maxLength: 30 },
);

async function rawPages(world: ThingsWorld, query: Readonly<Record<string, string>>): Promise<Shown[]> {
  const found: Shown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 1000; page += 1) {
    const { status, body } = await world.call(
      'GET /things/{thing}/telemetry',
      { thing: THING },
      { query: { ...query, cursor } },
    );
    expect([status, body]).toEqual([200, expect.anything()]);
    expect(body.readings.length).toBeLessThanOrEqual(Number(query.limit ?? 100));
    found.push(...body.readings);
    cursor = body.cursor;
    if (cursor === undefined) return found;
  }
  throw new Error('the pages never end');
}

it('raw readings of a time come once each, in order, whatever the pages; none is of an earlier owner', async () => {
  await fc.assert(
    fc.asyncProperty(
      messages,
      fc.tuple(times, times),
      fc.option(times, { nil: 0 }),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom(2, 7, Number.POSITIVE_INFINITY),
      async (sent, [a, b], visibleFrom, limit, itemsPerQuery) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
        const world = new ThingsWorld();
        world.itemsPerQuery = itemsPerQuery;
        world.grant({ kind: 'thing', name: THING }, 'viewer', { visibleFrom });
        const all = sent.map(stored);
        world.history.set(
          SERIES,
          all.map(({ message }) => message),
        );
        const expected = all
          .filter(({ receivedAt }) => receivedAt >= visibleFrom)
          .flatMap(({ readings }) => readings)
          .filter(({ time }) => time >= from && time < to && time >= visibleFrom);

        const found = await rawPages(world, { sensor: SENSOR, from: `${from}`, to: `${to}`, limit: `${limit}` });

        expect(found.map(({ time }) => time)).toEqual(found.map(({ time }) => time).sort((x, y) => x - y));
        const byValue = (x: Shown, y: Shown): number => x.value - y.value;
        expect(found.toSorted(byValue)).toEqual(expected.toSorted(byValue));
      },
    ),
    { numRuns: RUNS },
  );
});

describe('raw readings', () => {
  let world: ThingsWorld;

  beforeEach(() => {
    world = new ThingsWorld();
    world.grant({ kind: 'thing', name: THING });
  });

  const asked = (query: Readonly<Record<string, string>> = {}) => ({
    query: { sensor: SENSOR, from: `${START}`, to: `${START + HOUR_MS}`, ...query },
  });
  const get = async (query?: Readonly<Record<string, string>>) =>
    world.call('GET /things/{thing}/telemetry', { thing: THING }, asked(query));

  it('have their units; what is no reading is left out, and a reading without a time has that of its arrival', async () => {
    const sk = (minute: number): string => `${new Date(START + minute * MINUTE_MS).toISOString()}#x`;
    world.history.set(SERIES, [
      { sk: sk(0), receivedAt: START + 5, value: 21.5, unit: 'Cel' },
      { sk: sk(1), receivedAt: START, value: { nested: true } },
      { sk: sk(2), receivedAt: START, readings: 'none' },
      { sk: sk(3), receivedAt: START, readings: [{ value: true, time: START + 3 * MINUTE_MS, more: 1 }] },
      { sk: 'nonsense', receivedAt: START, value: 1 },
    ]);

    expect((await get()).body).toEqual({
      readings: [
        { value: 21.5, unit: 'Cel', time: START + 5 },
        { value: true, time: START + 3 * MINUTE_MS },
      ],
    });
  });

  it.each([
    ['from and to are the same', { to: `${START}` }, 'query.from'],
    ['from is later', { from: `${START + 2 * HOUR_MS}` }, 'query.from'],
    ['the limit is too high', { limit: '1001' }, 'query.limit'],
    ['a time is no number', { from: 'yesterday' }, 'query.from'],
    ['the resolution is unknown', { resolution: 'day' }, 'query.resolution'],
    ['the cursor is made up', { cursor: 'abc' }, 'query.cursor'],
  ])('are refused when %s', async (_, query, field) => {
    const { status, body } = await get(query);

    expect([status, body.detail]).toEqual([400, expect.stringContaining(field)]);
  });

  it('of times that no key can have are none', async () => {
    const { body } = await get({ from: '300000000000000', to: '8640000000000000' });

    expect(body).toEqual({ readings: [] });
  });

  it('read no more than they show, beside the batches that began before', async () => {
    world.history.set(
      SERIES,
      Array.from(
        { length: 10_000 },
        (_, n) => stored({ time: START + n, arrivesAfter: 0, offsets: undefined }).message,
      ),
    );

    const { body } = await get({ limit: '10' });
    expect(body.readings).toHaveLength(10);
    expect(world.used.rows).toBeLessThanOrEqual(11);

    const next = await get({ limit: '10', cursor: body.cursor });
    expect(next.body.readings).toHaveLength(10);
    expect(world.used.rows).toBeLessThanOrEqual(11);
  });

  it('with a cursor of another sensor, time, thing or person are refused', async () => {
    world.history.set(
      SERIES,
      [0, 1].map((n) => stored({ time: START + n, arrivesAfter: 0, offsets: undefined }).message),
    );
    world.grant({ kind: 'thing', name: THING }, 'owner', { person: 'eve' });
    const { cursor } = (await get({ limit: '1' })).body;
    expect((await get({ cursor })).body.readings).toHaveLength(1);

    for (const other of [{ sensor: 'rain' }, { from: `${START + 1}` }, { resolution: 'minute' }]) {
      expect((await get({ cursor, ...other })).status).toBe(400);
    }
    const eve = { ...asked({ cursor }), person: 'eve' };
    expect((await world.call('GET /things/{thing}/telemetry', { thing: THING }, eve)).status).toBe(400);
  });
});

/** Roll-ups of readings at these times, as the telemetry function makes them. */
function rollUps(readings: readonly Shown[]): HourItem[] {
  const timed = readings.map(({ value, time }, n) => ({
    ...{ shardId: 's', sequenceNumber: `${n}`, thing: THING, sensor: SENSOR, id: undefined, messageId: `${n}` },
    receivedAt: time,
    readings: [{ value, unit: undefined, time, clock: undefined, deviceTime: undefined }],
  }));
  return groupByHour(timed).flatMap((group) => addToHour(undefined, group, 400) ?? []);
}

describe('summaries', () => {
  const series = fc.array(fc.record({ value: fc.integer({ min: -9, max: 9 }), time: times }), { maxLength: 60 });

  it.each(['minute', 'hour'] as const)(
    'by %s come once each, in order, whatever the pages; none has readings of an earlier owner',
    async (resolution) => {
      const length = resolution === 'minute' ? MINUTE_MS : HOUR_MS;
      await fc.assert(
        fc.asyncProperty(
          series,
          fc.tuple(times, times),
          fc.option(times, { nil: undefined }),
          fc.integer({ min: 1, max: 5 }),
          async (readings, [a, b], since, limit) => {
            const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
            const world = new ThingsWorld();
            world.itemsPerQuery = 2;
            world.grant({ kind: 'thing', name: THING }, 'viewer', { visibleFrom: since ?? 0 });
            world.hours.set(SERIES, rollUps(readings));
            // Whole minutes only, of which the first one begins when no reading can have arrived earlier.
            const first = since === undefined ? 0 : Math.ceil((since + CLOCK_AHEAD_MS) / MINUTE_MS) * MINUTE_MS;
            const buckets = Map.groupBy(
              readings.filter(({ time }) => time >= first),
              ({ time }) => Math.floor(time / length) * length,
            );
            const expected = [...buckets].filter(([time]) => time >= from && time < to).sort(([x], [y]) => x - y);

            // biome-ignore lint/suspicious/noExplicitAny: as answered.
            const found: any[] = [];
            let cursor: string | undefined;
            do {
              const query = { sensor: SENSOR, from: `${from}`, to: `${to}`, resolution, limit: `${limit}`, cursor };
              const { body } = await world.call('GET /things/{thing}/telemetry', { thing: THING }, { query });
              expect(body.summaries.length).toBeLessThanOrEqual(limit);
              found.push(...body.summaries);
              cursor = body.cursor;
            } while (cursor !== undefined);

            expect(found.map(({ time, count, min, max, mean }) => [time, count, min, max, mean.toFixed(6)])).toEqual(
              expected.map(([time, inBucket]) => {
                const values = inBucket.map(({ value }) => value);
                const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
                return [time, values.length, Math.min(...values), Math.max(...values), mean.toFixed(6)];
              }),
            );
          },
        ),
        { numRuns: RUNS / 2 },
      );
    },
  );

  it('of texts have a last value and a number, and nothing that texts have not', async () => {
    const world = new ThingsWorld();
    world.grant({ kind: 'thing', name: THING });
    const bucket = { count: 2, last: 'open', lastTime: START + 5 };
    const ofHour = { thing: THING, sensor: SENSOR, sessions: [], ids: [], shards: {}, version: 1, expiresAt: 1 };
    const item = { ...hourKey(THING, SENSOR, hourOf(START)), ...ofHour, ...bucket, minutes: { '00': bucket } };
    world.hours.set(SERIES, [item]);

    const query = { sensor: SENSOR, from: `${START}`, to: `${START + 1}`, resolution: 'hour' };
    const { body } = await world.call('GET /things/{thing}/telemetry', { thing: THING }, { query });

    expect(body).toEqual({ summaries: [{ time: START, count: 2, last: 'open' }] });
  });
});
