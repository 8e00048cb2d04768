/** The launcher and versions below it as real processes: bad ones, and kills at any moment. */
import { setTimeout as wait } from 'node:timers/promises';
import { describeWithTools } from '../support/tools.ts';
import { Device, type Version, version } from './agent-firmware-processes.ts';

/** Kills per run: the stated count with THINGSTEAD_EXHAUSTIVE, else a sample. */
const KILLS = process.env.THINGSTEAD_EXHAUSTIVE ? 500 : 4;
const CALLS = ['fdatasync', 'fsync', 'rename', 'pwrite64,write', 'unlink', 'symlink', 'ftruncate', 'mkdir'] as const;
/** So long a life is watched once the version speaks; whoever is not killed in it is killed at its end. */
const LIFE_MS = 2_000;

let device: Device;
afterEach(() => device.close());

async function open(seconds: { readonly trial: number; readonly silence: number }): Promise<void> {
  device = new Device(seconds);
  await device.open();
}

describe('the launcher', () => {
  it('starts the version that came with it, then the new one; and goes back from those that are bad', async () => {
    await open({ trial: 8, silence: 10 });
    const first = version(1, 'works');
    device.desired = first;
    device.launch();
    await device.until(() => device.endOf(first).length > 0, 120);
    expect(device.endOf(first)).toMatchObject([{ state: 'COMMITTED', by: 1 }]);
    expect(device.good).toBe('a');

    for (const [counter, behaviour, failure, words] of [
      [2, 'exit 3', 'does-not-start', /^ended with 3$/],
      [3, 'exec sleep 1000', 'unhealthy', /^was not found good within 8 s$/],
      // On a machine that is busy its launcher finds it out first.
      [4, 'offline', 'unhealthy', /not connected to the cloud|not found good within 8 s/],
    ] as const) {
      const bad = version(counter, behaviour);
      device.desired = bad;
      await device.until(() => device.endOf(bad).length > 0, 120);
      expect(device.endOf(bad)).toMatchObject([
        { state: 'ROLLED_BACK', by: 1, status: { failure, reason: expect.stringMatching(words) } },
      ]);
      expect(device.good).toBe('a');
    }
    const boots = device.words.match(/starts b, on trial/g)?.length;
    expect(boots).toBeGreaterThanOrEqual(3 + 3 + 1);
    expect(boots).toBeLessThanOrEqual(3 + 3 + 3);
  }, 300_000);
});

describeWithTools(['strace'], 'updates with kills at any moment, in the same folder', () => {
  it(
    'always leave a version that starts, and reports that are true',
    async () => {
      await open({ trial: 120, silence: 120 });
      let counter = 1;
      let next: Version = version(counter, 'works');
      device.desired = next;
      const isGood = (of: Version): boolean => of.counter % 3 !== 0;
      for (let life = 0; life < KILLS; life += 1) {
        // WHEN launcher or version is killed as it begins a system call; or at a time, alone or all at once
        const call = CALLS[life % CALLS.length];
        const inject = `inject=${call}:signal=SIGKILL:when=${1 + ((life * 7) % 23)}`;
        const strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
        const launcher = device.launch(life % 2 === 0 ? strace : []);
        const ended = new Promise((resolve) => launcher.once('exit', resolve));
        const calls = device.calls;
        await Promise.race([ended, device.until(() => device.calls > calls, 120).catch(() => {})]);
        await Promise.race([ended, wait(life % 2 === 0 ? LIFE_MS : (life * 397) % LIFE_MS)]);
        if (life % 4 === 3) {
          // Its launcher goes on.
          device.killVersion();
          await Promise.race([ended, wait(LIFE_MS / 2)]);
        }
        await device.kill();
        if (device.endOf(next).length === 0) continue;
        counter += 1;
        next = version(counter, isGood({ ...next, counter }) ? 'works' : 'exit 3');
        device.desired = next;
      }

      // THEN left alone it comes to an end, and all that was said was true
      device.launch();
      await device.until(() => device.endOf(next).length > 0, 240);
      counter += isGood({ ...next, counter: counter + 1 }) ? 1 : 2;
      next = version(counter, 'works');
      device.desired = next;
      await device.until(() => device.endOf(next).length > 0, 240);
      expect(device.endOf(next).at(-1)).toMatchObject({ state: 'COMMITTED', by: counter });
      for (let each = 1; each <= counter; each += 1) {
        const about = version(each, 'works');
        const ends = device.endOf(about);
        // One number may have been left out.
        expect(new Set(ends.map(({ state }) => state)).size).toBeLessThanOrEqual(1);
        for (const { state, by } of ends) {
          expect(state === 'COMMITTED' ? by : each).toBe(each);
          if (!isGood(about)) expect(state).toBe('ROLLED_BACK');
          if (state === 'ROLLED_BACK') expect(by).toBeLessThan(each);
        }
      }
      const committed = device.heard.filter(({ state }) => state === 'COMMITTED').map(({ by }) => by);
      expect(committed).toEqual(committed.toSorted((a, b) => a - b));
      await device.until(() => device.heard.at(-1)?.by === Math.max(...committed), 120);
    },
    KILLS * 15_000 + 240_000,
  );
});
