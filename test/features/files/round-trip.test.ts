/** Files from a device to its owner and back, with the real broker, S3 and KMS. */
import { randomBytes } from 'node:crypto';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { decrypt, filesPlatform, newTransfer, sha256 } from './files-platform.ts';

let platform: Platform;
let on: Awaited<ReturnType<typeof filesPlatform>>;
let mary: Person;

beforeAll(async () => {
  platform = await startPlatform();
  on = await filesPlatform(platform);
  mary = await newPerson(platform);
});
afterAll(() => platform.stop());

async function ownedThing() {
  const device = await on.thing();
  await on.grant(mary, device.thing, 'owner');
  return device;
}

describe('a file from a device', () => {
  it('reaches the owner, byte by byte', async () => {
    // GIVEN
    const device = await ownedThing();
    const { thing } = device;
    const content = randomBytes(9_000_000);
    const camera = await on.connect(device);

    // WHEN
    const { transfer, encrypted } = await camera.sends(content, newTransfer(), 'picture.jpg');

    // THEN
    const { transfer: found, dataKey, url, ...object } = await mary.api.downloadFile({ params: { thing, transfer } });
    expect(found).toMatchObject({
      state: 'STORED',
      direction: 'from-device',
      name: 'picture.jpg',
      size: content.length,
    });
    expect(object).toMatchObject({ bytes: encrypted.length, sha256: sha256(encrypted) });
    const got = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(got.equals(encrypted)).toBe(true);
    expect((await decrypt(got, dataKey)).equals(content)).toBe(true);
    await camera.client.endAsync();
  });
});

describe('a file for a device', () => {
  it('is offered, fetched in ranges, and gone from the store once the device has it', async () => {
    // GIVEN
    const device = await ownedThing();
    const { thing } = device;
    const content = randomBytes(200_000);
    const camera = await on.connect(device);

    // WHEN
    const { transfer, encrypted } = await on.sends(mary, thing, content, 'settings.json');

    // THEN
    const offer = await camera.hears(transfer, 'offer');
    expect(offer).toEqual({ type: 'offer', name: 'settings.json', size: content.length, bytes: encrypted.length });
    const grant = await camera.gets(transfer, { type: 'download' });
    const half = Math.floor(grant.bytes / 2);
    const range = async (from: number, to: number): Promise<Buffer> => {
      const headers = { range: `bytes=${from}-${to}`, 'if-match': grant.etag };
      return Buffer.from(await (await fetch(grant.url, { headers })).arrayBuffer());
    };
    const got = Buffer.concat([await range(0, half), await range(half + 1, grant.bytes - 1)]);
    expect(sha256(got)).toBe(grant.sha256);
    expect((await decrypt(got, grant.dataKey)).equals(content)).toBe(true);
    await camera.gets(transfer, { type: 'progress', bytes: half });
    const underway = await mary.api.getFile({ params: { thing, transfer } });
    expect(underway).toMatchObject({ state: 'DELIVERING', transferred: half });
    await camera.gets(transfer, { type: 'received', size: content.length });
    const after = await mary.api.getFile({ params: { thing, transfer } });
    expect(after).toMatchObject({ state: 'DELIVERED', startedBy: mary.person });
    expect(await on.object(thing, transfer)).toBeUndefined();
    await camera.client.endAsync();
  });

  it('waits for a device that is away', async () => {
    const device = await ownedThing();
    const { transfer } = await on.sends(mary, device.thing, Buffer.from('hello'));
    await platform.idle();

    const camera = await on.connect(device);
    await camera.say('pending', { type: 'pending' });

    expect(await camera.hears(transfer, 'offer')).toMatchObject({ size: 5 });
    await camera.client.endAsync();
  });
});
