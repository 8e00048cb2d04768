/** A connection that is taken over by another one of the same device: every write of the row is looked at. */
import type { DeviceCertificate } from '../../support/certificates.ts';
import type { DeviceClient } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

const EVENTS = '$aws/events/presence/#';

let platform: PresencePlatform;
let runs = 0;

describeLocally('a record of every write', 'a connection that is taken over', () => {
  beforeAll(async () => {
    platform = await startPresence();
  });
  afterAll(() => platform.stop());
  afterEach(() => platform.faults([]));

  it.each([
    ['as they are', []],
    ['twice', [{ at: 'event', match: { topic: EVENTS }, do: 'duplicate' }]],
    ['in another order', [{ at: 'event', match: { topic: EVENTS }, do: 'reorder', delaySeconds: 20 }]],
    [
      'late by 90 seconds',
      [{ at: 'event', match: { topic: EVENTS }, do: 'delay', delaySeconds: 90, probability: 0.5 }],
    ],
  ] as const)('never makes the row say that the device is gone, when events come %s', async (_, faults) => {
    const [reporting, bare] = await platform.devices(unique(`taken${++runs}-a`), unique(`taken${runs}-b`));
    if (!reporting || !bare) throw new Error('no devices');
    const connect = [
      (session: string) => platform.connectAs(reporting, session),
      () => platform.connect(bare, { keepalive: 1200 }),
    ];
    const connectBoth = (session: string) => Promise.all(connect.map((each) => each(session)));
    let last = await connectBoth('first');
    for (const { thing } of [reporting, bare]) await platform.untilRow(thing, { connected: true });
    await platform.faults(faults);

    const others: DeviceClient[] = [];
    for (let number = 0; number < 5; number += 1) {
      others.push(...last);
      last = await connectBoth(`taker-${number}`);
    }
    await platform.until(async () => expect(others.filter(({ connected }) => connected)).toEqual([]));
    await platform.advance(100);

    for (const { thing } of [reporting, bare]) {
      const written = await platform.written(thing);
      expect(written.length).toBeGreaterThan(4);
      expect(written).not.toContain(false);
    }
    expect(await shadowOf(reporting)).toMatchObject({ connected: true, session: 'taker-4' });
    for (const client of last) await client.endAsync(true);
  });
});

async function shadowOf({ thing }: DeviceCertificate): Promise<unknown> {
  const document = (await platform.shadow(thing)) as { readonly state: { readonly reported: unknown } } | undefined;
  return document?.state.reported;
}
