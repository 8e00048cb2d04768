/** The offline check, fifteen minutes after a connection is lost: one notice for an outage that lasts, none for one that does not. */
import type { DeviceCertificate } from '../../support/certificates.ts';
import type { DeviceClient } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

const MINUTE = 60;
const DELAY = 15 * MINUTE;
/** Half an hour without a packet. */
const QUIET = { keepalive: 1200 } as const;

let platform: PresencePlatform;
const clients = new Set<DeviceClient>();

async function newDevice(name: string): Promise<DeviceCertificate> {
  const [device] = await platform.devices(unique(name));
  if (!device) throw new Error('no device');
  return device;
}

async function online(device: DeviceCertificate): Promise<DeviceClient> {
  const client = await platform.connect(device, QUIET);
  clients.add(client);
  await platform.untilRow(device.thing, { connected: true });
  return client;
}

async function lose(device: DeviceCertificate, client: DeviceClient): Promise<void> {
  client.stream.destroy();
  await platform.untilRow(device.thing, { connected: false });
}

async function lost(name: string): Promise<DeviceCertificate> {
  const device = await newDevice(name);
  await lose(device, await online(device));
  return device;
}

const offlineNotice = ({ thing }: DeviceCertificate): unknown => noticeOf('offline', thing);
const onlineNotice = ({ thing }: DeviceCertificate): unknown => noticeOf('online', thing);

function noticeOf(kind: string, thing: string): unknown {
  return expect.objectContaining({ kind, things: [{ thing, since: expect.any(Number) }] });
}

describeLocally('a clock that can be advanced', 'a thing that is offline', () => {
  beforeAll(async () => {
    platform = await startPresence();
  });
  afterAll(() => platform.stop());
  afterEach(async () => {
    await platform.faults([]);
    // Nothing of this test is to be told in the next one.
    for (const client of clients) await client.endAsync(true);
    clients.clear();
    await platform.advance(20 * MINUTE);
    await platform.notices();
  });

  it('for fifteen minutes is told about once, and so is its return', async () => {
    const device = await lost('lone1');

    await platform.advance(DELAY - 2);
    expect(await platform.notices()).toEqual([]);
    const startedAt = performance.now();
    await platform.advance(4);
    const tookMs = performance.now() - startedAt;
    expect(await platform.notices()).toEqual([offlineNotice(device)]);
    process.stdout.write(`the offline check took ${Math.round(tookMs)} ms\n`);

    await platform.advance(3600);
    expect(await platform.notices()).toEqual([]);

    await online(device);
    expect(await platform.notices()).toEqual([onlineNotice(device)]);
    await platform.advance(10 * MINUTE);
    expect(await platform.notices()).toEqual([]);
  });

  it('for 14 minutes and 58 seconds is not told about', async () => {
    const device = await lost('lone2');

    await platform.advance(DELAY - 2);
    await online(device);
    await platform.advance(20 * MINUTE);

    expect(await platform.notices()).toEqual([]);
    expect(await platform.presence(device.thing)).not.toHaveProperty('outage');
  });

  it('twenty times for half a minute, and then for good, is told about once', async () => {
    const device = await newDevice('lone3');
    for (let flap = 0; flap < 20; flap += 1) {
      await lose(device, await online(device));
      await platform.advance(30);
    }
    expect(await platform.notices()).toEqual([]);

    await platform.advance(DELAY);
    expect(await platform.notices()).toEqual([offlineNotice(device)]);
    await platform.advance(DELAY);
    expect(await platform.notices()).toEqual([]);
  });

  it('and flaps after it was told about is not told about for each time', async () => {
    const device = await lost('lone4');
    await platform.advance(DELAY + 2);
    expect(await platform.notices()).toEqual([offlineNotice(device)]);

    for (let flap = 0; flap < 20; flap += 1) {
      const client = await platform.connect(device, QUIET);
      client.stream.destroy();
      await platform.advance(5);
    }
    await platform.untilRow(device.thing, { connected: false });
    await platform.advance(2 * DELAY);

    const notices = await platform.notices();
    expect(notices.filter(({ kind }) => kind === 'offline').length).toBeLessThanOrEqual(1);
    expect(notices.filter(({ kind }) => kind === 'online').length).toBeLessThanOrEqual(1);
  });

  it('while it is in maintenance is told about only if it is still offline at the end', async () => {
    const [stays, returns] = [await lost('lone5'), await lost('lone6')];
    for (const { thing } of [stays, returns]) {
      const { outage } = (await platform.presence(thing)) ?? {};
      await platform.describeThing(thing, { mutedUntil: (outage?.dueAt ?? 0) + 3600_000 });
    }

    await platform.advance(DELAY + 50 * MINUTE);
    expect(await platform.notices()).toEqual([]);
    await online(returns);
    await platform.advance(12 * MINUTE);

    expect(await platform.notices()).toEqual([offlineNotice(stays)]);
  });

  it('with another one of its site is in one notice with it, and so are their returns', async () => {
    const [barn, field, elsewhere] = [await lost('farm-barn'), await lost('farm-field'), await lost('hill-barn')];

    await platform.advance(DELAY + 2 * MINUTE);
    const notices = await platform.notices();
    expect(notices).toHaveLength(2);
    expect(notices).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'offline', group: { kind: 'site', name: 'farm' } }),
        offlineNotice(elsewhere),
      ]),
    );
    expect(things(notices)).toEqual([barn, field, elsewhere].map(({ thing }) => thing).sort());

    await online(barn);
    await platform.advance(20);
    await online(field);
    await platform.advance(2 * MINUTE);
    const returns = await platform.notices();
    expect(returns).toMatchObject([{ kind: 'online', group: { kind: 'site', name: 'farm' } }]);
    expect(things(returns)).toEqual([barn, field].map(({ thing }) => thing).sort());
  });

  it('whose checks are all delivered twice is told about once', async () => {
    const device = await newDevice('lone7');
    await platform.faults([
      { at: 'queue-delivery', match: { queue: 'thingstead-presence-checks' }, do: 'duplicate' },
      { at: 'queue-delivery', match: { queue: 'thingstead-presence' }, do: 'duplicate' },
    ]);
    await lose(device, await online(device));

    await platform.advance(DELAY + 2);

    const notices = await platform.notices();
    expect(new Set(notices.map(({ id }) => id)).size).toBe(1);
    expect(notices).toEqual([offlineNotice(device)]);
  });
});

function things(notices: readonly { readonly things: readonly { readonly thing: string }[] }[]): string[] {
  return notices.flatMap((notice) => notice.things.map(({ thing }) => thing)).sort();
}
