/** A reading on a sensor topic is in the history, the latest value, the roll-ups and the archive: once. */
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type DeviceClient, type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';

let platform: Platform;
let device: DeviceCertificate;
let client: DeviceClient;
const thing = unique('macdonald-greenhouse1');
/** An id as the agent writes it: session and sequence number. */
const id = (session: string, sequence: number): string => `${unique(session)}-${sequence}`;
const topic = (sensor: string): string => `device/${thing}/sensor/${sensor}/v1`;
const basicIngest = (sensor: string): string => `$aws/rules/thingstead_telemetry/${topic(sensor)}`;
/** A minute that lies wholly in the past and in one hour. */
const minute = Math.floor((Date.now() - 3_600_000) / 3_600_000) * 3_600_000 + 120_000;

beforeAll(async () => {
  platform = await startPlatform();
  const ca = await createCa(unique('telemetry'));
  await platform.registerCa(ca);
  device = await issue(ca, thing);
  await platform.join(device);
});
// A connection for each test: advancing the clock ends connections that are silent for longer than their keep-alive.
beforeEach(async () => {
  client = await platform.connect(device);
});
afterEach(() => client.endAsync(true));
afterAll(() => platform.stop());

/** Long enough for the stream's batching window. */
const BATCHING_SECONDS = 30;
/** Long enough for Firehose to write an object. */
const ARCHIVE_SECONDS = 900;
/** Long enough for two periods of an alarm. */
const ALARM_SECONDS = 600;

