/** What reaches the shadow when a device is lost, and who mends what did not. */
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

let platform: PresencePlatform;
/** The function gets what the rules send it, but an hour later. */
const HELD_BACK = {
  at: 'queue-delivery',
  match: { queue: 'thingstead-presence' },
  do: 'delay',
  delaySeconds: 3600,
} as const;
const DISCONNECTED = '$aws/events/presence/disconnected/+';

async function shadowSays(thing: string, connected: boolean | undefined): Promise<void> {
  const document = (await platform.shadow(thing)) as { state: { reported?: { connected?: boolean } } } | undefined;
  expect(document?.state.reported?.connected).toBe(connected);
}

/** A device of its own that is connected, has said so, and whose row says so. */
async function connected(name: string, { will }: { readonly will: boolean } = { will: true }) {
  const thing = unique(name);
  const [device] = await platform.devices(thing);
  if (!device) throw new Error('no device');
  const client = will ? await platform.connectAs(device, 'one') : await platform.connect(device);
  if (!will) await platform.report(client, thing, true, 'one');
  await platform.untilRow(thing, { connected: true });
  await shadowSays(thing, true);
  return { thing, device, client };
}

describeLocally('a plan of harm', 'a last will', () => {
  beforeAll(async () => {
    platform = await startPresence();
  });
  afterAll(() => platform.stop());
  afterEach(() => platform.faults([]));

  it('reaches the shadow by the rule alone', async () => {
    const { thing, client } = await connected('will1');
    await platform.faults([HELD_BACK]);

    client.stream.destroy();

    await platform.until(() => shadowSays(thing, false));
    expect(await platform.presence(thing)).toMatchObject({ connected: true });
  });

  it('of a session that the shadow does not name changes nothing', async () => {
    const { thing, client } = await connected('will2');
    await platform.report(client, thing, true, 'another');
    await platform.idle();

    client.stream.destroy();
    await platform.untilRow(thing, { connected: false, reason: 'CONNECTION_LOST' });

    await shadowSays(thing, true);
  });

  it('that was lost is made up for by the function, half a minute later', async () => {
    const { thing, client } = await connected('will3', { will: false });

    client.stream.destroy();
    await platform.untilRow(thing, { connected: false });
    await platform.advance(28);
    await shadowSays(thing, true);
    await platform.advance(3);

    await shadowSays(thing, false);
  });

  it('that met a change of the shadow is refused, and the function looks what is true', async () => {
    const { thing, client } = await connected('will4', { will: false });
    await platform.faults([{ at: 'event', match: { topic: DISCONNECTED }, do: 'drop' }]);
    client.stream.destroy();
    await platform.until(async () => expect((await platform.faultReport()).faults[0]?.harmed).toBe(1));
    expect(await platform.presence(thing)).toMatchObject({ connected: true });

    // What the rule publishes when the shadow was changed after it had been read.
    const update = { state: { reported: { connected: false } }, version: 99, clientToken: 'last-will' };
    const topic = `$aws/things/${thing}/shadow/update`;
    await new IoTDataPlaneClient(platform.config).send(
      new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(update)) }),
    );

    await platform.untilRow(thing, { connected: false });
    await platform.advance(31);
    await shadowSays(thing, false);
  });

  it('says something else than a will, and is left alone', async () => {
    const { thing, client } = await connected('will5');
    const update = `$aws/things/${thing}/shadow/update`;
    for (const reported of [
      { connected: 'yes' },
      { connected: true, session: 5 },
      { connected: true, session: null },
    ]) {
      await client.publishAsync(update, JSON.stringify({ state: { reported } }), { qos: 1 });
    }
    for (const payload of ['', 'no JSON', '{"session":null}', '{"session":{"a":1}}'])
      await client.publishAsync(`device/${thing}/lwt/v1`, payload, { qos: 1 });
    await platform.idle();
    await shadowSays(thing, true);
    // Five attempts, six minutes apart.
    await platform.advance(2000);

    expect(await platform.messagesIn('thingstead-presence-failed', 'thingstead-presence-errors')).toBe(0);
  });

  it('is not needed: a client without will and shadow has its row, and no shadow is made for it', async () => {
    const thing = unique('bare');
    const [device] = await platform.devices(thing);
    if (!device) throw new Error('no device');
    const client = await platform.connect(device);
    await platform.untilRow(thing, { connected: true, lifeCycle: { version: 0 } });

    client.stream.destroy();
    await platform.untilRow(thing, { connected: false, reason: 'CONNECTION_LOST' });
    await platform.advance(1000);

    expect(await platform.shadow(thing)).toBeUndefined();
    expect(await platform.written(thing)).toEqual([true, false, false]);
  });
});
