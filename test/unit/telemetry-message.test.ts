/** What counts as a reading, and which time it gets. */
import fc from 'fast-check';
import { parseRecord } from '../../lambda/telemetry/message.ts';
import { DAY_MS, HOUR, HOUR_MS, MINUTE_MS, recordOf } from './telemetry-fixture.ts';

const receivedAt = HOUR + 30 * MINUTE_MS;

function parse(payload: object) {
  return parseRecord(recordOf({ payload, receivedAt }, 1), 31 * DAY_MS);
}

function readings(payload: object) {
  const parsed = parse(payload);
  if (parsed.kind === 'malformed') throw new Error(parsed.quarantined.reason);
  return parsed.message.readings;
}

describe('a message', () => {
  it('with one reading has the device’s time', () => {
    expect(readings({ value: 21.5, time: HOUR, unit: 'Cel', anything: { else: 1 } })).toEqual([
      { value: 21.5, unit: 'Cel', time: HOUR, clock: undefined, deviceTime: undefined },
    ]);
  });

  it('with several has the time of each', () => {
    const batch = {
      id: 'a-1',
      readings: [{ value: 1, time: HOUR }, { value: true, time: HOUR - HOUR_MS }, { value: 'on' }],
    };

    expect(readings(batch).map(({ value, time }) => [value, time])).toEqual([
      [1, HOUR],
      [true, HOUR - HOUR_MS],
      ['on', receivedAt],
    ]);
  });

  it.each([
    ['ten minutes ahead', receivedAt + 10 * MINUTE_MS, undefined],
    ['more than ten minutes ahead', receivedAt + 10 * MINUTE_MS + 1, 'ahead'],
    ['a month old', receivedAt - 31 * DAY_MS, undefined],
    ['older than a month', receivedAt - 31 * DAY_MS - 1, 'behind'],
    ['of a clock that was never set', 0, 'behind'],
    ['absurd', Number.MAX_SAFE_INTEGER, 'ahead'],
  ] as const)('whose time is %s is kept; its clock is marked %s', (_what, time, clock) => {
    const [reading] = readings({ value: 1, time });

    expect(reading?.clock).toBe(clock);
    expect(reading?.time).toBe(clock ? receivedAt : time);
    expect(reading?.deviceTime).toBe(clock ? time : undefined);
  });

  it.each([
    ['no value', { temperature: 21 }, 'value'],
    ['an object as value', { value: { nested: true } }, 'value'],
    ['a long text as value', { value: 'x'.repeat(257) }, 'value'],
    ['a value that is too great for the tables', { value: 1e101 }, '1e-100'],
    ['a value that is too small for the tables', { value: -1e-101 }, '1e-100'],
    ['a time that is text', { value: 1, time: '2026-11-21' }, 'time'],
    ['a time with a fraction', { value: 1, time: 1.5 }, 'time'],
    ['an id that is a number', { value: 1, id: 7 }, 'id'],
    ['an id that is too long', { value: 1, id: 'x'.repeat(129) }, 'id'],
    ['an empty batch', { readings: [] }, 'readings'],
    ['a batch that is none, beside a value', { value: 1, readings: 'many' }, 'readings'],
    ['a wrong reading among good ones', { readings: [{ value: 1 }, { valu: 2 }] }, 'readings.1.value'],
    ['a payload that was no JSON', { payload: Buffer.from('21.5 C').toString('base64') }, 'value'],
  ])('with %s is malformed; what the device sent stays whole', (_what, payload, reason) => {
    const parsed = parse(payload);

    expect(parsed.kind).toBe('malformed');
    const quarantined = parsed.kind === 'malformed' ? parsed.quarantined : undefined;
    expect(quarantined).toMatchObject({ thing: 'thing1', sensor: 'temperature', receivedAt, message: payload });
    expect(quarantined?.reason).toContain(reason);
  });

  it('that is no JSON object on the stream is malformed, and kept in base64', () => {
    for (const text of ['not json', '[1]', '3', 'null', '']) {
      const record = { ...recordOf({ payload: {} }, 1), data: Buffer.from(text) };
      const parsed = parseRecord(record, DAY_MS);

      expect(parsed.kind === 'malformed' && parsed.quarantined.base64).toBe(Buffer.from(text).toString('base64'));
    }
  });

  it('of a sensor whose name cannot be a name is malformed', () => {
    const parsed = parseRecord(recordOf({ payload: { value: 1 }, sensor: 'a b' }, 1), DAY_MS);

    expect(parsed.kind === 'malformed' && parsed.quarantined.reason).toContain('sensor');
  });

  it('of any shape is one or the other, and never an error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const data = Buffer.from(JSON.stringify(value));
        expect(['message', 'malformed']).toContain(parseRecord({ ...recordOf({ payload: {} }, 1), data }, DAY_MS).kind);
      }),
    );
  });
});
