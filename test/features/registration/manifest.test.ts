/** A fleet that is run with a manifest: only names on it get in, and a late entry needs no hand on the device. */
import { DescribeThingCommand, UpdateCACertificateCommand } from '@aws-sdk/client-iot';
import { createCa, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';

describeLocally('the setting manifest: required', 'a required manifest', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform({ 'thingstead:manifest': 'required' });
  });
  afterAll(() => platform.stop());

  it('holds a device that is not on it, and lets it in by itself once the entry arrives', async () => {
    const ca = await createCa('factory');
    await platform.registerCa(ca);
    const device = await issue(ca, 'late-entry');
    await expect(platform.joinFails(device)).resolves.toBe(true);
    expect(await platform.certificateStatus(device)).toBe('PENDING_ACTIVATION');
    expect(await platform.heldReason(device)).toBe('not-in-manifest');

    await platform.addToManifest({ thing: 'late-entry', attributes: { batch: 'b7' } });
    await platform.join(device);

    expect(await platform.certificateStatus(device)).toBe('ACTIVE');
    expect(await platform.heldReason(device)).toBeUndefined();
    const thing = await platform.iot.send(new DescribeThingCommand({ thingName: 'late-entry' }));
    expect(thing.attributes).toMatchObject({ batch: 'b7' });
  });

  it('holds a device whose entry names another certificate or another CA', async () => {
    const ca = await createCa('pinned');
    const caId = await platform.registerCa(ca);
    const other = await createCa('elsewhere');
    const otherId = await platform.registerCa(other);
    await platform.addToManifest({ thing: 'pinned-certificate', certificateId: 'f'.repeat(64) });
    await platform.addToManifest({ thing: 'pinned-ca', caCertificateId: otherId });
    expect(caId).not.toBe(otherId);

    for (const thing of ['pinned-certificate', 'pinned-ca']) {
      const device = await issue(ca, thing);
      await expect(platform.joinFails(device)).resolves.toBe(true);
      expect(await platform.heldReason(device)).toBe('manifest-mismatch');
    }
  });

  it('holds a pending device whose CA was made inactive since', async () => {
    const ca = await createCa('withdrawn');
    const caId = await platform.registerCa(ca);
    const device = await issue(ca, 'withdrawn-ca');
    await expect(platform.joinFails(device)).resolves.toBe(true);

    await platform.addToManifest({ thing: 'withdrawn-ca' });
    await platform.iot.send(new UpdateCACertificateCommand({ certificateId: caId, newStatus: 'INACTIVE' }));
    await platform.invoke('registration', { certificateId: device.certificateId, caCertificateId: caId });

    expect(await platform.certificateStatus(device)).toBe('PENDING_ACTIVATION');
    expect(await platform.heldReason(device)).toBe('ca-inactive');
  });

  it('raises the alarm for held certificates', async () => {
    const ca = await createCa('alarming');
    await platform.registerCa(ca);

    await expect(platform.joinFails(await issue(ca, 'alarming-device'))).resolves.toBe(true);
    await platform.advance(600);

    expect(await platform.alarmsInAlarm()).toContainEqual(expect.stringMatching(/held/i));
  });
});
