/**
 * Every function is cut off at every call it makes: before it has an effect, after it had it, and with its answer lost; and each write
 * of it to DynamoDB meets somebody else's transaction. What the platform tries again by itself must come to the same end, with no
 * effect twice.
 */
import { randomInt } from 'node:crypto';
import type { HarmAt } from '../../../local/src/faults/points.ts';
import type { Fault } from '../../support/faults.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { stopSweeps } from '../../support/without-sweeps.ts';
import { accessScenarios } from './access-scenarios.ts';
import { certificatesScenarios } from './certificates-scenarios.ts';
import { commandsScenarios } from './commands-scenarios.ts';
import { filesScenarios } from './files-scenarios.ts';
import { firmwareScenarios } from './firmware-scenarios.ts';
import { onboardingScenarios } from './onboarding-scenarios.ts';
import { pairingScenarios } from './pairing-scenarios.ts';
import { presenceScenarios } from './presence-scenarios.ts';
import { registrationScenarios } from './registration-scenarios.ts';
import { rolloutScenarios } from './rollout-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { telemetryScenarios } from './telemetry-scenarios.ts';
import { thingsScenarios } from './things-scenarios.ts';

const scenarios: readonly Scenario[] = [
  ...registrationScenarios,
  ...onboardingScenarios,
  ...telemetryScenarios,
  ...thingsScenarios,
  ...presenceScenarios,
  ...accessScenarios,
  ...certificatesScenarios,
  ...commandsScenarios,
  ...filesScenarios,
  ...firmwareScenarios,
  ...pairingScenarios,
  ...rolloutScenarios,
];

const HARMS: readonly HarmAt<'call'>[] = ['crash-before', 'crash-after', 'lose-answer'];
/** A failure names its harm and its call, so this needs not be known to see it again. */
const OFFSET = randomInt(1_000_000);
const LIMIT_MS = process.env.THINGSTEAD_EXHAUSTIVE ? 1_200_000 : 300_000;

interface Strike {
  readonly harm: HarmAt<'call'>;
  /** Calls that pass unharmed before. */
  readonly at: number;
}

/** With THINGSTEAD_EXHAUSTIVE each call meets every harm, and each write a conflict; else one of them meets one, from run to run another. */
function strikes({ calls, writes }: Counts): readonly Strike[] {
  const all = [
    ...Array.from({ length: calls }, (_, at) => HARMS.map((harm) => ({ harm, at }))).flat(),
    ...Array.from({ length: writes }, (_, at) => ({ harm: 'conflict' as const, at })),
  ];
  return process.env.THINGSTEAD_EXHAUSTIVE ? all : all.filter((_, at) => at === OFFSET % all.length);
}

interface Counts {
  readonly calls: number;
  /** Those that may meet the transaction of somebody else. */
  readonly writes: number;
}

describeLocally('a plan of harm', 'a function that is cut off at any of its calls', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform();
    // What is cut off converges by itself, not because somebody looks every minute.
    await stopSweeps(platform);
  });
  afterAll(() => platform.stop());

  describe.each(scenarios)('$functionName, $title', (scenario) => {
    const { functionName, settleSeconds } = scenario;
    let runs = 0;

    /** One run, with this harm or with none; gives its outcome and how many calls there were. */
    async function run(strike?: Strike): Promise<{ readonly outcome: unknown; readonly counts: Counts }> {
      const { act, outcome } = await scenario.begin(platform, runs++);
      const call = { at: 'call', match: { function: functionName } } as const;
      const plan: Fault[] = strike
        ? [{ ...call, do: strike.harm, skip: strike.at, times: 1 }]
        : (['crash-before', 'conflict'] as const).map((harm) => ({ ...call, do: harm, probability: 0 }));
      await platform.faults(plan);
      await act();
      const [calls, writes] = (await platform.faultReport()).faults.map(({ matched }) => matched);
      await platform.advance(settleSeconds);
      const [fault] = (await platform.faultReport()).faults;
      await platform.faults([]);
      // What S3 and a function do at the same time may come in either order, with a call more or less: the last may not be there.
      const isMet = strike !== undefined && (fault?.matched ?? 0) > strike.at;
      expect(fault?.harmed).toBe(isMet ? 1 : 0);
      return { outcome: await outcome(), counts: { calls: calls ?? 0, writes: writes ?? 0 } };
    }

    it(
      'comes to the same end',
      async () => {
        const undisturbed = await run();
        expect(undisturbed.outcome).toMatchObject(scenario.expected);

        for (const strike of strikes(undisturbed.counts)) {
          const { outcome } = await run(strike);
          expect({ ...strike, outcome }).toEqual({ ...strike, outcome: undisturbed.outcome });
        }
      },
      LIMIT_MS,
    );
  });
});
