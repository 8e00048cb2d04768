/**
 * The functions of voice, cut off at every call they make to AWS, before and after its effect and with the answer lost: a change is
 * told all the same, mostly once; a link is whole or not there; and a wish is fulfilled, taken back, or Alexa is told of an error.
 */
import { randomInt } from 'node:crypto';
import type { HarmAt } from '../../../local/src/faults/points.ts';
import { describeLocally } from '../../support/target.ts';
import { type Speaker, startVoice, type VoicePlatform } from './voice-platform.ts';

const HARMS: readonly HarmAt<'call'>[] = ['crash-before', 'crash-after', 'lose-answer', 'error'];
/** A failure names its harm and its call, so this needs not be known to see it again. */
const OFFSET = randomInt(2 * HARMS.length);
/** After a failure SQS gives a message again after six minutes. */
const SETTLED_SECONDS = 400;
const LIMIT_MS = 300_000;

/** Every second call meets one harm, from run to run other ones; with THINGSTEAD_EXHAUSTIVE each call meets all. */
function harmsAt(call: number): readonly HarmAt<'call'>[] {
  if (process.env.THINGSTEAD_EXHAUSTIVE) return HARMS;
  const turn = (call + OFFSET) / 2;
  return HARMS.filter((_, at) => at === turn % HARMS.length);
}

describeLocally('a plan of harm', 'a function of voice that is cut off at any call', () => {
  let platform: VoicePlatform;
  let mary: Speaker;
  let runs = 0;

  beforeAll(async () => {
    platform = await startVoice();
    mary = await platform.newSpeaker();
    // Much time passes, and connections of devices with it: this one ends before.
    const { client } = await platform.newLamp('lamp');
    await client.endAsync();
    await platform.grant(mary.person, { kind: 'thing', name: 'lamp' }, 'owner');
    await platform.until(() => expect(platform.amazon.reportsFor(mary.person)).toHaveLength(1));
  });
  afterAll(() => platform?.stop());

  /** Does it with harm at the call of this number, or with none; gives how many calls there were. */
  async function harmed(fn: string, harm: HarmAt<'call'>, at: number | undefined, act: () => Promise<unknown>) {
    const when = at === undefined ? { probability: 0 } : { skip: at, times: 1 };
    await platform.faults([{ at: 'call', match: { function: fn }, do: harm, ...when }]);
    await act();
    const [during] = (await platform.faultReport()).faults;
    await platform.faults([]);
    expect({ harm, at, harmed: during?.harmed }).toEqual({ harm, at, harmed: at === undefined ? 0 : 1 });
    return during?.matched ?? 0;
  }

  it(
    'tells a change',
    async () => {
      // As the change, or with a later change: time that passes ends the lamp's connection, which is told too.
      const told = (brightness: number) =>
        platform.amazon
          .reportsFor(mary.person)
          .map(({ event, context }) => [...(event.payload.change?.properties ?? []), ...(context?.properties ?? [])])
          .filter((properties) => properties.some(({ value }: { value: unknown }) => value === brightness)).length;
      const run = async (harm: HarmAt<'call'>, at: number | undefined) => {
        runs += 1;
        const brightness = runs;
        const calls = await harmed('thingstead-voice-reports', harm, at, async () => {
          await platform.updateShadow('lamp', { reported: { brightness } });
          await platform.until(async () => {
            const [fault] = (await platform.faultReport()).faults;
            expect(at === undefined ? told(brightness) : fault?.harmed).toBe(1);
          });
        });
        if (told(brightness) === 0) await platform.advance(SETTLED_SECONDS);
        await platform.until(() => expect({ harm, at, told: told(brightness) > 0 }).toEqual({ harm, at, told: true }));
        return calls;
      };

      const calls = await run('error', undefined);
      expect(calls).toBeGreaterThan(6);
      for (let at = 0; at < calls; at += 1) for (const harm of harmsAt(at)) await run(harm, at);

      expect(await platform.messagesIn('thingstead-voice-reports-failed')).toBe(0);
      expect(platform.amazon.malformed).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'links an account, or the next grant does',
    async () => {
      const john = await platform.newSpeaker({ events: false });
      await platform.grant(john.person, { kind: 'thing', name: 'lamp' }, 'viewer');
      const link = () => john.acceptGrant().catch(() => undefined);
      const calls = await harmed('thingstead-voice', 'error', undefined, link);
      expect(calls).toBeGreaterThan(2);

      for (let at = 0; at < calls; at += 1) {
        for (const harm of harmsAt(at)) {
          await harmed('thingstead-voice', harm, at, link);
          const answer = await john.acceptGrant();
          expect({ harm, at, answer: answer.event.header.name }).toEqual({ harm, at, answer: 'AcceptGrant.Response' });
        }
      }

      await platform.updateShadow('lamp', { reported: { power: true } });
      await platform.until(() => {
        const names = platform.amazon.reportsFor(john.person).map(({ event }) => event.header.name);
        expect(names).toContain('ChangeReport');
      });
    },
    LIMIT_MS,
  );
});
