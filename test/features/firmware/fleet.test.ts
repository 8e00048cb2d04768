/**
 * A fleet of real agents gets a release wave by wave, while an operator pauses and the platform is restarted; then one that
 * crashes as soon as it is started, which ends with the first wave.
 */
import { DEFAULT_THING_TYPE } from '@thingstead/contracts/names';
import type { RolloutDevice } from '@thingstead/contracts/routes/rollouts';
import { type Platform, startKeptPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { untilItPasses } from '../../support/until-it-passes.ts';
import { signed } from '../../unit/firmware-keys.ts';
import { type FirmwarePlatform, firmwarePlatform } from './firmware-platform.ts';
import { crashingImage, type Fleet, startFleet, workingImage } from './fleet.ts';

const EXHAUSTIVE = process.env.THINGSTEAD_EXHAUSTIVE === '1';
const DEVICES = EXHAUSTIVE ? 200 : 6;
const CANARIES = EXHAUSTIVE ? 5 : 2;
const LIMIT_SECONDS = EXHAUSTIVE ? 1800 : 150;
const LOOK_MS = 250;
const STEP_SECONDS = 3;

const WAVES = [{ count: CANARIES }, { percent: EXHAUSTIVE ? 25 : 50 }, { percent: 100 }];
const product = DEFAULT_THING_TYPE;

jest.setTimeout(LIMIT_SECONDS * 1000);

describeLocally('a platform that is restarted', `a fleet of ${DEVICES} devices`, () => {
  let platform: Platform;
  let restart: () => Promise<void>;
  let on: FirmwarePlatform;
  let fleet: Fleet;

  beforeAll(async () => {
    ({ platform, restart } = await startKeptPlatform());
    on = await firmwarePlatform(platform);
    const trust = on.trustOf(1);
    await on.trust(trust, on.releaseKeys[0]);
    fleet = await startFleet(platform, { devices: DEVICES, product, trust: signed('trust', trust, on.releaseKeys[0]) });
    await soon(async () => expect(await running()).toEqual(fleet.things.map(() => 0)));
  }, LIMIT_SECONDS * 1000);
  afterAll(async () => {
    await fleet?.stop();
    await platform?.stop();
  });

  /** Time passes faster for the platform than for the devices: rollouts look once in a while. */
  async function soon<T>(check: () => Promise<T>): Promise<T> {
    const passed = async (): Promise<T> => {
      await platform.advance(STEP_SECONDS);
      return check();
    };
    return untilItPasses(passed, 0.8 * LIMIT_SECONDS, LOOK_MS);
  }

  /** What each device says that it runs, by the counter of the release. */
  async function running(): Promise<readonly unknown[]> {
    const rows = await Promise.all(fleet.things.map((thing) => on.deviceRow(thing)));
    return rows.map((row) => (row?.running as { counter?: unknown } | undefined)?.counter);
  }

  async function devicesOf(rollout: string): Promise<readonly RolloutDevice[]> {
    const found: RolloutDevice[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await on.operator.api.listRolloutDevices({
        params: { rollout },
        query: { limit: 1000, ...(cursor === undefined ? {} : { cursor }) },
      });
      found.push(...page.devices);
      if (page.cursor === undefined) return found;
      cursor = page.cursor;
    }
  }

  const get = (rollout: string) => on.operator.api.getRollout({ params: { rollout } });
  const settings = { waves: WAVES, rate: { perMinute: 5000 }, health: { soakSeconds: 1 } };

  it('gets a release in three waves, with a pause and a restart of the platform in the middle', async () => {
    const release = await on.release({ product, counter: 1, image: workingImage() });
    const { id: rollout } = await on.operator.api.createRollout({
      body: { product, counter: release.counter, ...settings },
    });

    // The first wave is through, and the second one has begun.
    await soon(async () => expect((await get(rollout)).wave).toBeGreaterThanOrEqual(1));
    await on.operator.api.pauseRollout({ params: { rollout } });
    const paused = await get(rollout);
    expect(paused.state).toBe('PAUSED');
    expect(paused.waves[0]).toEqual({ SUCCEEDED: CANARIES });
    await restart();
    await on.operator.refresh();

    const kept = await get(rollout);
    expect([kept.state, kept.numbers.PENDING]).toEqual(['PAUSED', paused.numbers.PENDING]);
    await on.operator.api.resumeRollout({ params: { rollout } });
    await soon(async () => {
      await on.operator.refresh();
      const { state, numbers } = await get(rollout);
      expect([state, numbers]).toEqual(['COMPLETED', { SUCCEEDED: DEVICES }]);
    });

    expect(await running()).toEqual(fleet.things.map(() => 1));
    for (const thing of fleet.things) {
      expect([thing, fleet.count(thing, 'firmware.committed')]).toEqual([thing, 1]);
      expect([thing, fleet.count(thing, 'firmware.rolled_back')]).toEqual([thing, 0]);
    }
    // No wave began before the one before it had shown itself.
    const devices = await devicesOf(rollout);
    for (const wave of [1, 2]) {
      const before = devices.filter((each) => each.wave === wave - 1).map(({ changedAt }) => changedAt);
      const started = devices.filter((each) => each.wave === wave).map(({ startedAt = 0 }) => startedAt);
      expect(Math.min(...started)).toBeGreaterThanOrEqual(Math.max(...before));
    }
  });

  it('does not get a release that crashes: the first devices go back, the others never hear of it', async () => {
    const release = await on.release({ product, counter: 2, image: crashingImage() });
    const { id: rollout } = await on.operator.api.createRollout({
      body: {
        ...{ product, counter: release.counter, ...settings },
        abort: { failurePercent: 20, minimumFailures: CANARIES },
      },
    });

    await soon(async () => {
      await on.operator.refresh();
      const { state, endedAt, numbers } = await get(rollout);
      expect([state, endedAt]).toEqual(['ABORTED', expect.any(Number)]);
      expect(numbers).toEqual({ ROLLED_BACK: CANARIES, PENDING: DEVICES - CANARIES });
    });
    const devices = await devicesOf(rollout);
    const touched = devices.filter(({ state }) => state === 'ROLLED_BACK');
    expect(touched.map(({ failure }) => failure)).toEqual(touched.map(() => 'does-not-start'));
    // All of them run what they ran, and say so.
    await soon(async () => expect(await running()).toEqual(fleet.things.map(() => 1)));
    const names = new Set(touched.map(({ thing }) => thing));
    for (const thing of fleet.things) {
      const heard = fleet.count(thing, 'firmware.wanted') - 1;
      expect([thing, heard]).toEqual([thing, names.has(thing) ? 1 : 0]);
      expect([thing, fleet.count(thing, 'firmware.committed')]).toEqual([thing, 1]);
    }
  });
});
