/** A device describes itself over MQTT: what it says is taken or refused with a reason, and about itself alone. */
import { DescribeThingCommand } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { listShardOf } from '@thingstead/contracts/things';
import { registerTopic } from '@thingstead/contracts/topics';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { type DescribingDevice, describingDevice, STATION } from './describing-device.ts';

const ATTRIBUTES = { model: 'weather-station', hardwareRevision: 'B', serial: 'WS-0042', firmwareVersion: '1.4.0' };
const open: DescribingDevice[] = [];
let platform: Platform;
let ca: CertificateAuthority;

beforeAll(async () => {
  platform = await startPlatform();
  ca = await createCa(unique('onboarding'));
  await platform.registerCa(ca);
});
afterEach(async () => {
  for (const { client } of open.splice(0)) await client.endAsync(true);
});
afterAll(() => platform.stop());

async function joined(thing: string): Promise<DeviceCertificate> {
  const device = await issue(ca, thing);
  await platform.join(device);
  return device;
}

async function started(thing: string): Promise<DescribingDevice> {
  const describing = await describingDevice(platform, await joined(thing));
  open.push(describing);
  return describing;
}

function registered(thingName: string) {
  return platform.iot.send(new DescribeThingCommand({ thingName }));
}

/** What on-boarding wrote, without the time and without what presence has to say. */
async function described(thing: string): Promise<Record<string, unknown> | undefined> {
  const row = await platform.thingRow(thing);
  if (row?.describedAt === undefined) return undefined;
  const { presence, describedAt, noticeGroup, noticeDueAt, connectedShard, ...rest } = row;
  return rest;
}

/** What puts it into the lists of things. */
function listMembers(thing: string, type: string, firmware: string) {
  return {
    fleetShard: listShardOf('fleet', thing),
    typeShard: listShardOf(type, thing),
    firmwareShard: listShardOf(firmware, thing),
  };
}

describe('a device that describes itself', () => {
  it('is accepted; its row, its attributes and a first shadow are there when it is told so', async () => {
    const thing = unique('macdonald-station1');
    await platform.addToManifest({ thing, attributes: { field: 'north' } });
    const device = await started(thing);

    const answer = await device.describe({ id: 'boot-1', ...STATION, capabilities: ['power'] });

    expect(answer).toEqual({ verdict: 'accepted', id: 'boot-1', settings: {} });
    const thingType = 'thingstead-device';
    expect(await described(thing)).toEqual({
      ...{ pk: thing, sk: 'thing', thing, site: 'macdonald', thingType },
      ...listMembers(thing, thingType, '1.4.0'),
      ...STATION,
      capabilities: ['power'],
    });
    expect(await registered(thing)).toMatchObject({
      thingTypeName: thingType,
      attributes: { ...ATTRIBUTES, field: 'north' },
    });
    expect(await platform.shadow(thing)).toMatchObject({
      state: { reported: { model: 'weather-station' } },
      version: 1,
    });
  });

  it('twice in the same way changes nothing but the time', async () => {
    const thing = unique('macdonald-station2');
    const device = await started(thing);
    await device.describe(STATION);
    const [row, { version }, before] = [
      await described(thing),
      await registered(thing),
      await platform.thingRow(thing),
    ];

    expect(await device.describe(STATION)).toEqual({ verdict: 'accepted', settings: {} });

    expect(await described(thing)).toEqual(row);
    expect(Number((await platform.thingRow(thing))?.describedAt)).toBeGreaterThan(Number(before?.describedAt));
    expect((await registered(thing)).version).toBe(version);
    expect(await platform.shadow(thing)).toMatchObject({ version: 1 });
  });

  it('in another way later is updated, and what it says no more is gone', async () => {
    const thing = unique('macdonald-station3');
    const device = await started(thing);
    await device.describe({ ...STATION, capabilities: ['power'], gateway: unique('macdonald-hub') });
    expect(await described(thing)).toMatchObject({ gateway: unique('macdonald-hub') });

    await device.describe({ ...STATION, firmwareVersion: '1.5.0', sensors: [{ name: 'rain' }] });

    expect(await described(thing)).toEqual({
      ...{ pk: thing, sk: 'thing', thing, site: 'macdonald', thingType: 'thingstead-device' },
      ...listMembers(thing, 'thingstead-device', '1.5.0'),
      ...{ ...STATION, firmwareVersion: '1.5.0', sensors: [{ name: 'rain' }], capabilities: [] },
    });
    expect((await registered(thing)).attributes).toEqual({ ...ATTRIBUTES, firmwareVersion: '1.5.0' });
  });

  it('leaves alone what its shadow and presence have to say', async () => {
    const thing = unique('macdonald-station4');
    const device = await started(thing);
    const reported = { connected: true, session: 'boot-1' };
    await device.client.tryPublish(`$aws/things/${thing}/shadow/update`, JSON.stringify({ state: { reported } }));
    await platform.soon(async () => {
      expect(await platform.thingRow(thing)).toMatchObject({ presence: { connected: true } });
    });
    await platform.idle();
    const before = (await platform.thingRow(thing))?.presence;

    await device.describe(STATION);

    expect((await platform.thingRow(thing))?.presence).toEqual(before);
    expect(await platform.shadow(thing)).toMatchObject({ state: { reported }, version: 1 });
  });
});

