/** What the telemetry rule makes of messages, by the local runtime's IoT SQL. */

import { readPlatformConfig } from '../../lib/platform-config.ts';
import { telemetrySql } from '../../lib/telemetry-sql.ts';
import { compileStatement } from '../../local/src/services/iot/rules/sql/compile-statement.ts';
import { RuleMessage } from '../../local/src/services/iot/rules/sql/rule-message.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const DAY_MS = 86_400_000;
const TRACE = '7d1c0c1a-6f2e-4c59-8a55-3f0c1b0f6a11';
const statement = compileStatement(
  telemetrySql(readPlatformConfig({ 'thingstead:telemetryRetentionDays': 7 })).join('\n'),
);

async function select(
  payload: unknown,
  { traceId = TRACE, topic = 'device/macdonald-1/sensor/temperature/v1' }: { traceId?: string; topic?: string } = {},
): Promise<Record<string, unknown>> {
  const message = new RuleMessage({
    topic,
    payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    qos: 1,
    retain: false,
    properties: {},
    clientId: traceId ? 'macdonald-1' : undefined,
    principal: undefined,
    sourceIp: undefined,
    receivedAt: NOW,
    traceId,
  });
  const outcome = await statement.evaluate(message, {
    accountId: '123456789012',
    callExternal: () => Promise.reject(),
  });
  if (outcome.kind !== 'selected') throw new Error(JSON.stringify(outcome));
  return JSON.parse(outcome.payload.text);
}

describe('a message', () => {
  it.each(['device/a/sensor/t/x/v1', 'device/a/sensor/t/v2', 'device/a/sensor/t', 'device/a/sensor/t/v1/x'])(
    'on %s, which is no topic of a sensor, has a key that DynamoDB refuses, whatever the payload says',
    async (topic) => {
      expect(await select({ value: 1, pk: 'b#t' }, { topic })).toMatchObject({ pk: '' });
    },
  );

  it('is selected as it came, with the columns of the stores', async () => {
    expect(await select({ id: 's-1', value: 21.5, time: NOW - 1000, unit: 'Cel', extra: { a: [1] } })).toEqual({
      ...{ id: 's-1', value: 21.5, time: NOW - 1000, unit: 'Cel', extra: { a: [1] } },
      pk: 'macdonald-1#temperature',
      sk: '2026-11-21T09:59:59.000Z#s-1',
      thing: 'macdonald-1',
      sensor: 'temperature',
      receivedAt: expect.any(Number),
      messageId: 's-1',
      expiresAt: expect.any(Number),
      clockAhead: false,
      clockBehind: false,
    });
  });

  it('expires so many days after it arrived', async () => {
    const { receivedAt, expiresAt } = await select({ value: 1, time: 0 });

    expect(Number(expiresAt) - Math.floor(Number(receivedAt) / 1000)).toBe(7 * 86_400);
  });

  it('with several readings has the time of the first', async () => {
    const { sk } = await select({
      id: 's-2',
      time: 1,
      readings: [
        { value: 1, time: NOW - DAY_MS },
        { value: 2, time: NOW },
      ],
    });

    expect(sk).toBe('2026-11-20T10:00:00.000Z#s-2');
  });

  it('without time and id has the time of arrival and the id that AWS IoT gave it', async () => {
    const { sk, messageId, receivedAt } = await select({ value: true });

    expect(messageId).toBe(TRACE);
    expect(sk).toBe(`${new Date(Number(receivedAt)).toISOString()}#${TRACE}`);
  });

  it('cannot choose its thing, its sensor, its partition or its age', async () => {
    const forged = {
      pk: 'other#x',
      thing: 'other',
      sensor: 'x',
      receivedAt: 1,
      expiresAt: 9e9,
      messageId: 'm',
      clockAhead: 'no',
    };
    const selected = await select({ value: 1, time: NOW, ...forged });

    expect(selected).toMatchObject({
      pk: 'macdonald-1#temperature',
      thing: 'macdonald-1',
      sensor: 'temperature',
      clockAhead: false,
    });
    expect(selected.receivedAt).not.toBe(1);
    expect(selected.messageId).toBe(TRACE);
  });

  it.each([
    ['in ten years', (now: number) => now + 3650 * DAY_MS, true, false],
    ['in 1970', () => 0, false, true],
    ['32 days old', (now: number) => now - 32 * DAY_MS, false, true],
    ['30 days old', (now: number) => now - 30 * DAY_MS, false, false],
  ] as const)('whose time is %s is marked, not refused', async (_what, time, clockAhead, clockBehind) => {
    const { receivedAt } = await select({ value: 1 });
    const selected = await select({ value: 1, time: time(Number(receivedAt)) });

    expect(selected).toMatchObject({ clockAhead, clockBehind, sk: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) });
  });

  it.each(['yesterday', { a: 1 }, [1], true])(
    'whose time is %j gets a sort key that DynamoDB refuses, so that the error action keeps it',
    async (time) => {
      expect(await select({ value: 1, time, sk: 'chosen' })).toMatchObject({ sk: '' });
    },
  );

  it.each(['21.5 C', '21.5', '"text"', '[1,2]', ''])(
    'that is no JSON object (%s) is selected all the same',
    async (payload) => {
      const selected = await select(payload);

      expect(selected).toMatchObject({ pk: 'macdonald-1#temperature', thing: 'macdonald-1', sensor: 'temperature' });
      if (payload) expect(JSON.stringify(selected)).toContain(Buffer.from(payload).toString('base64'));
    },
  );
});
