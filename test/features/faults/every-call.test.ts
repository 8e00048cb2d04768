/**
 * Every function is cut off at every call it makes: before it has an effect, after it had it, and with its answer lost. What
 * the platform tries again by itself must come to the same end, with no effect twice.
 */
import { randomInt } from 'node:crypto';
import type { HarmAt } from '../../../local/src/faults/points.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
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
const OFFSET = randomInt(1000);
const LIMIT_MS = process.env.THINGSTEAD_EXHAUSTIVE ? 1_200_000 : 300_000;

/** With THINGSTEAD_EXHAUSTIVE each call meets every harm; else one of them meets one, from run to run another. */
function harmsAt(call: number, calls: number): readonly HarmAt<'call'>[] {
  if (process.env.THINGSTEAD_EXHAUSTIVE) return HARMS;
  const turn = Math.floor(OFFSET / calls);
  return call === OFFSET % calls ? HARMS.filter((_, at) => at === turn % HARMS.length) : [];
}

describeLocally('a plan of harm', 'a function that is cut off at any of its calls', () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform.stop());

  describe.each(scenarios)('$functionName, $title', (scenario) => {
    const { functionName, settleSeconds } = scenario;
    let runs = 0;

    /** One run, with harm at the call of this number or with none; gives its outcome and how many calls there were. */
    async function run(harm: HarmAt<'call'>, at: number | undefined): Promise<{ outcome: unknown; calls: number }> {
      const { act, outcome } = await scenario.begin(platform, runs++);
      const when = at === undefined ? { probability: 0 } : { skip: at, times: 1 };
      await platform.faults([{ at: 'call', match: { function: functionName }, do: harm, ...when }]);
      await act();
      const [during] = (await platform.faultReport()).faults;
      await platform.advance(settleSeconds);
      const [fault] = (await platform.faultReport()).faults;
      await platform.faults([]);
      // What S3 and a function do at the same time may come in either order, with a call more or less: the last may not be there.
      const isMet = at !== undefined && (fault?.matched ?? 0) > at;
      expect(fault?.harmed).toBe(isMet ? 1 : 0);
      return { outcome: await outcome(), calls: during?.matched ?? 0 };
    }

    it(
      'comes to the same end',
      async () => {
        const undisturbed = await run('crash-before', undefined);
        expect(undisturbed.outcome).toMatchObject(scenario.expected);

        for (let at = 0; at < undisturbed.calls; at += 1) {
          for (const harm of harmsAt(at, undisturbed.calls)) {
            const { outcome } = await run(harm, at);
            expect({ harm, at, outcome }).toEqual({ harm, at, outcome: undisturbed.outcome });
          }
        }
      },
      LIMIT_MS,
    );
  });
});
