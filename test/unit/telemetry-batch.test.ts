/** Batches of the telemetry stream: roll-ups, latest values, quarantine, bill guard, and what happens when it happens twice. */
import { HourItem, LatestItem, RateItem } from '@thingstead/contracts/telemetry-store';
import { validate } from '@thingstead/contracts/validate';
import fc from 'fast-check';
import { processBatch } from '../../lambda/telemetry/domain.ts';
import type { StreamRecord } from '../../lambda/telemetry/message.ts';
import { HOUR, HOUR_MS, MINUTE_MS, recordOf, type Sent, Stores, sequenceNumber } from './telemetry-fixture.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 10_000 : 300;
let stores: Stores;

beforeEach(() => {
  stores = new Stores();
});

function process1(...sent: readonly Sent[]): Promise<string | undefined> {
  return processBatch(
    sent.map((each, n) => recordOf(each, n + 1)),
    stores.ports(),
  );
}

describe('roll-ups', () => {
  it('have totals of the hour and of each minute, from one write', async () => {
    await process1(
      {
        payload: {
          id: 'a-1',
          readings: [
            { value: 10, time: HOUR },
            { value: 30, time: HOUR + MINUTE_MS },
          ],
        },
      },
      { payload: { id: 'a-2', value: 20, time: HOUR + 1 } },
    );

    expect(stores.hour('thing1', 'temperature')).toMatchObject({
      ...{ count: 3, min: 10, max: 30, sum: 60, last: 30, lastTime: HOUR + MINUTE_MS },
      minutes: {
        '00': { count: 2, min: 10, max: 20, sum: 30, last: 20, lastTime: HOUR + 1 },
        '01': { count: 1, min: 30, max: 30, sum: 30, last: 30 },
      },
      expiresAt: (HOUR + HOUR_MS) / 1000 + 400 * 86_400,
    });
    // The hour, the latest value, the number of messages.
    expect(stores.writes).toBe(3);
  });

  it('take booleans as 0 and 1, and count texts', async () => {
    await process1(
      { payload: { id: 'a-1', value: true, time: HOUR } },
      { payload: { id: 'a-2', value: false, time: HOUR + 1 } },
      { payload: { id: 'a-3', value: 'open', time: HOUR + 2 } },
    );

    const item = stores.hour('thing1', 'temperature');
    expect(item).toMatchObject({ count: 3, min: 0, max: 1, sum: 1, last: 'open' });
    expect(stores.latest.get('thing1 latest#temperature')).toMatchObject({ value: 'open', messageId: 'a-3' });
  });

  it('split a message that spans hours', async () => {
    await process1({
      payload: {
        id: 'a-1',
        readings: [
          { value: 1, time: HOUR - 1 },
          { value: 2, time: HOUR },
        ],
      },
    });

    expect(stores.hour('thing1', 'temperature', '2026-11-21T09')).toMatchObject({ count: 1, sum: 1 });
    expect(stores.hour('thing1', 'temperature')).toMatchObject({ count: 1, sum: 2 });
  });

  it('count a message that the device sent twice once, and one without an id as often as it came', async () => {
    const named = { payload: { id: 'a-1', value: 1, time: HOUR } };
    const odd = { payload: { id: 'f3c1', value: 1, time: HOUR } };
    const nameless = { payload: { value: 1, time: HOUR } };

    await process1(named, named, odd, odd, nameless, nameless);

    expect(stores.hour('thing1', 'temperature')?.count).toBe(4);
  });

  it('keep the last reading of a batch that has no times', async () => {
    await process1({ payload: { id: 'a-1', readings: [{ value: 9 }, { value: 5 }] } });

    expect(stores.hour('thing1', 'temperature')?.last).toBe(5);
    expect(stores.latest.get('thing1 latest#temperature')?.value).toBe(5);
  });

  it('have the same last value of two messages with one time, whichever comes first', async () => {
    const messages = [9, 5, 'text', true].map((value, n) => ({ payload: { id: `a-${n}`, value, time: HOUR } }));

    const lasts = new Set<unknown>();
    for (const order of [messages, messages.toReversed()]) {
      stores = new Stores();
      await process1(...order);
      lasts.add(stores.hour('thing1', 'temperature')?.last);
    }

    expect(lasts.size).toBe(1);
  });

  it('stay below the size of an item, whatever devices send', async () => {
    const longId = (n: number) => `${'\u{10ffff}'.repeat(55)}${n}`;
    const unruly = Array.from({ length: 3000 }, (_, n) => ({
      payload: {
        id: n % 2 ? longId(n) : `${longId(n % 400)}-${n * n}`,
        value: '\u{10ffff}'.repeat(128),
        time: HOUR + n * 1200,
      },
    }));
    for (let n = 0; n < unruly.length; n += 500) {
      const batch = unruly.slice(n, n + 500).map((sent, m) => recordOf(sent, n + m));
      await processBatch(batch, stores.ports());
    }

    const item = stores.hour('thing1', 'temperature');
    expect(item?.count).toBe(3000);
    expect(Buffer.byteLength(JSON.stringify(item))).toBeLessThan(350_000);
  });

  it('stay below the size of an item when a device numbers ten messages a second at random', async () => {
    // GIVEN numbers without a pattern, in as many sessions as are kept: nothing can be written together
    const scattered = (n: number) => (BigInt(n) * 636_413_622_384_679n) % 1_000_000_000_000_000n;
    const positions = Array.from({ length: 36_000 }, (_, n) => n);

    // WHEN
    for (let n = 0; n < positions.length; n += 500) {
      const batch = positions.slice(n, n + 500).map((position) => {
        const id = `session${position % 32}-${scattered(position)}`;
        return recordOf({ payload: { id, value: 1, time: HOUR + position } }, position);
      });
      await processBatch(batch, stores.ports());
    }

    // THEN every message is counted, and DynamoDB takes the item
    const item = stores.hour('thing1', 'temperature');
    expect(item?.count).toBe(36_000);
    expect(Buffer.byteLength(JSON.stringify(item))).toBeLessThan(350_000);
  });
});

