/** Things that sleep: their silence is their outage, and a reading by HTTPS ends it. */
import type { DeviceCertificate } from '../../support/certificates.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

const HOUR = 3600;
const CONTEXT = { 'thingstead:thingTypes': { battery: { expectedIntervalSeconds: HOUR } } };

let platform: PresencePlatform;

/** A thing of the type that sleeps; it has connected once and closed its connection. */
async function sleeper(name: string): Promise<DeviceCertificate> {
  const thing = unique(name);
  const [device] = await platform.devices(thing);
  if (!device) throw new Error('no device');
  await platform.describeThing(thing, { thingType: 'battery' });
  const client = await platform.connect(device);
  await platform.untilRow(thing, { connected: true });
  await client.endAsync();
  await platform.untilRow(thing, { connected: false });
  return device;
}

/** What has been told about it since the last call. */
async function noticesOf({ thing }: DeviceCertificate) {
  const notices = await platform.notices();
  return notices.filter(({ things }) => things.some((each) => each.thing === thing));
}

async function read(device: DeviceCertificate): Promise<void> {
  const topic = `device/${device.thing}/sensor/temperature/v1`;
  expect(await platform.publishOverHttps(device, topic, '{"value":21.5}')).toBe(200);
  await platform.idle();
}

async function lastArrival({ thing }: DeviceCertificate): Promise<unknown> {
  return (await platform.latest(thing, 'temperature'))?.receivedAt;
}

describeLocally('settings and a clock of its own', 'a thing that sleeps', () => {
  beforeAll(async () => {
    platform = await startPresence({ context: CONTEXT });
  });
  afterAll(() => platform.stop());

  it('is not told about while it sends its readings in time, whatever its connection does', async () => {
    const device = await sleeper('sleeper1');
    for (let reading = 0; reading < 3; reading += 1) {
      await platform.advance(HOUR - 120);
      await read(device);
    }

    expect(await noticesOf(device)).toEqual([]);
    expect(await platform.presence(device.thing)).not.toHaveProperty('outage');
  });

  it('is told about once when it is silent for too long, and a reading by HTTPS brings it back', async () => {
    const device = await sleeper('sleeper2');
    await platform.advance(HOUR - 60);
    expect(await noticesOf(device)).toEqual([]);

    await platform.advance(180);
    expect(await noticesOf(device)).toEqual([
      expect.objectContaining({ kind: 'offline', things: [{ thing: device.thing, since: expect.any(Number) }] }),
    ]);
    await platform.advance(HOUR);
    expect(await noticesOf(device)).toEqual([]);

    await read(device);
    await platform.advance(180);
    expect(await noticesOf(device)).toEqual([
      expect.objectContaining({ kind: 'online', things: [{ thing: device.thing, since: await lastArrival(device) }] }),
    ]);
    expect(await platform.presence(device.thing)).not.toHaveProperty('outage');

    await platform.advance(HOUR - 300);
    expect(await noticesOf(device)).toEqual([]);
    await platform.advance(600);
    expect(await noticesOf(device)).toMatchObject([{ kind: 'offline', things: [{ thing: device.thing }] }]);
  });

  it('is back as well when it connects', async () => {
    const device = await sleeper('sleeper3');
    await platform.advance(HOUR + 120);
    expect(await noticesOf(device)).toMatchObject([{ kind: 'offline', things: [{ thing: device.thing }] }]);

    const client = await platform.connect(device, { keepalive: 1200 });
    await platform.untilRow(device.thing, { connected: true });
    await platform.advance(120);
    expect(await noticesOf(device)).toMatchObject([{ kind: 'online', things: [{ thing: device.thing }] }]);
    await client.endAsync();
    await platform.untilRow(device.thing, { connected: false });
    await platform.advance(HOUR / 2);
    expect(await noticesOf(device)).toEqual([]);
  });
});
