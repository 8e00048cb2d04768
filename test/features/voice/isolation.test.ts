/** Who reaches a thing through Alexa: everybody tries every directive. A directive without a row here fails. */
import { DIRECTIVES } from '../../../lambda/voice/control.ts';
import { type Speaker, startVoice, type VoicePlatform } from './voice-platform.ts';

const LAMP = { kind: 'thing', name: 'farm-lamp' } as const;
const SITE = { kind: 'site', name: 'farm' } as const;

/** What each directive needs, and what it is answered then. */
const ORACLE: Readonly<
  Record<string, { readonly needs: 'see' | 'change'; readonly answer: string; readonly payload?: object }>
> = {
  'Alexa.ReportState': { needs: 'see', answer: 'StateReport' },
  'Alexa.PowerController.TurnOn': { needs: 'change', answer: 'Response' },
  'Alexa.PowerController.TurnOff': { needs: 'change', answer: 'Response' },
  'Alexa.BrightnessController.SetBrightness': { needs: 'change', answer: 'Response', payload: { brightness: 50 } },
  'Alexa.BrightnessController.AdjustBrightness': {
    needs: 'change',
    answer: 'Response',
    payload: { brightnessDelta: -1 },
  },
};

/** Who may do what, and how they came to it. Staff have no voice but by grants of their own. */
const PEOPLE: Readonly<
  Record<
    string,
    { readonly may: readonly string[]; readonly become?: (platform: VoicePlatform, person: string) => Promise<void> }
  >
> = {
  stranger: { may: [] },
  'ex-owner': {
    may: [],
    become: async (platform, person) => {
      await platform.grant(person, LAMP, 'owner');
      await platform.revoke(person, LAMP);
    },
  },
  'owner of another site': {
    may: [],
    become: (platform, person) => platform.grant(person, { kind: 'site', name: 'far' }, 'owner'),
  },
  viewer: { may: ['see'], become: (platform, person) => platform.grant(person, LAMP, 'viewer') },
  controller: { may: ['see', 'change'], become: (platform, person) => platform.grant(person, LAMP, 'controller') },
  owner: { may: ['see', 'change'], become: (platform, person) => platform.grant(person, LAMP, 'owner') },
  'viewer of the site': { may: ['see'], become: (platform, person) => platform.grant(person, SITE, 'viewer') },
  'owner of the site': { may: ['see', 'change'], become: (platform, person) => platform.grant(person, SITE, 'owner') },
  support: { may: [] },
  operator: { may: [] },
};

let platform: VoicePlatform;

beforeAll(async () => {
  platform = await startVoice();
  await platform.newLamp(LAMP.name);
});
afterAll(() => platform?.stop());

it('every directive has a row', () => {
  expect(Object.keys(ORACLE).sort()).toEqual([...DIRECTIVES].sort());
});

describe.each(Object.entries(PEOPLE))('%s', (who, { may, become }) => {
  let speaker: Speaker;

  beforeAll(async () => {
    const groups = who === 'support' || who === 'operator' ? ([who] as const) : [];
    speaker = await platform.newSpeaker({ events: false, groups });
    await become?.(platform, speaker.person);
  });

  it(`finds ${may.includes('see') ? 'it' : 'nothing'}`, async () => {
    expect(await speaker.discover()).toEqual(may.includes('see') ? [LAMP.name] : []);
  });

  it.each(Object.entries(ORACLE))('%s', async (name, { needs, answer, payload }) => {
    const { event } = await speaker.say(LAMP.name, name, payload);

    expect(event.payload.type ?? event.header.name).toBe(may.includes(needs) ? answer : 'NO_SUCH_ENDPOINT');
  });
});
