/** Two sites with thirty things each lose their connections at once. `npm run bench -- presence` is the same with 2 000 things. */
import type { DeviceCertificate } from '../../support/certificates.ts';
import type { DeviceClient } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

const SITES = ['north', 'south'];
const PER_SITE = 30;
const DELAY = 900;
const LIMIT_MS = 120_000;

let platform: PresencePlatform;
let devices: readonly DeviceCertificate[];

function connectAll(): Promise<DeviceClient[]> {
  return Promise.all(devices.map((device) => platform.connect(device, { keepalive: 1200 })));
}

async function allRows(connected: boolean): Promise<void> {
  await platform.until(async () => {
    const rows = await Promise.all(devices.map(({ thing }) => platform.presence(thing)));
    expect(rows.filter((row) => row?.connected !== connected)).toEqual([]);
  });
  await platform.idle();
}

function lose(clients: readonly DeviceClient[]): void {
  for (const client of clients) client.stream.destroy();
}

/** One per site, with each of its things once. */
async function expectOnePerSite(kind: string): Promise<void> {
  const notices = await platform.notices();
  expect(notices.map((notice) => [notice.kind, notice.group.name]).sort()).toEqual(SITES.map((site) => [kind, site]));
  for (const { group, things } of notices) {
    const named = things.map(({ thing }) => thing).sort();
    expect(named).toEqual(
      devices
        .map(({ thing }) => thing)
        .filter((thing) => thing.startsWith(group.name))
        .sort(),
    );
  }
}

describeLocally('a clock that can be advanced', 'sixty things that lose their connections at once', () => {
  beforeAll(async () => {
    platform = await startPresence();
    const names = SITES.flatMap((site) => Array.from({ length: PER_SITE }, (_, number) => unique(`${site}-${number}`)));
    devices = await platform.devices(...names);
  }, LIMIT_MS);
  afterAll(() => platform.stop());

  it(
    'and return are not told about; when they stay away there is one notice for each site, and one when they are back',
    async () => {
      const first = await connectAll();
      await allRows(true);

      lose(first);
      const second = await connectAll();
      await allRows(true);
      await platform.advance(DELAY + 120);
      expect(await platform.notices()).toEqual([]);

      lose(second);
      await allRows(false);
      await platform.advance(DELAY + 120);
      await expectOnePerSite('offline');

      const third = await connectAll();
      await allRows(true);
      await platform.advance(120);
      await expectOnePerSite('online');
      await Promise.all(third.map((client) => client.endAsync(true)));
    },
    LIMIT_MS,
  );
});
