/** An operator takes a device out of service: it never comes back, and nobody has it any more. */
import { pairingDevice } from './pairing-device.ts';
import { type PairingPlatform, startPairingPlatform } from './pairing-platform.ts';

/** Each attempt to connect waits until registration has looked at it. */
const LIMIT_MS = 180_000;

let here: PairingPlatform;

beforeAll(async () => {
  here = await startPairingPlatform();
});
afterAll(() => here?.platform.stop());

describe('a device that is taken out of service', () => {
  it(
    'loses its connection, its certificate and its owner, and cannot register again',
    async () => {
      const [ada, ben, operator] = await Promise.all([here.person(), here.person(), here.person(['operator'])]);
      const certificate = await here.joined('scrap');
      const { thing, certificateId } = certificate;
      const target = { kind: 'thing', name: thing } as const;
      const device = await pairingDevice(here.platform, certificate);
      const closed = new Promise<void>((resolve) => device.client.once('close', () => resolve()));
      await ada.call('POST', '/pairings', { code: await device.code() });
      await here.share(ada, `/things/${thing}`, ben, { role: 'viewer' });
      const path = `/operator/things/${thing}/decommission`;
      expect((await ada.call('POST', path)).status).toBe(403);

      const answer = await operator.call('POST', path);

      expect(answer).toMatchObject({ status: 200, body: { thing, revokedCertificates: [certificateId] } });
      await closed;
      expect(await here.platform.certificateStatus(certificate)).toBe('REVOKED');
      expect(await here.platform.joinFails(certificate)).toBe(true);
      expect(await here.platform.registrationRow(`revoked#${certificateId}`)).toMatchObject({
        reason: 'decommissioned',
      });
      expect(await here.ownerOf(target)).toBeUndefined();
      expect(await here.grantOf(ada.person, target)).toBeUndefined();
      expect(await here.grantOf(ben.person, target)).toBeUndefined();
      expect((await operator.call('POST', path)).body).toEqual(answer.body);
    },
    LIMIT_MS,
  );

  it('must be there', async () => {
    const operator = await here.person(['operator']);

    expect((await operator.call('POST', '/operator/things/nothing/decommission')).status).toBe(404);
    expect((await operator.call('DELETE', '/operator/things/nothing/owner')).status).toBe(404);
  });

  it('is nobody’s, also with a code that it shows still', async () => {
    const [thief, operator] = await Promise.all([here.person(), here.person(['operator'])]);
    const device = await here.device('stolen');
    const code = await device.code();
    expect((await operator.call('POST', `/operator/things/${device.thing}/decommission`)).status).toBe(200);

    expect((await thief.call('POST', '/pairings', { code })).status).toBe(404);

    expect(await here.ownerOf({ kind: 'thing', name: device.thing })).toBeUndefined();
  });

  it('is forgotten, and its certificate stays out', async () => {
    const operator = await here.person(['operator']);
    const certificate = await here.joined('deleted');
    await operator.call('POST', `/operator/things/${certificate.thing}/decommission`);

    // Registration itself looks at the list, whatever becomes of the certificate in the registry.
    await here.platform.invoke('registration', {
      certificateId: certificate.certificateId,
      caCertificateId: certificate.certificateId,
    });

    expect(await here.platform.certificateStatus(certificate)).not.toBe('ACTIVE');
  });
});
