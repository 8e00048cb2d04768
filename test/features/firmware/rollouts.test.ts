/** An operator brings a release to devices: wave by wave, until it has reached all, or until it shows that it should not. */
import assert from 'node:assert/strict';
import type { Release } from '@thingstead/contracts/routes/firmware';
import type { Rollout } from '@thingstead/contracts/routes/rollouts';
import { newPerson } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { type FirmwarePlatform, firmwarePlatform } from './firmware-platform.ts';
import { type Conduct, PRODUCT, type UpdatedDevice, updatedDevice } from './rollout-devices.ts';

jest.setTimeout(180_000);

describeLocally('a chain of trust of its own', 'a rollout', () => {
  let platform: Platform;
  let on: FirmwarePlatform;
  let counter = 1;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await firmwarePlatform(platform);
    await on.trust(on.trustOf(1), on.releaseKeys[0]);
  });
  beforeEach(() => on.operator.refresh());
  afterAll(() => platform.stop());

  function released(): Promise<Release> {
    counter += 1;
    return on.release({ product: PRODUCT, counter, image: Buffer.from(`image ${counter}`) });
  }

  async function devices(conduct: Conduct, count: number): Promise<UpdatedDevice[]> {
    const made: UpdatedDevice[] = [];
    for (let n = 0; n < count; n += 1) made.push(await updatedDevice(platform, on, conduct));
    return made;
  }

  /** To these devices, with times that suit a test. */
  async function begin(
    to: readonly UpdatedDevice[],
    more: Partial<Parameters<typeof on.operator.api.createRollout>[0]['body']> = {},
  ): Promise<string> {
    const { product, counter: of } = await released();
    const target = { things: to.map(({ thing }) => thing) };
    const health = { soakSeconds: 60 };
    const body = { product, counter: of, target, health, answerSeconds: 300, rate: { perMinute: 600 }, ...more };
    return (await on.operator.api.createRollout({ body })).id;
  }

  const read = (rollout: string): Promise<Rollout> => on.operator.api.getRollout({ params: { rollout } });

  /** Lets time pass until this is so. */
  async function until(rollout: string, check: (row: Rollout) => boolean): Promise<Rollout> {
    for (let minute = 0; minute < 40; minute += 1) {
      await platform.advance(20);
      const row = await read(rollout);
      if (check(row)) return row;
    }
    assert.fail(JSON.stringify(await read(rollout)));
  }

  it('reaches all its devices, a canary first, and its report says how', async () => {
    const all = await devices('updates', 3);
    const id = await begin(all, { waves: [{ count: 1 }, { percent: 100 }], successPercent: 100 });
    const first = await until(id, ({ numbers }) => (numbers.SOAKING ?? 0) + (numbers.SUCCEEDED ?? 0) > 0);
    expect(first.numbers.PENDING).toBe(2);

    const row = await until(id, ({ state }) => state === 'COMPLETED');
    expect(row).toMatchObject({ total: 3, numbers: { SUCCEEDED: 3 }, waves: [{ SUCCEEDED: 1 }, { SUCCEEDED: 2 }] });
    const { events } = await on.operator.api.getRolloutReport({ params: { rollout: id } });
    expect(events.map(({ kind }) => kind)).toEqual(['created', 'started', 'wave', 'completed']);
    expect(events[2]?.text).toMatch(/^wave 1: 1 of 1 succeeded \(100 %/);
    for (const { thing, desired, downloads } of all) {
      expect([desired.length, downloads]).toEqual([1, ['accepted']]);
      const shown = await on.operator.api.getFirmware({ params: { thing } });
      expect(shown).toMatchObject({ running: { counter }, update: { counter, ended: true, state: 'SUCCEEDED' } });
    }
  });

  it('that fails on its canary is aborted: who was not reached hears nothing of it', async () => {
    const all = await devices('rolls-back', 4);
    const abort = { failurePercent: 50, minimumFailures: 2 };
    const id = await begin(all, { waves: [{ count: 2 }, { percent: 100 }], abort });
    const row = await until(id, ({ endedAt }) => endedAt !== undefined);

    expect(row).toMatchObject({ state: 'ABORTED', numbers: { PENDING: 2, ROLLED_BACK: 2 } });
    expect(row.reason).toMatch(/2 of 2 with an outcome failed/);
    expect(all.map(({ desired }) => desired.length).sort()).toEqual([0, 0, 1, 1]);
    const query = { state: 'ROLLED_BACK' as const };
    const { devices: failed } = await on.operator.api.listRolloutDevices({ params: { rollout: id }, query });
    expect(failed.map(({ failure, reason }) => [failure, reason])).toEqual(
      Array.from({ length: 2 }, () => ['does-not-start', 'three boots in vain']),
    );
  });

  it('that is paused grants no download and starts nobody, until it is resumed', async () => {
    const all = await devices('waits', 2);
    const id = await begin(all, { waves: [{ count: 1 }, { percent: 100 }], successPercent: 100, answerSeconds: 3600 });
    await until(id, ({ numbers }) => numbers.NOTIFIED === 1);
    const params = { rollout: id };
    await on.operator.api.pauseRollout({ params });
    await platform.advance(60);
    const told = await platform.soon(async () => {
      const found = all.find(({ desired }) => desired.length > 0);
      assert(found, 'nobody has heard of it');
      return found;
    });
    await told.goOn('updates');
    expect(told.downloads).toEqual(['paused']);
    expect(await read(id)).toMatchObject({ state: 'PAUSED', pausedFor: 'operator', numbers: { PENDING: 1 } });

    await on.operator.api.resumeRollout({ params });
    await told.goOn('updates');
    await until(id, () => all.every(({ desired }) => desired.length === 1));
    await all.find((device) => device !== told)?.goOn('updates');
    const row = await until(id, ({ state }) => state === 'COMPLETED');
    expect(row.numbers).toEqual({ SUCCEEDED: 2 });
  });

  it('leaves a device to the rollout that was first with it', async () => {
    const all = await devices('waits', 2);
    const one = { waves: [{ count: 1 }, { percent: 100 as const }], answerSeconds: 3600 };
    const slow = await begin(all, one);
    await until(slow, ({ numbers }) => numbers.NOTIFIED === 1);
    const second = await begin(all, { waves: [{ percent: 100 }], answerSeconds: 3600 });
    const row = await until(second, ({ numbers }) => numbers.NOTIFIED === 1);
    expect(row.numbers).toEqual({ NOTIFIED: 1, SKIPPED: 1 });

    // The first one comes to its second device, which has another offer by then.
    const first = all.find(({ desired }) => desired[0]?.counter === counter - 1);
    await first?.goOn('updates');
    const done = await until(slow, ({ state }) => state === 'COMPLETED');
    expect(done.numbers).toEqual({ SUCCEEDED: 1, SKIPPED: 1 });
    await all.find((device) => device !== first)?.goOn('updates');
    await until(second, ({ state }) => state === 'COMPLETED');
    expect(all.map(({ desired }) => desired.length)).toEqual([1, 1]);
  });

  it('shows beforehand who would get it; support may look, and nobody else may do anything', async () => {
    const [device] = await devices('waits', 1);
    const { product, counter: of } = await released();
    const things = [device?.thing ?? '', 'nobody'];
    const body = { product, counter: of, target: { things } };
    const shown = await on.operator.api.dryRunRollout({ body });
    expect(shown.devices).toEqual([
      { thing: device?.thing, order: expect.any(String) },
      { thing: 'nobody', order: expect.any(String), skip: 'no-such-thing' },
    ]);
    expect(await on.operator.call('POST', '/operator/rollouts', body)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('there is no thing nobody') },
    });
    expect(device?.desired).toEqual([]);

    const [support, anybody] = [await newPerson(platform, { groups: ['support'] }), await newPerson(platform)];
    expect((await support.call('POST', '/operator/rollouts', body)).status).toBe(403);
    expect((await support.call('GET', '/operator/rollouts')).status).toBe(200);
    expect((await anybody.call('GET', '/operator/rollouts')).status).toBe(403);
    expect((await anybody.call('GET', `/things/${device?.thing}/firmware`)).status).toBe(404);
    expect((await on.operator.call('POST', '/operator/rollouts', { ...body, counter: 999 })).status).toBe(404);
  });

  it('a device that joins later gets what is current', async () => {
    const { product, counter: of } = await released();
    await on.operator.api.setCurrentRelease({ params: { product }, body: { counter: of } });
    const [late] = await devices('updates', 1);
    await platform.soon(async () => {
      const shown = await on.operator.api.getFirmware({ params: { thing: late?.thing ?? '' } });
      assert.equal(shown.running?.counter, of);
      assert.deepEqual([shown.update?.ended, shown.update?.said], [true, 'COMMITTED']);
    });
  });
});