describe('a reading', () => {
  it('is in the history with device time and server time apart', async () => {
    await client.publishAsync(
      topic('temperature'),
      JSON.stringify({ id: id('s1', 1), value: 21.5, time: minute, unit: 'Cel' }),
      {
        qos: 1,
      },
    );

    const [item, ...more] = await platform.soon(async () => {
      const items = await platform.history(thing, 'temperature');
      expect(items).not.toEqual([]);
      return items;
    });
    expect(more).toEqual([]);
    expect(item).toMatchObject({
      thing,
      sensor: 'temperature',
      value: 21.5,
      time: minute,
      unit: 'Cel',
      messageId: id('s1', 1),
    });
    expect(item?.sk).toBe(`${new Date(minute).toISOString()}#${id('s1', 1)}`);
    expect(item?.receivedAt).toBeGreaterThan(minute);
    expect(item?.expiresAt).toBeGreaterThan(Date.now() / 1000);
  });

  it('is the latest value, and an older one that arrives later is not', async () => {
    await client.publishAsync(topic('humidity'), JSON.stringify({ id: id('s1', 2), value: 60, time: minute + 5000 }), {
      qos: 1,
    });
    await client.publishAsync(topic('humidity'), JSON.stringify({ id: id('s1', 3), value: 50, time: minute + 1000 }), {
      qos: 1,
    });
    await platform.advance(BATCHING_SECONDS);

    await platform.soon(async () => {
      expect(await platform.latest(thing, 'humidity')).toMatchObject({ value: 60, time: minute + 5000 });
      expect(await platform.history(thing, 'humidity')).toHaveLength(2);
    });
  });

  it('counts once in the roll-ups, whatever the path and however often it is sent', async () => {
    const messages = [
      {
        id: id('s2', 1),
        readings: [
          { value: 10, time: minute },
          { value: 20, time: minute + 1000 },
        ],
      },
      { id: id('s2', 2), value: 30, time: minute + 61_000 },
    ];
    for (const message of [...messages, ...messages, ...messages]) {
      await client.publishAsync(basicIngest('pressure'), JSON.stringify(message), { qos: 1 });
    }
    await platform.advance(BATCHING_SECONDS);

    expect(await platform.history(thing, 'pressure')).toHaveLength(2);
    await platform.soon(async () => {
      const hour = await platform.hour(thing, 'pressure', minute);
      expect(hour).toMatchObject({ count: 3, min: 10, max: 30, sum: 60, last: 30 });
      expect(hour?.minutes).toMatchObject({
        '02': { count: 2, min: 10, max: 20, sum: 30, last: 20 },
        '03': { count: 1, min: 30, max: 30, sum: 30, last: 30 },
      });
    });
  });

  it('is in the archive, under the date of its arrival', async () => {
    await client.publishAsync(topic('archived'), JSON.stringify({ id: id('s3', 1), value: 'open', time: minute }), {
      qos: 1,
    });

    await platform.soon(async () => {
      const rows = (await platform.archive()).filter((row) => row.thing === thing && row.sensor === 'archived');
      expect(rows).toEqual([expect.objectContaining({ value: 'open', time: minute, messageId: id('s3', 1) })]);
    }, ARCHIVE_SECONDS);
  });

  it('without id and time is stored under the time of its arrival', async () => {
    await client.publishAsync(topic('plain'), '{"value": true}', { qos: 0 });

    await platform.soon(async () => {
      const [item] = await platform.history(thing, 'plain');
      expect(item).toMatchObject({ value: true, messageId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      expect(await platform.latest(thing, 'plain')).toMatchObject({ value: true });
    }, BATCHING_SECONDS);
  });

  it('with an absurd clock is marked, not dropped', async () => {
    const decade = Date.now() + 10 * 365 * 86_400_000;
    await client.publishAsync(topic('clock'), JSON.stringify({ id: id('s4', 1), value: 1, time: decade }), { qos: 1 });
    await client.publishAsync(topic('clock'), JSON.stringify({ id: id('s4', 2), value: 2, time: 0 }), { qos: 1 });

    await platform.soon(async () => {
      expect(await platform.history(thing, 'clock')).toHaveLength(2);
      const latest = await platform.latest(thing, 'clock');
      expect(latest).toMatchObject({ value: 2, clock: 'behind' });
      expect(latest?.time).toBeLessThan(decade);
    }, BATCHING_SECONDS);
  });
});

describe('a message that cannot be processed', () => {
  it.each([
    ['a value of the wrong type', 'wrongtype', '{"value":{"nested":true}}'],
    ['no value', 'novalue', '{"temperature":21}'],
    ['an empty batch', 'emptybatch', '{"readings":[]}'],
    ['not JSON', 'notjson', 'temperature=21'],
  ])('%s is quarantined with its original payload', async (_what, sensor, payload) => {
    await client.publishAsync(topic(sensor), payload, { qos: 1 });

    const original = await platform.soon(async () => {
      const quarantined = await platform.receive('telemetryQuarantine');
      expect(quarantined).toContainEqual(expect.objectContaining({ thing, sensor }));
      return quarantined.find((each) => each.sensor === sensor);
    }, BATCHING_SECONDS);
    expect(JSON.stringify(original)).toContain(
      payload.startsWith('{') ? payload.slice(1, -1).replaceAll(' ', '') : Buffer.from(payload).toString('base64'),
    );
    expect(await platform.latest(thing, sensor)).toBeUndefined();
  });

  it('a time that is no time fails the key, so the error action keeps the original', async () => {
    const payload = '{"value":1,"time":"yesterday"}';
    await client.publishAsync(topic('badtime'), payload, { qos: 1 });

    const error = await platform.soon(async () => {
      const errors = await platform.receive('telemetryErrors');
      const expected = { ruleName: 'thingstead_telemetry', topic: topic('badtime') };
      expect(errors).toContainEqual(expect.objectContaining(expected));
      return errors.find((each) => each.topic === topic('badtime'));
    });
    expect(Buffer.from(String(error?.base64OriginalPayload), 'base64').toString()).toBe(payload);
  });

  it('raises an alarm', async () => {
    await client.publishAsync(topic('alarming'), '{"nothing":1}', { qos: 1 });

    await platform.soon(async () => {
      expect(await platform.alarmsInAlarm()).toContainEqual(expect.stringMatching(/quarantine/i));
    }, ALARM_SECONDS);
  });
});

describeLocally('a low limit of messages', 'the bill guard', () => {
  it('reports a thing that sends far beyond its expected rate, once', async () => {
    const guarded = await startPlatform({ 'thingstead:billGuard': { messagesPerThingPerHour: 20 } });
    try {
      const ca = await createCa('noisy');
      await guarded.registerCa(ca);
      const noisyDevice = await issue(ca, 'noisy-device');
      await guarded.join(noisyDevice);
      const noisy = await guarded.connect(noisyDevice);
      for (let n = 0; n < 60; n += 1)
        await noisy.publishAsync('device/noisy-device/sensor/x/v1', `{"id":"n-${n}","value":${n}}`, { qos: 1 });
      await guarded.advance(300);

      expect(await guarded.alarmsInAlarm()).toContainEqual(expect.stringMatching(/rate/i));
      await noisy.endAsync();
    } finally {
      await guarded.stop();
    }
  });
});
