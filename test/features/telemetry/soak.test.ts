/** A short soak, with harm at every hop. `npm run bench -- soak` is the long one. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { activate, createFleet } from '../../../bench/support/fleet.ts';
import { synthesize } from '../../support/assembly.ts';
import { type Runtime, startRuntime } from '../../support/runtime.ts';
import { soak } from '../../support/soak/soak.ts';
import { describeLocally } from '../../support/target.ts';

const DEVICES = 20;
const SEND_MS = 5_000;
/** Usually a few seconds. */
const DRAIN_MS = 60_000;
const TEST_MS = 180_000;

describeLocally('harm on purpose', 'readings of twenty devices', () => {
  let runtime: Runtime;

  beforeAll(async () => {
    runtime = await startRuntime({ assembly: synthesize() });
  });
  afterAll(() => runtime.stop());

  it(
    'are stored exactly as sent while connections are cut, functions fail and deliveries are repeated',
    async () => {
      // GIVEN
      const seed = Number(process.env.SOAK_SEED ?? randomInt(2 ** 31));
      const fleet = await createFleet(DEVICES);
      await activate(fleet, runtime);

      // WHEN
      const { differences, progress, harmed, messages } = await soak({
        root: path.resolve(__dirname, '../../..'),
        seed,
        devices: fleet.devices,
        intervalMs: 200,
        runtime,
        during: async () => {
          await once(AbortSignal.timeout(SEND_MS), 'abort');
        },
        drainMs: DRAIN_MS,
        intensity: 10,
      });

      // THEN (SOAK_SEED repeats it)
      expect({ seed, differences }).toEqual({ seed, differences: [] });
      expect(messages).toBe(progress.sent);
      // Otherwise it has shown nothing.
      expect(progress.repeated).toBeGreaterThan(0);
      expect(harmed['connection cut']).toBeGreaterThan(0);
      expect(harmed['rule-action duplicate']).toBeGreaterThan(0);
    },
    TEST_MS,
  );
});
