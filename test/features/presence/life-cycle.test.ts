/** Who is connected: the row of the thing and its shadow, from real connections. */
import { listShardOf } from '@thingstead/contracts/things';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type DeviceClient, type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

let platform: Platform;
let device: DeviceCertificate;
const thing = unique('macdonald-barn1');

beforeAll(async () => {
  platform = await startPlatform();
  const ca = await createCa(unique('presence'));
  await platform.registerCa(ca);
  device = await issue(ca, thing);
  await platform.join(device);
});
afterAll(() => platform.stop());

/** As the agent does: a last will with the session, and a report of it. */
async function connectAs(session: string): Promise<DeviceClient> {
  const payload = Buffer.from(JSON.stringify({ session }));
  const client = await platform.connect(device, { will: { topic: `device/${thing}/lwt/v1`, payload, qos: 1 } });
  await report(client, true, session);
  return client;
}

async function report(client: DeviceClient, connected: boolean, session: string): Promise<void> {
  const document = { state: { reported: { connected, session } } };
  await client.publishAsync(`$aws/things/${thing}/shadow/update`, JSON.stringify(document), { qos: 1 });
}

/** Row and shadow say the same, and the thing is in the lists, though it never described itself. */
function bothSay(connected: boolean, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  return platform.soon(async () => {
    expect(await platform.thingRow(thing)).toMatchObject({
      presence: { connected, ...more },
      connectedShard: listShardOf(`${connected}`, thing),
      fleetShard: listShardOf('fleet', thing),
    });
    expect(await platform.shadow(thing)).toMatchObject({ state: { reported: { connected } } });
  });
}

describe('a device', () => {
  it('that connects is connected; that says goodbye is not, and it is said who ended it', async () => {
    const client = await connectAs('goodbye');
    await bothSay(true);

    await report(client, false, 'goodbye');
    await client.endAsync();

    await bothSay(false, { reason: 'CLIENT_INITIATED_DISCONNECT' });
  });

  it('that is lost is not: its last will reaches the shadow', async () => {
    const client = await connectAs('lost');
    await bothSay(true);

    await platform.lose(client);

    await bothSay(false, { reason: 'CONNECTION_LOST' });
  });

  it('whose connection is taken over stays connected', async () => {
    const first = await connectAs('first');
    await bothSay(true);
    const second = await connectAs('second');

    await bothSay(true);
    await platform.idle();
    await bothSay(true);

    await first.endAsync(true);
    await report(second, false, 'second');
    await second.endAsync();
    await bothSay(false);
  });
});
