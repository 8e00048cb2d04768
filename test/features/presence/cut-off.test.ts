/**
 * The function is cut off at every call that it makes for a notice about two things: before the call has an effect, after it
 * had it, and with its answer lost. Each thing is told about once all the same.
 */
import { randomInt } from 'node:crypto';
import type { HarmAt } from '../../../local/src/faults/points.ts';
import type { DeviceCertificate } from '../../support/certificates.ts';
import type { DeviceClient } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { type PresencePlatform, startPresence } from './presence-platform.ts';

const HARMS: readonly HarmAt<'call'>[] = ['crash-before', 'crash-after', 'lose-answer'];
/** Without THINGSTEAD_EXHAUSTIVE every so many calls meet harm, from run to run others. */
const STEP = process.env.THINGSTEAD_EXHAUSTIVE ? 1 : 8;
const OFFSET = randomInt(STEP * HARMS.length);
const DELAY = 900;
/** A message comes again after six minutes. */
const RETRIES = 2 * 360 + 60;
const LIMIT_MS = 600_000;

interface Outcome {
  /** How often each thing was named, in notices with different ids. */
  readonly named: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly calls: number;
}

let platform: PresencePlatform;
let runs = 0;

describeLocally('a plan of harm', 'a notice about two things whose function is cut off', () => {
  beforeAll(async () => {
    platform = await startPresence({ sweep: false });
  });
  afterAll(() => platform.stop());

  it.each([
    ['offline', losesTwo],
    ['online', getsTwoBack],
  ] as const)(
    'says that they are %s once',
    async (kind, run) => {
      const undisturbed = await run('crash-before', undefined);
      expect(undisturbed).toMatchObject({ named: { barn: 1, field: 1 }, failed: 0 });
      process.stdout.write(`${kind}: ${undisturbed.calls} calls\n`);

      for (let at = OFFSET % STEP; at < undisturbed.calls; at += STEP) {
        const harms = process.env.THINGSTEAD_EXHAUSTIVE
          ? HARMS
          : [HARMS[(at + OFFSET) % HARMS.length] ?? 'crash-before'];
        for (const harm of harms) {
          const { calls: _, ...outcome } = await run(harm, at);
          expect({ harm, at, ...outcome }).toEqual({ harm, at, named: { barn: 1, field: 1 }, failed: 0 });
        }
      }
    },
    LIMIT_MS,
  );
});

async function losesTwo(harm: HarmAt<'call'>, at: number | undefined): Promise<Outcome> {
  const { devices, clients } = await twoOfOneSite();
  await lose(devices, clients);
  await platform.advance(DELAY - 30);
  return harmed('offline', harm, at, async () => platform.advance(120));
}

async function getsTwoBack(harm: HarmAt<'call'>, at: number | undefined): Promise<Outcome> {
  const { devices, clients } = await twoOfOneSite();
  await lose(devices, clients);
  await platform.advance(DELAY + 120);
  expect(await named('offline')).toEqual({ barn: 1, field: 1 });
  let back: readonly DeviceClient[] = [];
  const outcome = await harmed('online', harm, at, async () => {
    back = await Promise.all(devices.map((device) => platform.connect(device, { keepalive: 1200 })));
    await platform.advance(120);
  });
  for (const client of back) await client.endAsync(true);
  await platform.advance(DELAY + 120);
  await platform.notices();
  return outcome;
}

/** Harms the call of this number, lets the platform's own retries work, and counts what was told. */
async function harmed(
  kind: string,
  harm: HarmAt<'call'>,
  at: number | undefined,
  act: () => Promise<void>,
): Promise<Outcome> {
  const when = at === undefined ? { probability: 0 } : { skip: at, times: 1 };
  await platform.faults([{ at: 'call', match: { function: 'thingstead-presence' }, do: harm, ...when }]);
  await act();
  const calls = (await platform.faultReport()).faults[0]?.matched ?? 0;
  await platform.advance(RETRIES);
  await platform.faults([]);
  const failed = await platform.messagesIn('thingstead-presence-failed', 'thingstead-presence-errors');
  return { named: await named(kind), failed, calls };
}

/** How often each of the two is named in the notices that have come; what is repeated has the same id. */
async function named(kind: string): Promise<Record<string, number>> {
  const notices = new Map((await platform.notices()).map((notice) => [notice.id, notice]));
  const counts: Record<string, number> = {};
  for (const { kind: said, things } of notices.values()) {
    for (const { thing } of said === kind ? things : []) {
      const name = thing.includes('barn') ? 'barn' : 'field';
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

async function twoOfOneSite() {
  runs += 1;
  const devices = await platform.devices(unique(`site${runs}-barn`), unique(`site${runs}-field`));
  const clients = await Promise.all(devices.map((device) => platform.connect(device, { keepalive: 1200 })));
  for (const { thing } of devices) await platform.untilRow(thing, { connected: true });
  return { devices, clients };
}

async function lose(devices: readonly DeviceCertificate[], clients: readonly DeviceClient[]): Promise<void> {
  for (const client of clients) client.stream.destroy();
  for (const { thing } of devices) await platform.untilRow(thing, { connected: false });
}