describe('a description that cannot be taken is rejected with the reason, and nothing is written:', () => {
  let device: DescribingDevice;
  const thing = unique('macdonald-station5');
  const without = { ...STATION, serial: undefined };

  beforeAll(async () => {
    device = await describingDevice(platform, await joined(thing));
  });
  afterAll(() => device.client.endAsync(true));

  it.each([
    ['no JSON', 'nonsense', undefined, /^the message is no JSON/],
    ['no object', '[]', undefined, /^model: Invalid key.*; sensors: /],
    ['a member that is missing', { id: 'boot-1', ...without }, 'boot-1', /^serial: /],
    [
      'a value that the registry would not take',
      { ...STATION, model: 'two words' },
      undefined,
      /^model: must be 1 to 128/,
    ],
    [
      'a sensor twice',
      { ...STATION, sensors: [{ name: 'a' }, { name: 'a' }] },
      undefined,
      /^sensors: names a sensor twice/,
    ],
    [
      'a thousand things wrong',
      { ...STATION, sensors: Array(3000).fill({}) },
      undefined,
      /^sensors.0.name: .{900,1000}$/,
    ],
    ['a type of its own choice', { id: 'boot-2', ...STATION, thingType: 'lamp' }, 'boot-2', /^thingType: /],
    ['a gateway at another site', { ...STATION, gateway: 'miller-hub' }, undefined, /^gateway: .*site macdonald/],
    ['itself as its gateway', { ...STATION, gateway: thing }, undefined, /^gateway: a thing is not its own gateway/],
  ])('%s', async (_what, message, id, reason) => {
    const answer = await device.describe(message);

    expect(answer).toEqual({ verdict: 'rejected', reason: expect.stringMatching(reason), ...(id && { id }) });
    expect(await described(thing)).toBeUndefined();
    expect((await registered(thing)).attributes ?? {}).toEqual({});
    expect(await platform.shadow(thing)).toBeUndefined();
  });

  it('a gateway for a thing without a site', async () => {
    const lone = await started(unique('lone'));

    expect(await lone.describe({ ...STATION, gateway: 'hub' })).toMatchObject({ verdict: 'rejected' });
  });
});

describe('a description of another', () => {
  it('is refused by the broker, also with the other’s answers', async () => {
    const [a, b] = [await started(unique('macdonald-a')), unique('macdonald-b')];
    const other = await joined(b);

    expect(await a.client.tryPublish(registerTopic(b), JSON.stringify(STATION))).toBe('closed');
    await platform.idle();

    expect(await described(b)).toBeUndefined();
    expect((await registered(b)).attributes ?? {}).toEqual({});
    const listening = await platform.connect(other);
    expect(await listening.trySubscribe(`${registerTopic(unique('macdonald-a'))}/accepted`)).toBe('closed');
  });

  it('is no use for a name that is no thing’s', async () => {
    const thing = unique('macdonald-nobody');
    const iot = new IoTDataPlaneClient(platform.config);

    const payload = Buffer.from(JSON.stringify(STATION));
    await iot.send(new PublishCommand({ topic: registerTopic(thing), qos: 1, payload }));

    await platform.soon(async () => {
      expect(await platform.functionLog('onboarding', thing)).toContain(`there is no thing ${thing} in the registry`);
    });
    expect(await platform.thingRow(thing)).toBeUndefined();
    expect(await platform.shadow(thing)).toBeUndefined();
  });
});

describe('the order of descriptions', () => {
  const event = (thing: string, at: number, message: object): Record<string, unknown> => {
    return { thing, at, payload: Buffer.from(JSON.stringify(message)).toString('base64') };
  };

  it('is that of their arrival, also when the function gets an earlier one later', async () => {
    const thing = unique('macdonald-order1');
    await joined(thing);
    const now = Date.now();

    await platform.invoke('onboarding', event(thing, now, { ...STATION, firmwareVersion: '2.0.0' }));
    await platform.invoke('onboarding', event(thing, now - 1000, STATION));

    expect(await platform.thingRow(thing)).toMatchObject({ firmwareVersion: '2.0.0', describedAt: now });
    expect((await registered(thing)).attributes).toMatchObject({ firmwareVersion: '2.0.0' });
  });

  it('holds when many are taken at the same time: row and registry have the last', async () => {
    const thing = unique('macdonald-order2');
    await joined(thing);
    const now = Date.now();
    const numbers = Array.from({ length: 8 }, (_, n) => n);

    await Promise.all(
      numbers.map((n) =>
        platform.invoke('onboarding', event(thing, now + n, { ...STATION, firmwareVersion: `1.${n}` })),
      ),
    );

    expect(await platform.thingRow(thing)).toMatchObject({ firmwareVersion: '1.7', describedAt: now + 7 });
    expect((await registered(thing)).attributes).toMatchObject({ firmwareVersion: '1.7' });
  });

  it('is unknown for two of one millisecond: the second is rejected, and the first again is not', async () => {
    const thing = unique('macdonald-order3');
    const device = await started(thing);
    const now = Date.now();
    await platform.invoke('onboarding', event(thing, now, STATION));
    const answers: string[] = [];
    device.client.on('message', (topic) => answers.push(topic.split('/').at(-1) ?? ''));

    await platform.invoke('onboarding', event(thing, now, { ...STATION, firmwareVersion: '2.0.0' }));
    await platform.invoke('onboarding', event(thing, now, STATION));

    await platform.soon(() => Promise.resolve(expect(answers).toEqual(['rejected', 'accepted'])));
    expect(await platform.thingRow(thing)).toMatchObject({ firmwareVersion: '1.4.0' });
  });
});
