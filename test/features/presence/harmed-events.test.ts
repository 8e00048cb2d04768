/** Life-cycle events that come twice, late, in another order, or not at all: row and shadow come to the truth. */
import { randomInt } from 'node:crypto';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

const topic = '$aws/events/presence/#';
/** What events may be late by, and the second look. */
const SETTLED_SECONDS = 90 + 35;

let platform: PresencePlatform;

async function bothSay(thing: string, connected: boolean): Promise<void> {
  const shadow = (await platform.shadow(thing)) as { state: { reported: { connected: boolean } } } | undefined;
  const row = (await platform.presence(thing))?.connected;
  expect({ row, shadow: shadow?.state.reported.connected }).toEqual({ row: connected, shadow: connected });
}

describeLocally('a plan of harm', 'a device whose life-cycle events are harmed', () => {
  beforeAll(async () => {
    platform = await startPresence();
  });
  afterAll(() => platform.stop());
  afterEach(() => platform.faults([]));

  it.each([
    ['come twice', [{ at: 'event', match: { topic }, do: 'duplicate' }]],
    ['come late', [{ at: 'event', match: { topic }, do: 'delay', delaySeconds: 90, probability: 0.5 }]],
    ['come in another order', [{ at: 'event', match: { topic }, do: 'reorder', delaySeconds: 60 }]],
    ['are lost, every other one', [{ at: 'event', match: { topic }, do: 'drop', probability: 0.5 }]],
    ['are all lost', [{ at: 'event', match: { topic }, do: 'drop' }]],
    [
      'come late, twice and in another order at their function',
      [
        { at: 'queue-delivery', match: { queue: 'thingstead-presence' }, do: 'duplicate', probability: 0.3 },
        {
          at: 'queue-delivery',
          match: { queue: 'thingstead-presence' },
          do: 'delay',
          delaySeconds: 60,
          probability: 0.3,
        },
        { at: 'event', match: { topic }, do: 'reorder', delaySeconds: 30, probability: 0.5 },
      ],
    ],
  ] as const)('is known as it is: they %s', async (how, faults) => {
    const seed = randomInt(2 ** 31);
    // A failure shows it; the same seed does the same harm.
    process.stdout.write(`events that ${how}: seed ${seed}\n`);
    const thing = unique(`harm-${seed}`);
    const [device] = await platform.devices(thing);
    if (!device) throw new Error('no device');
    await platform.faults(faults, seed);

    for (let round = 0; round < 4; round += 1) {
      const client = await platform.connectAs(device, `a${round}`);
      if (round % 2 === 0) client.stream.destroy();
      const next = await platform.connectAs(device, `b${round}`);
      await platform.advance(SETTLED_SECONDS);
      await bothSay(thing, true);

      next.stream.destroy();
      await platform.until(async () => expect(await platform.isConnected(thing)).toBe(false));
      await platform.advance(SETTLED_SECONDS);
      await bothSay(thing, false);
    }
    expect(await platform.messagesIn('thingstead-presence-failed', 'thingstead-presence-errors')).toBe(0);
  });
});
