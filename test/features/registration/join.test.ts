/** Just-in-time registration: the first connection is refused, the second is accepted, whatever is repeated. */
import { DescribeThingCommand, ListAttachedPoliciesCommand, ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import { createCa, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

describe('just-in-time registration', () => {
  it('refuses the first connection, then accepts: thing, policy, principal and an active certificate', async () => {
    const ca = await createCa(unique('joining'));
    await platform.registerCa(ca);
    const device = await issue(ca, unique('macdonald-sensor1'));

    await expect(platform.connect(device)).rejects.toThrow('closed before CONNACK');
    const client = await platform.soon(() => platform.connect(device));
    await client.endAsync();

    expect(await platform.certificateStatus(device)).toBe('ACTIVE');
    const thing = await platform.iot.send(new DescribeThingCommand({ thingName: device.thing }));
    expect(thing.thingTypeName).toBe('thingstead-device');
    const { principals } = await platform.iot.send(new ListThingPrincipalsCommand({ thingName: device.thing }));
    expect(principals).toEqual([expect.stringContaining(device.certificateId)]);
    const { policies } = await platform.iot.send(new ListAttachedPoliciesCommand({ target: principals?.[0] }));
    expect(policies?.map((each) => each.policyName)).toEqual(['thingstead-device']);
  });

  it('registers with a CA in DEFAULT mode, proven by a verification certificate', async () => {
    const ca = await createCa(unique('default-mode'));
    await platform.registerCa(ca, 'DEFAULT');
    const device = await issue(ca, unique('default-mode-device'));

    await platform.join(device);

    expect(await platform.certificateStatus(device)).toBe('ACTIVE');
  });

  it('comes to the same end when the event is repeated, also at the same time', async () => {
    const ca = await createCa(unique('repeating'));
    await platform.registerCa(ca);
    const device = await issue(ca, unique('repeated'));

    await Promise.all(
      // Each under a client id of its own: of one client id the broker takes a CONNECT a second.
      Array.from({ length: 5 }, (_, n) =>
        expect(platform.connect(device, { clientId: `${device.thing}-${n}` })).rejects.toThrow('closed before CONNACK'),
      ),
    );

    await platform.soon(async () => expect(await platform.certificateStatus(device)).toBe('ACTIVE'));
    const { principals } = await platform.iot.send(new ListThingPrincipalsCommand({ thingName: device.thing }));
    expect(principals).toHaveLength(1);
  });

  it('gives a name to one certificate when two ask for it at the same time', async () => {
    const ca = await createCa(unique('racing'));
    await platform.registerCa(ca);
    const rivals = await Promise.all(Array.from({ length: 4 }, () => issue(ca, unique('raced'))));

    await Promise.all(
      rivals.map((each) =>
        expect(platform.connect(each, { clientId: each.certificateId })).rejects.toThrow('closed before CONNACK'),
      ),
    );
    await platform.idle();

    await platform.soon(async () => {
      const statuses = await Promise.all(rivals.map((each) => platform.certificateStatus(each)));
      expect(statuses.toSorted()).toEqual(['ACTIVE', ...Array(3).fill('PENDING_ACTIVATION')]);
    });
    const { principals } = await platform.iot.send(new ListThingPrincipalsCommand({ thingName: unique('raced') }));
    expect(principals).toHaveLength(1);
  });

  it('lets another certificate of the name in when a manifest entry names it', async () => {
    const ca = await createCa(unique('replacing'));
    await platform.registerCa(ca);
    await platform.join(await issue(ca, unique('replaced')));
    const successor = await issue(ca, unique('replaced'));
    await expect(platform.joinFails(successor)).resolves.toBe(true);

    await platform.addToManifest({ thing: successor.thing, certificateId: successor.certificateId });
    await platform.join(successor);

    expect(await platform.certificateStatus(successor)).toBe('ACTIVE');
    expect(await platform.heldReason(successor)).toBeUndefined();
  });
});
