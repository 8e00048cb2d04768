/** People who name a thing and set its state: what the function of these routes makes of it. */
import { CreateThingCommand } from '@aws-sdk/client-iot';
import { newPerson, type Person, type RawAnswer } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { storedThings } from '../things/stored-things.ts';
import { anonymous, type Scenario } from './scenario.ts';

const ATTEMPTS = 6;
/** Nothing is tried again by the platform: the person does it. */
const settleSeconds = 60;
const OWNED_SINCE = Date.UTC(2026, 10, 1);

const people = new WeakMap<Platform, Promise<Person>>();

function personOf(platform: Platform): Promise<Person> {
  const known = people.get(platform) ?? newPerson(platform);
  people.set(platform, known);
  return known;
}

/** As an app does it: the same request until it is answered by something else than a failure. */
async function untilAnswered(request: () => Promise<RawAnswer>): Promise<RawAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await request();
    if (answer.status < 500) return answer;
    if (attempt >= ATTEMPTS) throw new Error(`no answer but ${answer.status}`);
  }
}

function scenario(
  title: string,
  expected: Readonly<Record<string, unknown>>,
  change: (person: Person, thing: string) => Promise<void>,
): Scenario {
  return {
    ...{ title, functionName: 'thingstead-things', settleSeconds, expected },
    async begin(platform, run) {
      const person = await personOf(platform);
      // Access tokens live for 15 minutes, and the clock was advanced.
      await person.refresh();
      const thing = unique(`lamp${title.length}${run}`).replaceAll('-', '_');
      const stored = storedThings(platform);
      await stored.things([{ name: thing }]);
      await stored.grant(person.person, { kind: 'thing', name: thing }, 'owner', { visibleFrom: OWNED_SINCE });
      await platform.iot.send(new CreateThingCommand({ thingName: thing }));
      return {
        act: () => change(person, thing),
        async outcome() {
          const { label, labelledFor } = (await platform.thingRow(thing)) ?? {};
          const shadow = await platform.shadow(thing);
          const state = shadow && { state: shadow.state, version: shadow.version };
          return anonymous({ label, labelledFor, state }, { [thing]: 'thing' });
        },
      };
    },
  };
}

export const thingsScenarios: readonly Scenario[] = [
  scenario('a thing that gets a label', { label: 'Lamp', labelledFor: OWNED_SINCE }, async (person, thing) => {
    await untilAnswered(() => person.call('PATCH', `/things/${thing}`, { label: 'Lamp' }));
  }),
  scenario(
    'state that is set over the version that was read',
    { state: { state: { desired: { level: 2 } }, version: 2 } },
    async (person, thing) => {
      const path = `/things/${thing}/state`;
      for (const level of [1, 2]) {
        // Whoever got no answer reads first: their own update may be there.
        await untilAnswered(async () => {
          const read = await person.call('GET', path);
          if (read.status >= 500 || read.body.desired?.level === level) return read;
          const headers = { 'if-match': read.headers.get('etag') ?? '' };
          return person.call('PATCH', path, { desired: { level } }, { headers });
        });
      }
    },
  ),
];
