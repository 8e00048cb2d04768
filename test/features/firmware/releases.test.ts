/** Firmware is released: signed elsewhere, verified here, immutable from then on; and withdrawn. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { imageKey } from '@thingstead/contracts/firmware-store';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { keyPair, signed } from '../../unit/firmware-keys.ts';
import { type FirmwarePlatform, firmwarePlatform, put } from './firmware-platform.ts';

describeLocally('a chain of trust of its own', 'firmware releases', () => {
  let platform: Platform;
  let on: FirmwarePlatform;
  let support: Person;
  let mary: Person;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await firmwarePlatform(platform);
    [support, mary] = await Promise.all([newPerson(platform, { groups: ['support'] }), newPerson(platform)]);
  });
  beforeEach(async () => {
    await Promise.all([on.operator, support, mary].map((person) => person.refresh()));
  });
  afterAll(() => platform.stop());

  const publish = (release: unknown) => on.operator.call('POST', '/operator/firmware/releases', { release });
  const of = (product: string, counter: number) => ({ params: { product, counter: String(counter) } });

  it('need somebody who is trusted first, who signs himself in, and whose chain has the key that assigns', async () => {
    const { release } = on.signedRelease({});
    expect(await publish(release)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('no trust') },
    });

    const [key, other] = [on.releaseKeys[0], keyPair()];
    const refused = [
      signed('trust', on.trustOf(1), other),
      signed('trust', on.trustOf(2), key),
      signed('trust', on.trustOf(1, { assignmentKeys: [other.publicKey] }), key),
    ];
    for (const document of refused) {
      expect((await on.operator.call('POST', '/operator/firmware/trust', { document })).status).toBe(409);
    }
    const first = await on.trust(on.trustOf(1), key);
    expect(first).toMatchObject({ version: 1, createdBy: on.operator.person });
    expect((await support.api.listTrust({})).documents).toEqual([first]);
  });

  describe('with a trusted key', () => {
    it('are published once their image is there, and stay what they are', async () => {
      const of1 = { product: 'fan', version: '1.0.0', image: Buffer.from('the first image') };
      const { release, image } = on.signedRelease(of1);
      expect(await publish(release)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('there is no thing type fan') },
      });
      for (const product of ['fan', 'pump']) await on.thingType(product);
      const begun = await on.operator.api.publishRelease({ body: { release } });
      expect(begun.release).toMatchObject({ product: 'fan', counter: 1, state: 'PUBLISHING', release });
      const early = await on.operator.call('POST', '/operator/firmware/releases/fan/1/complete');
      expect(early).toMatchObject({ status: 409, body: { detail: 'the image is not there yet' } });

      if (begun.upload) await put(begun.upload, image);
      const published = await on.operator.api.completeRelease(of('fan', 1));
      expect(published).toMatchObject({ state: 'PUBLISHED', size: image.length, createdBy: on.operator.person });
      expect(await on.operator.api.completeRelease(of('fan', 1))).toEqual(published);
      expect(await on.operator.api.publishRelease({ body: { release } })).toEqual({ release: published });
      expect(await support.api.getRelease(of('fan', 1))).toEqual(published);

      const stored = await on.s3.send(new GetObjectCommand({ Bucket: on.Bucket, Key: imageKey('fan', 1) }));
      expect(Buffer.from((await stored.Body?.transformToByteArray()) ?? [])).toEqual(image);

      const others = [
        on.signedRelease({ ...of1, image: Buffer.from('another image') }),
        on.signedRelease({ ...of1, counter: 2, version: '1.0.0' }),
        on.signedRelease({ ...of1, product: 'pump', counter: 2_000_000 }),
        on.signedRelease({ ...of1, counter: 2, version: '2', minimumCounter: 2 }),
        on.signedRelease({ ...of1, counter: 2, version: '2', expiresAt: Date.now() - 1 }),
        on.signedRelease({ ...of1, counter: 2, version: '2', keys: [keyPair()] }),
      ];
      const answers = await Promise.all(others.map((each) => publish(each.release)));
      expect(answers.map(({ status, body }) => [status, body.detail])).toEqual([
        [409, expect.stringContaining('another release')],
        [409, expect.stringContaining('version 1.0.0')],
        [409, expect.stringContaining('too far above')],
        [409, expect.stringContaining('only from counter 2 on')],
        [409, expect.stringContaining('expired')],
        [409, expect.stringContaining('unknown-key')],
      ]);
    });

    it('take no other image than the one that was signed', async () => {
      await on.thingType('lamp');
      const { release } = on.signedRelease({ product: 'lamp', image: Buffer.from('good image') });
      const { upload } = await on.operator.api.publishRelease({ body: { release } });
      if (!upload) throw new Error('it has no image yet');

      await expect(put(upload, Buffer.from('evil image'))).rejects.toThrow('S3 answered 400');
      await expect(put(upload, Buffer.from('good image and more'))).rejects.toThrow('S3 answered 403');
      // Somebody with rights in the account.
      const evil = {
        Bucket: on.Bucket,
        Key: imageKey('lamp', 1),
        Body: 'evil image',
        ChecksumAlgorithm: 'SHA256',
      } as const;
      await on.s3.send(new PutObjectCommand(evil));
      const completed = await on.operator.call('POST', '/operator/firmware/releases/lamp/1/complete');
      expect(completed).toMatchObject({ status: 409, body: { detail: expect.stringContaining('was signed') } });

      await put(upload, Buffer.from('good image'));
      expect((await on.operator.api.completeRelease(of('lamp', 1))).state).toBe('PUBLISHED');
      await platform.advance(61);
      await expect(put(upload, Buffer.from('good image'))).rejects.toThrow('S3 answered 403');
    });

    it('rise, and are listed the highest first', async () => {
      for (const counter of [1, 3, 7]) await on.release({ product: 'meter', counter });
      expect((await publish(on.signedRelease({ product: 'meter', counter: 5 }).release)).status).toBe(409);

      const params = { product: 'meter' };
      const first = await support.api.listReleases({ params, query: { limit: 2 } });
      expect(first.releases.map(({ counter }) => counter)).toEqual([7, 3]);
      const rest = await support.api.listReleases({ params, query: { limit: 2, cursor: first.cursor ?? '' } });
      expect(rest.releases.map(({ counter }) => counter)).toEqual([1]);
    });

    it('are current when an operator says so, until they are yanked, for good and with the first reason', async () => {
      await on.release({ product: 'door', counter: 1 });
      await on.release({ product: 'door', counter: 2 });
      const current = { params: { product: 'door' } };
      expect((await on.operator.call('PUT', '/operator/firmware/current/door', { counter: 3 })).status).toBe(409);
      await on.operator.api.setCurrentRelease({ ...current, body: { counter: 2 } });
      expect(await support.api.getCurrentRelease(current)).toMatchObject({ counter: 2, changedBy: on.operator.person });

      await on.operator.api.yankRelease({ ...of('door', 1), body: { reason: 'too old' } });
      expect(await support.api.getCurrentRelease(current)).toMatchObject({ counter: 2 });
      const yank = (reason: string) => on.operator.api.yankRelease({ ...of('door', 2), body: { reason } });
      expect(await yank('it burns')).toMatchObject({ state: 'YANKED', reason: 'it burns' });
      expect(await yank('again')).toMatchObject({ state: 'YANKED', reason: 'it burns' });
      expect((await support.call('GET', '/operator/firmware/current/door')).status).toBe(404);
      expect((await on.operator.call('PUT', '/operator/firmware/current/door', { counter: 2 })).status).toBe(409);
      expect((await on.operator.call('POST', '/operator/firmware/releases/door/2/complete')).status).toBe(409);
    });

    it('are nobody else’s business: support reads, and people do not', async () => {
      const { release } = on.signedRelease({ product: 'gate' });
      const writes = [
        ['POST', '/operator/firmware/releases', { release }],
        ['POST', '/operator/firmware/releases/fan/1/complete', undefined],
        ['POST', '/operator/firmware/releases/fan/1/yank', { reason: 'no' }],
        ['POST', '/operator/firmware/trust', { document: release }],
        ['PUT', '/operator/firmware/current/fan', { counter: 1 }],
        ['DELETE', '/operator/firmware/current/fan', undefined],
      ] as const;
      for (const [method, route, body] of writes) {
        for (const person of [support, mary]) expect((await person.call(method, route, body)).status).toBe(403);
      }
      for (const route of ['releases/fan', 'releases/fan/1', 'current/fan', 'trust']) {
        expect((await mary.call('GET', `/operator/firmware/${route}`)).status).toBe(403);
      }
    });
  });

  it('outlive their keys: who is trusted next signs them again', async () => {
    await on.release({ product: 'old', counter: 1 });
    const { release } = on.signedRelease({ product: 'old', counter: 1, keys: on.releaseKeys });
    const next = keyPair();
    const trust = on.trustOf(2, { releaseKeys: [next.publicKey] });
    await on.trust(trust, on.releaseKeys[1], next);

    expect((await publish(release)).body.detail).toContain('unknown-key');
    const { release: stored } = await on.operator.api.getRelease(of('old', 1));
    const again = signed('firmware', Buffer.from(stored.document, 'base64'), next);
    await on.operator.api.publishRelease({ body: { release: again } });
    expect(await on.operator.api.getRelease(of('old', 1))).toMatchObject({ state: 'PUBLISHED', release: again });
  });
});
