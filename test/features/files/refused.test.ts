/** What files refuse: URLs for something else, keys of others, changed bytes, senders without access, too much. */
import { randomBytes } from 'node:crypto';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { fileContext, PART_BYTES } from '@thingstead/contracts/files';
import { synthesize } from '../../support/assembly.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatformWith } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { passWithoutSweeps } from '../../support/without-sweeps.ts';
import { decrypt, encrypt, filesPlatform, newTransfer, partsOf, put } from './files-platform.ts';

const KIB = 1024;
const QUOTA = 400 * KIB;

describeLocally('settings of its own and a clock', 'files', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof filesPlatform>>;
  let mary: Person;

  beforeAll(async () => {
    const files = { maxBytes: 300 * KIB, quotaBytesPerThing: QUOTA, retentionDays: 1 };
    platform = await startPlatformWith(synthesize({ 'thingstead:files': files }));
    on = await filesPlatform(platform);
    mary = await newPerson(platform);
  });
  afterAll(() => platform.stop());
  // The clock is advanced, and access tokens live for 15 minutes.
  beforeEach(() => mary.refresh());

  async function owned() {
    const device = await on.thing();
    await on.grant(mary, device.thing, 'owner');
    return { device, thing: device.thing, camera: await on.connect(device) };
  }

  async function startedUpload(size = 100 * KIB) {
    const { camera, thing } = await owned();
    const transfer = newTransfer();
    const { dataKey } = await camera.gets(transfer, { type: 'upload', name: 'log', size });
    const encrypted = await encrypt(randomBytes(size), dataKey);
    const [only] = partsOf(encrypted);
    if (!only) throw new Error('there is no part');
    const { urls } = await camera.gets(transfer, { type: 'parts', parts: [only.part] });
    const [url] = urls;
    if (!url) throw new Error('there is no URL');
    return { camera, thing, transfer, dataKey, encrypted, body: only.body, part: only.part, url };
  }

  async function refusal(answer: Response): Promise<string> {
    return `${answer.status} ${/<Code>(\w+)/.exec(await answer.text())?.[1]}`;
  }

  describe('a URL for a part', () => {
    it('takes nothing but these bytes', async () => {
      const { url, body } = await startedUpload();

      const other = Buffer.from(body);
      other[5] = (other[5] ?? 0) ^ 1;
      expect(await refusal(await put(url, other))).toBe('400 BadDigest');
      const longer = Buffer.concat([body, Buffer.from('x')]);
      const lengths = { 'content-length': String(longer.length) };
      expect(await refusal(await put(url, longer, lengths))).toBe('403 SignatureDoesNotMatch');
      const { 'x-amz-checksum-sha256': _, ...unchecked } = url.headers;
      expect(await refusal(await put({ ...url, headers: unchecked }, other))).toBe('403 SignatureDoesNotMatch');
      expect(await refusal(await put(url, body, { 'x-amz-acl': 'public-read' }))).toMatch(/^403/);
      expect((await put(url, body)).status).toBe(200);
    });

    it('is for this method, this part and this object alone', async () => {
      const { url, body, thing, transfer } = await startedUpload();
      const changed = (from: string | RegExp, to: string) => ({ ...url, url: url.url.replace(from, to) });

      expect((await fetch(url.url)).status).toBe(403);
      expect((await fetch(url.url, { method: 'DELETE' })).status).toBe(403);
      expect((await put(changed('partNumber=1', 'partNumber=2'), body)).status).toBe(403);
      expect((await put(changed(transfer, newTransfer()), body)).status).toBe(403);
      expect((await put(changed(`/${thing}/`, '/another/'), body)).status).toBe(403);
      expect((await put(changed(`/${thing}/`, `/${thing}/../another/`), body)).status).not.toBe(200);
    });

    it('is void after a minute', async () => {
      const { url, body } = await startedUpload();

      await platform.advance(61);

      const answer = await put(url, body);
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('Request has expired')]);
    });

    it('is not given beyond the end of the file', async () => {
      const { camera, transfer, part } = await startedUpload();

      const far = { ...part, number: 2 };
      const large = { ...part, bytes: PART_BYTES };
      for (const wrong of [far, large]) {
        const answer = await camera.asks(transfer, { type: 'parts', parts: [wrong] });
        expect(answer).toMatchObject({ code: 'too-large', retry: false });
      }
    });
  });

  describe('what is stored', () => {
    it('and was changed there is not taken for what was sent', async () => {
      const { camera, thing } = await owned();
      const { transfer, encrypted } = await camera.sends(randomBytes(1000));
      await platform.idle();
      const other = Buffer.from(encrypted);
      other[other.length - 100] = (other[other.length - 100] ?? 0) ^ 1;

      const { dataKey } = await mary.api.downloadFile({ params: { thing, transfer } });

      await expect(decrypt(other, dataKey)).rejects.toMatchObject({ name: 'EncryptedFileError', kind: 'changed' });
      // S3 tells of the change: nobody is given it any more.
      await on.replaceObject(thing, transfer, other);
      await platform.idle();
      const after = await mary.api.getFile({ params: { thing, transfer } });
      expect(after).toMatchObject({ state: 'EXPIRED', reason: 'the store has another object than was promised' });
      expect(await on.object(thing, transfer)).toBeUndefined();
      const { status } = await mary.call('POST', `/things/${thing}/files/${transfer}/download`);
      expect(status).toBe(409);
    });

    it('is decrypted with its own key alone, in its own context', async () => {
      const { camera, thing } = await owned();
      const one = await camera.sends(randomBytes(1000));
      const two = await camera.sends(randomBytes(1000));
      const keyOf = async (transfer: string) => (await mary.api.downloadFile({ params: { thing, transfer } })).dataKey;
      const [own, other] = [await keyOf(one.transfer), await keyOf(two.transfer)];

      await expect(decrypt(one.encrypted, other)).rejects.toMatchObject({ kind: 'wrong-context' });
      const disguised = { ...other, context: own.context };
      await expect(decrypt(one.encrypted, disguised)).rejects.toMatchObject({ kind: 'wrong-key' });
      const another = fileContext({
        stage: 'production',
        thing: 'barn',
        transfer: one.transfer,
        direction: 'from-device',
      });
      const unwrap = (EncryptionContext: Record<string, string>) =>
        new KMSClient(platform.config).send(
          new DecryptCommand({ CiphertextBlob: Buffer.from(own.wrapped, 'base64'), EncryptionContext }),
        );
      await expect(unwrap({ ...another })).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
      expect(Buffer.from((await unwrap({ ...own.context })).Plaintext ?? []).toString('base64')).toBe(own.plaintext);
    });

    it('for one device is nothing to another', async () => {
      const { device, thing, camera } = await owned();
      const { transfer } = await on.sends(mary, thing, randomBytes(100));
      await camera.client.endAsync();
      const other = await owned();

      const answer = await other.camera.asks(transfer, { type: 'download' });

      expect(answer).toMatchObject({ code: 'unknown-transfer', retry: false });
      expect(device.thing).toBe(thing);
    });
  });

  it('a URL to read is for one object and for a minute', async () => {
    const { camera, thing } = await owned();
    const { transfer } = await camera.sends(randomBytes(100));
    const other = await camera.sends(randomBytes(100));
    const { url } = await mary.api.downloadFile({ params: { thing, transfer } });

    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(url.replace(transfer, other.transfer))).status).toBe(403);
    expect((await fetch(url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=3600'))).status).toBe(403);
    await platform.advance(61);
    expect((await fetch(url)).status).toBe(403);
  });

  it('refuses what is too large, and more than a thing has room for', async () => {
    const { camera, thing } = await owned();
    const asks = (size: number) => camera.asks(newTransfer(), { type: 'upload', name: 'log', size });

    expect(await asks(300 * KIB + 1)).toMatchObject({ code: 'too-large', retry: false });
    expect(await asks(250 * KIB)).toMatchObject({ type: 'upload' });
    expect(await asks(250 * KIB)).toMatchObject({ code: 'quota', retry: true });
    const body = { name: 'settings', size: 300 * KIB + 1 };
    expect(await mary.call('POST', `/things/${thing}/files`, body)).toMatchObject({ status: 413 });
    expect(await mary.call('POST', `/things/${thing}/files`, { ...body, size: 250 * KIB })).toMatchObject({
      status: 409,
    });
  });

  it('says what is wrong with a message that cannot be read, and raises an alarm', async () => {
    const { camera } = await owned();
    const id = newTransfer();

    await camera.say(id, 'hello');
    expect(await camera.isRejected(id)).toMatchObject({ code: 'invalid', reason: 'this is no JSON in UTF-8' });
    await camera.say(id, '{"type":"upload","name":"../passwd","size":1}');
    expect(await camera.isRejected(id)).toMatchObject({ code: 'invalid', reason: expect.stringContaining('name') });
    await camera.say('elsewhere', '{"type":"download"}');
    expect(await camera.isRejected('elsewhere')).toMatchObject({ code: 'invalid' });
    await platform.advance(600);
    expect(await platform.alarmsInAlarm()).toContain('thingstead-file-requests-refused');
  });

  it('takes nothing to a device from someone who has lost it, and ends what was on its way', async () => {
    const { thing, camera } = await owned();
    const john = await newPerson(platform);
    await on.grant(john, thing, 'controller');
    const { transfer } = await on.sends(john, thing, randomBytes(100));
    await camera.hears(transfer, 'offer');
    const { url } = await camera.gets(transfer, { type: 'download' });
    await on.grant(john, thing, 'viewer');

    expect(await camera.asks(transfer, { type: 'download' })).toMatchObject({ code: 'not-allowed', retry: false });
    expect(await mary.api.getFile({ params: { thing, transfer } })).toMatchObject({
      state: 'CANCELLED',
      reason: 'whoever sent it has lost the access to do so',
    });
    expect(await on.object(thing, transfer)).toBeUndefined();
    expect((await fetch(url)).status).toBe(404);
  });

  it('shows a new owner nothing of the time before', async () => {
    const { thing, camera } = await owned();
    const { transfer } = await camera.sends(randomBytes(100));
    const ann = await newPerson(platform);
    const { startedAt } = await mary.api.getFile({ params: { thing, transfer } });
    await on.grant(ann, thing, 'owner', startedAt + 1);

    expect((await ann.call('GET', `/things/${thing}/files`)).body).toEqual({ files: [] });
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/download'],
      ['DELETE', ''],
    ] as const) {
      expect((await ann.call(method, `/things/${thing}/files/${transfer}${path}`)).status).toBe(404);
    }
    expect((await mary.call('GET', `/things/${thing}/files/${transfer}`)).status).toBe(200);
  });

  it('deletes an object that belongs to no transfer, and raises an alarm', async () => {
    await on.s3.send(new PutObjectCommand({ Bucket: on.Bucket, Key: `files/nobody/${newTransfer()}`, Body: 'x' }));
    await on.s3.send(new PutObjectCommand({ Bucket: on.Bucket, Key: 'elsewhere', Body: 'x' }));

    await platform.advance(600);

    expect(await on.object('nobody', newTransfer())).toBeUndefined();
    expect(await platform.alarmsInAlarm()).toContain('thingstead-files-orphaned');
  });

  it('forgets what has been stored long enough', async () => {
    const { camera, thing } = await owned();
    const { transfer } = await camera.sends(randomBytes(10));
    // S3 rounds up to the next midnight.
    await passWithoutSweeps(platform, 2 * 86_400);
    await mary.refresh();

    expect(await mary.api.getFile({ params: { thing, transfer } })).toMatchObject({ state: 'EXPIRED' });
    expect(await on.object(thing, transfer)).toBeUndefined();
  }, 240_000);
});
