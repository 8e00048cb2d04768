/** Who must not get in. Every row connects as a device would, over mutual TLS, and must never become ACTIVE. */
import { UpdateCACertificateCommand, UpdateCertificateCommand } from '@aws-sdk/client-iot';
import { createCa, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

const DAY_MS = 86_400_000;
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

describe('a device that must not get in', () => {
  it('whose CA is not registered', async () => {
    const device = await issue(await createCa(unique('unregistered')), unique('unregistered-ca'));

    await expect(platform.connect(device)).rejects.toThrow('closed before CONNACK');

    expect(await platform.certificateStatus(device)).toBeUndefined();
  });

  it('whose CA is inactive', async () => {
    const ca = await createCa(unique('inactive'));
    const id = await platform.registerCa(ca);
    await platform.iot.send(new UpdateCACertificateCommand({ certificateId: id, newStatus: 'INACTIVE' }));
    const device = await issue(ca, unique('inactive-ca'));

    await expect(platform.joinFails(device)).resolves.toBe(true);

    expect(await platform.certificateStatus(device)).toBeUndefined();
  });

  it('whose certificate has expired', async () => {
    const ca = await createCa(unique('expired'));
    await platform.registerCa(ca);
    const device = await issue(ca, unique('expired'), {
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    });

    await expect(platform.joinFails(device)).resolves.toBe(true);

    expect(await platform.certificateStatus(device)).not.toBe('ACTIVE');
  });

  it('whose certificate is revoked', async () => {
    const ca = await createCa(unique('revoking'));
    await platform.registerCa(ca);
    const device = await issue(ca, unique('revoked'));
    await platform.join(device);
    await platform.iot.send(
      new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'REVOKED' }),
    );

    await expect(platform.joinFails(device)).resolves.toBe(true);

    expect(await platform.certificateStatus(device)).toBe('REVOKED');
  });

  it('whose certificate is on the revocation list before it ever connects', async () => {
    const ca = await createCa(unique('listing'));
    await platform.registerCa(ca);
    const device = await issue(ca, unique('listed'));
    await platform.revokeByList(device);

    await expect(platform.joinFails(device)).resolves.toBe(true);

    expect(await platform.certificateStatus(device)).toBe('INACTIVE');
    expect(await platform.heldReason(device)).toBe('revoked');
  });

  it('signed by a CA of the same name with another key', async () => {
    await platform.registerCa(await createCa(unique('twin')));
    const device = await issue(await createCa(unique('twin')), unique('twin-device'));

    await expect(platform.joinFails(device)).resolves.toBe(true);

    expect(await platform.certificateStatus(device)).toBeUndefined();
  });

  it('carrying a name that another certificate holds, from the same CA or from another', async () => {
    const ca = await createCa(unique('first'));
    const other = await createCa(unique('second'));
    await platform.registerCa(ca);
    await platform.registerCa(other);
    await platform.join(await issue(ca, unique('taken')));

    for (const impostor of [await issue(ca, unique('taken')), await issue(other, unique('taken'))]) {
      await expect(platform.joinFails(impostor)).resolves.toBe(true);
      expect(await platform.certificateStatus(impostor)).toBe('PENDING_ACTIVATION');
      expect(await platform.heldReason(impostor)).toBe('name-taken');
    }
  });

  it.each(['has a space', 'plus+plus', 'hash#', 'sl/ash', 'x'.repeat(65), 'dot.dot'])(
    'whose common name is no thing name: %s',
    async (name) => {
      const ca = await createCa(unique(`naming-${name.length}-${name.charCodeAt(1)}`));
      await platform.registerCa(ca);
      const device = await issue(ca, unique('placeholder'), { subject: `CN="${name}"` });

      await expect(platform.joinFails(device)).resolves.toBe(true);

      expect(await platform.certificateStatus(device)).toBe('PENDING_ACTIVATION');
      expect(await platform.heldReason(device)).toBe('name-invalid');
    },
  );

  it('with two common names', async () => {
    const ca = await createCa(unique('ambiguous'));
    await platform.registerCa(ca);
    const device = await issue(ca, unique('one-name'), { subject: `CN=${unique('one-name')},CN=another-name` });

    await expect(platform.joinFails(device)).resolves.toBe(true);

    expect(await platform.certificateStatus(device)).toBe('PENDING_ACTIVATION');
  });
});
