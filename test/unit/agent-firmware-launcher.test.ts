/** The launcher and versions below it as real processes: bad ones, and kills at any moment. */
import { rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '../../local/src/faults/random.ts';
import { describeWithTools } from '../support/tools.ts';
import { KilledDevice } from './agent-firmware-kills.ts';
import { Device, Programs } from './agent-firmware-processes.ts';

/** Devices side by side, and kills of each: the stated count with THINGSTEAD_EXHAUSTIVE, else a sample. */
const [DEVICES, KILLS] = process.env.THINGSTEAD_EXHAUSTIVE ? [5, 100] : [2, 4];
/** For what is to happen, on a machine that is busy as well; and for what never will. */
const [LONG, SHORT] = [120, 1];

/** Each is to be struck, when there are kills enough. */
const STATES = [
  ...['WAITING', 'DOWNLOADING', 'VERIFYING', 'INSTALLING', 'RESTARTING, not yet switched', 'RESTARTING, on trial'],
  ...['HEALTH_CHECK, on trial', 'HEALTH_CHECK, the slot is good', 'no boot left', 'COMMITTED', 'ROLLED_BACK'],
];

const programs = new Programs();
const devices: Device[] = [];
beforeAll(() => programs.bundle());
afterEach(() => Promise.all(devices.splice(0).map((each) => each.close())));
afterAll(() => programs.remove());

async function open(device: Device): Promise<Device> {
  devices.push(device);
  await device.cloud.open();
  return device;
}

describe('the launcher', () => {
  it('starts the version that came with it, then the new one; and goes back from those that are bad', async () => {
    const device = await open(new Device(programs));
    const { cloud } = device;
    const first = programs.version(1, 'works');
    cloud.desired = first;
    device.launch({ trial: LONG, silence: LONG });
    await device.until(() => cloud.endOf(first).length > 0);
    expect(cloud.endOf(first)).toMatchObject([{ state: 'COMMITTED', by: 1 }]);
    expect(device.good).toBe('a');

    for (const [counter, behaviour, trial, failure, words] of [
      [2, 'exit 3', LONG, 'does-not-start', /^ended with 3$/],
      [3, 'exec sleep 1000', SHORT, 'unhealthy', /^was not found good within 1 s$/],
      // On a machine that is busy its launcher finds it out first.
      [4, 'offline', 2 * SHORT, 'unhealthy', /not connected to the cloud|not found good within 2 s/],
    ] as const) {
      const bad = programs.version(counter, behaviour);
      await device.kill();
      cloud.desired = bad;
      device.launch({ trial, silence: LONG });
      await device.until(() => cloud.endOf(bad).length > 0);
      expect(cloud.endOf(bad)).toMatchObject([
        { state: 'ROLLED_BACK', by: 1, status: { failure, reason: expect.stringMatching(words) } },
      ]);
      expect(device.good).toBe('a');
      const boots = device.trials.get(bad.attempt);
      if (behaviour !== 'offline') expect(boots).toBe(3);
    }
  }, 300_000);

  it('goes back from one that takes the power away each time', async () => {
    const device = await open(new Device(programs));
    const bad = programs.version(1, 'exec sleep 1000');
    device.cloud.desired = bad;
    for (let boot = 1; boot <= 3; boot += 1) {
      device.launch({ trial: LONG, silence: LONG });
      await device.until(() => device.trials.get(bad.attempt) === boot);
      await device.kill();
    }
    device.launch({ trial: LONG, silence: LONG });
    const boots = (): number => device.trials.get(bad.attempt) ?? 0;
    await device.until(() => device.cloud.endOf(bad).length > 0 || boots() > 3);
    expect(boots()).toBe(3);
    expect(device.cloud.endOf(bad)).toMatchObject([
      { state: 'ROLLED_BACK', by: 0, status: { reason: expect.stringContaining('switched off or reset') } },
    ]);
    expect(device.good).toBe('factory');
  }, 120_000);

  it('starts the version that came with it when the slots cannot be read, again and again', async () => {
    const device = await open(new Device(programs, 'exit 3'));
    const slots = path.join(device.folder, 'slots');
    rmSync(slots, { recursive: true });
    symlinkSync('slots', slots);

    const launcher = device.launch({ trial: LONG, silence: LONG });
    const starts = () => device.lines.filter((line) => line === 'launcher: starts factory').length;
    await device.until(() => starts() > 1 || launcher.exitCode !== null, LONG);

    expect(launcher.exitCode).toBe(null);
    expect(device.lines[0]).toMatch(/^launcher: the slots cannot be read: .*ELOOP/);
  }, 120_000);

  it('kills one that does not say that it lives, and starts it again', async () => {
    const device = await open(new Device(programs, 'exec sleep 1000'));
    device.launch({ trial: LONG, silence: SHORT });
    const silent = 'launcher: factory did not say for 1 s that it lives';
    await device.until(() => device.lines.includes(silent));
    await device.until(() => device.lines.at(-1) === 'launcher: starts factory');
  }, 120_000);
});

describeWithTools(['strace'], 'updates with kills at any moment, in the same folder', () => {
  it(
    'always leave a version that starts, and reports that are true',
    async () => {
      const struck = new Map<string, number>();
      const lives = async (seed: number): Promise<readonly string[]> => {
        const killed = new KilledDevice(programs, seededRandom(seed), struck);
        await open(killed.device);
        for (let life = 0; life < KILLS; life += 1) await killed.live(life + seed);
        return killed.settle();
      };

      const ends = await Promise.allSettled(Array.from({ length: DEVICES }, (_, seed) => lives(seed)));

      expect(ends).toEqual(ends.map(() => ({ status: 'fulfilled', value: [] })));
      if (!process.env.THINGSTEAD_EXHAUSTIVE) return;
      const seen = [...struck].toSorted().map(([what, times]) => `${String(times).padStart(4)} ${what}\n`);
      process.stderr.write(`kills that have struck\n${seen.join('')}`);
      const isStruck = (state: string): boolean => [...struck.keys()].some((what) => what.endsWith(state));
      expect(STATES.filter((state) => !isStruck(state))).toEqual([]);
    },
    DEVICES * KILLS * 5_000 + 240_000,
  );
});
