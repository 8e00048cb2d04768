/** Files from a device to its owner and back, with the real broker, S3 and KMS. */
import { randomBytes } from 'node:crypto';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
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

describeLocally('the meter', 'a small file', () => {
  type Used = ReadonlyMap<string, number>;

  /** By service and item, of the resources of files alone. */
  async function meter(): Promise<Used> {
    const response = await fetch(`${platform.config.endpoint}/_local/meter`);
    const { services } = (await response.json()) as {
      readonly services: readonly { service: string; item: string; resource: string; quantity: number }[];
    };
    const own = services.filter(
      ({ service, resource }) => /Key Management/.test(service) || /^thingstead-files(-\d|$)/.test(resource),
    );
    const used = new Map<string, number>();
    for (const { service, item, quantity } of own) {
      const name = `${service}, ${item}`;
      used.set(name, (used.get(name) ?? 0) + quantity);
    }
    return used;
  }

  async function usedBy(act: () => Promise<unknown>): Promise<(name: string) => number> {
    await platform.idle();
    const before = await meter();
    await act();
    await platform.idle();
    const after = await meter();
    return (name) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  }

  it('takes as much of S3, KMS and DynamoDB as docs/files.md says, at most', async () => {
    const device = await ownedThing();
    const { thing } = device;
    const camera = await on.connect(device);

    const sent = await usedBy(() => camera.sends(randomBytes(1000)));
    const given = await usedBy(async () => {
      const { transfer } = await on.sends(mary, thing, randomBytes(1000));
      await camera.hears(transfer, 'offer');
      await camera.gets(transfer, { type: 'download' });
      await camera.gets(transfer, { type: 'received', size: 1000 });
    });

    const items = [
      'Amazon S3, PUT, COPY and LIST requests',
      'Amazon S3, GET and other requests',
      'Amazon DynamoDB, on-demand writes',
      'Amazon DynamoDB, on-demand reads',
      'AWS Key Management Service, requests',
    ];
    const most = { sent: [5, 4, 10, 16, 4], given: [5, 6, 14, 24, 5] };
    for (const [at, item] of items.entries()) {
      const used = { item, sent: sent(item), given: given(item) };
      expect({ ...used, few: used.sent <= Number(most.sent[at]) && used.given <= Number(most.given[at]) }).toEqual({
        ...used,
        few: true,
      });
      expect(used.sent).toBeGreaterThan(0);
    }
    await camera.client.endAsync();
  });
});
