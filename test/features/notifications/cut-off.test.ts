/**
 * The notifications function, cut off at every call it makes, before and after its effect and with the answer lost: each person is
 * told once, or the queue of failures has the notice and the person. Nobody is told twice.
 */
import { randomInt } from 'node:crypto';
import type { HarmAt } from '../../../local/src/faults/points.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { passWithoutSweeps } from '../../support/without-sweeps.ts';
import { notice, People } from './people.ts';

const HARMS: readonly HarmAt<'call'>[] = ['crash-before', 'crash-after', 'lose-answer', 'error'];
/** A failure names its harm and its call, so this needs not be known to see it again. */
const OFFSET = randomInt(2 * HARMS.length);
const HOUR = 3600;
const LIMIT_MS = 300_000;

/** Every second call meets one harm, from run to run other ones; with THINGSTEAD_EXHAUSTIVE each call meets all. */
function harmsAt(call: number): readonly HarmAt<'call'>[] {
  if (process.env.THINGSTEAD_EXHAUSTIVE) return HARMS;
  const turn = (call + OFFSET) / 2;
  return HARMS.filter((_, at) => at === turn % HARMS.length);
}

describeLocally('a plan of harm', 'a notice whose function is cut off at any call', () => {
  let platform: Platform;
  let people: People;
  let runs = 0;

  beforeAll(async () => {
    platform = await startPlatform();
    people = new People(platform);
  });
  afterAll(() => platform.stop());

  /** Two people, one notice, harm at the call of this number. What became of each; and how many calls there were. */
  async function run(harm: HarmAt<'call'>, at: number | undefined) {
    runs += 1;
    const thing = unique(`cut-off${runs}`);
    const told = [1, 2].map((n) => ({ person: unique(`person-${runs}-${n}`), number: `+491${n}${100_000 + runs}` }));
    for (const { person, number } of told) {
      await people.sms(person, number);
      await people.watch(person, 'thing', thing);
    }
    const when = at === undefined ? { probability: 0 } : { skip: at, times: 1 };
    await platform.faults([{ at: 'call', match: { function: 'thingstead-notifications' }, do: harm, ...when }]);
    const sent = notice(unique(`cut-off-${runs}`), [thing]);
    await people.notify(sent);
    await passWithoutSweeps(platform, HOUR);
    const [fault] = (await platform.faultReport()).faults;
    await platform.faults([]);
    const failures = await people.failures();
    const outcomes = await Promise.all(
      told.map(async ({ person, number }) => {
        const messages = (await people.outbox(number)).length;
        const waiting = failures.some((each) => each.noticeId === sent.id && each.person === person);
        return { messages, isAnswered: messages === 1 || waiting };
      }),
    );
    return { outcomes, calls: fault?.matched ?? 0, harmed: fault?.harmed, failures: failures.length };
  }

  it(
    'is told once, or waits for a decision',
    async () => {
      const undisturbed = await run('error', undefined);
      expect(undisturbed).toMatchObject({ outcomes: [{ messages: 1 }, { messages: 1 }], failures: 0 });
      expect(undisturbed.calls).toBeGreaterThan(6);

      for (let at = 0; at < undisturbed.calls; at += 1) {
        for (const harm of harmsAt(at)) {
          const { outcomes, harmed } = await run(harm, at);
          expect({ harm, at, harmed }).toEqual({ harm, at, harmed: 1 });
          for (const { messages, isAnswered } of outcomes) {
            expect({ harm, at, messages: messages > 1 ? messages : 'at most one', isAnswered }).toEqual({
              ...{ harm, at, messages: 'at most one', isAnswered: true },
            });
          }
        }
      }
    },
    LIMIT_MS,
  );
});