describe('the latest value', () => {
  it('is not replaced by an older one that arrives later', async () => {
    await process1({ payload: { id: 'a-2', value: 2, time: HOUR + 5 } });
    await processBatch([recordOf({ payload: { id: 'a-1', value: 1, time: HOUR } }, 9)], stores.ports());

    expect(stores.latest.get('thing1 latest#temperature')).toMatchObject({ value: 2, time: HOUR + 5 });
  });

  it('says when the clock was wrong', async () => {
    await process1({ payload: { id: 'a-1', value: 1, time: 0 }, receivedAt: HOUR });

    expect(stores.latest.get('thing1 latest#temperature')).toMatchObject({
      time: HOUR,
      clock: 'behind',
      deviceTime: 0,
    });
  });
});

describe('a malformed message', () => {
  it('goes to quarantine and fails nothing', async () => {
    const outcome = await process1({ payload: { valu: 1 } }, { payload: { id: 'a-1', value: 1, time: HOUR } });

    expect(outcome).toBeUndefined();
    expect(stores.quarantined).toMatchObject([{ thing: 'thing1', sensor: 'temperature', message: { valu: 1 } }]);
    expect(stores.hour('thing1', 'temperature')?.count).toBe(1);
  });

  it('comes again when quarantine does not take it', async () => {
    stores.disturb = (moment, what) => {
      if (moment === 'before' && what === 'quarantine') throw new Error('throttled');
    };

    const outcome = await process1({ payload: { id: 'a-1', value: 1, time: HOUR } }, { payload: {} });

    expect(outcome).toBe(sequenceNumber(2));
  });
});

describe('the bill guard', () => {
  const message = (n: number): Sent => ({ payload: n % 3 ? { id: `a-${n}`, value: n, time: HOUR } : { wrong: n } });

  beforeEach(() => {
    stores.settings = { ...stores.settings, expectedMessagesPerHour: 20 };
  });

  it('reports a thing once an hour, by name, malformed messages included', async () => {
    await process1(...Array.from({ length: 20 }, (_, n) => message(n)));
    expect(stores.overRate).toEqual([]);

    await processBatch([recordOf(message(20), 21)], stores.ports());
    await processBatch([recordOf(message(21), 22)], stores.ports());

    expect(stores.overRate).toEqual([{ thing: 'thing1', hour: '2026-11-21T10', messages: 21 }]);
  });

  it('sees one message that reaches over many hours, each of which is written', async () => {
    const readings = Array.from({ length: 21 }, (_, n) => ({ value: n, time: HOUR - n * HOUR_MS }));
    await process1({ payload: { id: 'a-1', readings } });

    expect(stores.overRate).toEqual([{ thing: 'thing1', hour: '2026-11-21T10', messages: 21 }]);
  });

  it('counts nothing twice when a batch comes again', async () => {
    const batch = Array.from({ length: 15 }, (_, n) => message(n));
    await process1(...batch);
    await process1(...batch);

    expect(stores.overRate).toEqual([]);
    expect(stores.rates.get('thing1 rate#2026-11-21T10')?.messages).toBe(15);
  });

  it('reports also when the function is cut off between counting and reporting', async () => {
    const batch = Array.from({ length: 21 }, (_, n) => message(n));
    stores.disturb = (moment, what) => {
      if (moment === 'after' && what.includes('rate#')) throw new Error('cut off');
    };
    await process1(...batch);
    stores.disturb = () => {};

    await process1(...batch);

    expect(stores.overRate).toHaveLength(1);
  });
});

describe('a batch of ten of which some cannot be written', () => {
  it('comes again from the first of these, for each of the 1 023 subsets', async () => {
    const records = Array.from({ length: 10 }, (_, n) =>
      recordOf({ sensor: `s${n}`, payload: { id: `a-${n}`, value: 1, time: HOUR } }, n),
    );
    for (let subset = 1; subset < 1024; subset += 1) {
      stores = new Stores();
      const fails = (n: number) => (subset & (1 << n)) !== 0;
      stores.disturb = (moment, what) => {
        const sensor = /#s(\d) hour/.exec(what)?.[1];
        if (moment === 'before' && sensor !== undefined && fails(Number(sensor))) throw new Error('throttled');
      };

      const outcome = await processBatch(records, stores.ports());

      const first = records.findIndex((_, n) => fails(n));
      expect(outcome).toBe(sequenceNumber(first));
      expect(stores.hours.size).toBe(records.filter((_, n) => !fails(n)).length);
    }
  });
});

describe('however messages are repeated, ordered and batched, and whatever fails in between', () => {
  /** A message of one of few things and sensors, over three hours. */
  const sentArbitrary = fc.record({
    thing: fc.constantFrom('thing1', 'thing2'),
    sensor: fc.constantFrom('t', 'h'),
    readings: fc.array(
      fc.record({
        value: fc.oneof(fc.integer({ min: -100, max: 100 }), fc.boolean(), fc.constantFrom('on', 'off')),
        offset: fc.nat(180),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    id: fc.constantFrom('numbered', 'other', 'none'),
  });
  const streamArbitrary = fc.record({
    sent: fc.array(sentArbitrary, { minLength: 1, maxLength: 25 }),
    /** Which messages the device sends again, and the order in which all arrive. */
    again: fc.array(fc.nat(), { maxLength: 15 }),
    order: fc.array(fc.nat(), { minLength: 45, maxLength: 45 }),
    shards: fc.array(fc.boolean(), { minLength: 45, maxLength: 45 }),
  });
  const deliveryArbitrary = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 10 }),
    repeats: fc.array(fc.boolean(), { maxLength: 20 }),
    faults: fc.array(fc.constantFrom('none', 'none', 'none', 'before', 'after'), { maxLength: 60 }),
  });

  type Reading = { readonly value: number | boolean | string; readonly time: number };
  interface Unique {
    readonly thing: string;
    readonly sensor: string;
    readonly id: string | undefined;
    readonly readings: readonly Reading[];
  }

  function uniqueMessages(
    sent: readonly {
      thing: string;
      sensor: string;
      id: string;
      readings: readonly { value: Reading['value']; offset: number }[];
    }[],
  ): readonly Unique[] {
    return sent.map(({ thing, sensor, id, readings }, n) => ({
      thing,
      sensor,
      id: id === 'numbered' ? `boot-${n}` : id === 'other' ? `x${n}x` : undefined,
      readings: readings.map(({ value, offset }) => ({ value, time: HOUR - HOUR_MS + offset * MINUTE_MS + n })),
    }));
  }

  /** Delivers a shard as Lambda does: from a checkpoint, in batches, some of them twice. */
  async function deliver(
    records: readonly StreamRecord[],
    { sizes, repeats }: { sizes: readonly number[]; repeats: boolean[] },
  ): Promise<void> {
    let position = 0;
    for (let turn = 0; position < records.length; turn += 1) {
      const batch = records.slice(position, position + (sizes[turn % sizes.length] ?? 1));
      const failedAt = await processBatch(batch, stores.ports());
      if (failedAt !== undefined) position = records.findIndex((record) => record.sequenceNumber === failedAt);
      else if (!repeats.shift()) position += batch.length;
    }
  }

  it('roll-ups and latest values are those of the messages, each once', async () => {
    await fc.assert(
      fc.asyncProperty(streamArbitrary, deliveryArbitrary, async ({ sent, again, order, shards }, delivery) => {
        stores = new Stores();
        const unique = uniqueMessages(sent);
        const repeated = again.flatMap((n) => unique[n % unique.length] ?? []).filter(({ id }) => id !== undefined);
        const arrivals = [...unique, ...repeated]
          .map((message, n) => ({ message, rank: order[n] ?? 0, shard: shards[n] ? 'shardId-1' : 'shardId-2' }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ message: { thing, sensor, id, readings }, shard }, n) =>
            recordOf({ thing, sensor, receivedAt: HOUR + 2 * HOUR_MS, payload: { id, readings } }, n, shard),
          );
        const faults = [...delivery.faults];
        let fault: string | undefined;
        stores.disturb = (moment) => {
          if (moment === 'before') fault = faults.pop();
          if (fault === moment) throw new Error(`fails ${moment} the write`);
        };

        const repeats = [...delivery.repeats];
        for (const shard of ['shardId-1', 'shardId-2']) {
          await deliver(
            arrivals.filter(({ shardId }) => shardId === shard),
            { sizes: delivery.sizes, repeats },
          );
        }

        expect(summaryOfStores()).toEqual(summaryOf(unique));
        for (const item of stores.hours.values()) expect(validate(HourItem, item).ok).toBe(true);
        for (const item of stores.rates.values()) expect(validate(RateItem, item).ok).toBe(true);
        for (const item of stores.latest.values()) expect(validate(LatestItem, item).ok).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('two writers of one item lose nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        stores = new Stores();
        stores.disturb = (moment, what) =>
          scheduler.schedule(Promise.resolve(), `${moment} ${what}`).then(() => undefined);
        const writers = ['shardId-1', 'shardId-2', 'shardId-3'].map((shard, n) =>
          processBatch([recordOf({ payload: { id: `b-${n}`, value: n, time: HOUR } }, n, shard)], stores.ports()),
        );

        await scheduler.waitFor(Promise.all(writers));

        expect(stores.failures).toEqual([]);
        expect(stores.hour('thing1', 'temperature')).toMatchObject({ count: 3, sum: 3 });
      }),
      { numRuns: 100 },
    );
  });

  /** Written down without any of the code under test: one pass over the messages for each figure. */
  function summaryOf(messages: readonly Unique[]): unknown {
    const rows = messages.flatMap(({ thing, sensor, readings }) =>
      readings.map((reading, index) => ({ sensor: `${thing}#${sensor}`, index, ...reading })),
    );
    const keys = new Set(rows.map(({ sensor, time }) => `${sensor} ${new Date(time).toISOString().slice(0, 13)}`));
    return Object.fromEntries(
      [...keys].sort().map((key) => {
        const inHour = rows.filter(
          ({ sensor, time }) => key === `${sensor} ${new Date(time).toISOString().slice(0, 13)}`,
        );
        const numbers = inHour.flatMap(({ value }) => (typeof value === 'string' ? [] : [Number(value)]));
        const lastTime = Math.max(...inHour.map(({ time }) => time));
        const last = inHour.filter(({ time }) => time === lastTime).at(-1)?.value;
        const totals =
          numbers.length === 0
            ? {}
            : { min: Math.min(...numbers), max: Math.max(...numbers), sum: numbers.reduce((a, b) => a + b) };
        return [key, { count: inHour.length, ...totals, last, lastTime, minutesCount: inHour.length }];
      }),
    );
  }

  function summaryOfStores(): unknown {
    const rows = [...stores.hours.values()].map(({ pk, sk, count, min, max, sum, last, lastTime, minutes }) => {
      const totals = Object.fromEntries(Object.entries({ min, max, sum }).filter(([, value]) => value !== undefined));
      const minutesCount = Object.values(minutes).reduce((n, bucket) => n + bucket.count, 0);
      return [`${pk} ${sk.slice(5)}`, { count, ...totals, last, lastTime, minutesCount }] as const;
    });
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
});
