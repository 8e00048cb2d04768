/** Alexa is told what changes: of things, by whoever may see them, and of who may see them. */
import { type Speaker, startVoice, type VoicePlatform } from './voice-platform.ts';

const FAILED = 'thingstead-voice-reports-failed';
let platform: VoicePlatform;
let mary: Speaker;

beforeAll(async () => {
  platform = await startVoice();
  mary = await platform.newSpeaker();
});
afterEach(async () => {
  expect(platform.amazon.malformed).toEqual([]);
  expect(await platform.messagesIn(FAILED, 'thingstead-voice-errors')).toBe(0);
});
afterAll(() => platform?.stop());

// biome-ignore lint/suspicious/noExplicitAny: whatever came.
const nameOf = (report: any): string => report.event.header.name;
const thing = (name: string) => ({ kind: 'thing', name }) as const;
const reportsFor = (person: string, name: string) =>
  platform.amazon.reportsFor(person).filter((each) => nameOf(each) === name);
/** What a ChangeReport says has changed: `[powerState ON APP_INTERACTION]`. */
const changesFor = (person: string, of: string) =>
  reportsFor(person, 'ChangeReport')
    .filter(({ event }) => event.endpoint.endpointId === of)
    .map(({ event }) => {
      const { cause, properties } = event.payload.change;
      const values = properties.map((each: { name: string; value: unknown }) => [each.name, each.value].flat());
      return `${values.map(([name, value]: [string, unknown]) => `${name} ${plain(value)}`)} ${cause.type}`;
    });
const plain = (value: unknown) => (typeof value === 'object' ? Object.values(value ?? {})[0] : value);

/** Time that passes may end the lamp's connection, which is told too. */
const powerChanges = (of: string) => changesFor(mary.person, of).filter((each) => each.startsWith('powerState'));

async function ownLamp(name: string) {
  const lamp = await platform.newLamp(name);
  await platform.grant(mary.person, thing(name), 'owner');
  await platform.until(() => expect(JSON.stringify(reportsFor(mary.person, 'AddOrUpdateReport'))).toContain(name));
  return lamp;
}

describe('Alexa is told', () => {
  it('of a change by an app and of one at the device, each once, and of what is as it was', async () => {
    const lamp = await ownLamp('hall');

    await platform.updateShadow('hall', { desired: { power: true } });
    await platform.until(() => expect(changesFor(mary.person, 'hall')).toHaveLength(1));
    await lamp.report({ brightness: 90 });
    await platform.until(() => expect(changesFor(mary.person, 'hall')).toHaveLength(2));
    await lamp.report({ brightness: 90, rssi: -60 });
    await platform.until(() => undefined);

    expect(changesFor(mary.person, 'hall')).toEqual([
      'powerState ON APP_INTERACTION',
      'brightness 90 PHYSICAL_INTERACTION',
    ]);
    const [first] = reportsFor(mary.person, 'ChangeReport');
    expect(first.context.properties).toMatchObject([
      { name: 'brightness', value: 40 },
      { name: 'connectivity', value: { value: 'OK' } },
    ]);
  });

  it('that a lamp is gone, and that it is back', async () => {
    const lamp = await ownLamp('cellar');

    await lamp.report({ connected: false });
    await platform.until(() => expect(changesFor(mary.person, 'cellar')).toHaveLength(1));
    await lamp.report({ connected: true });
    await platform.until(() => expect(changesFor(mary.person, 'cellar')).toHaveLength(2));

    expect(changesFor(mary.person, 'cellar')).toEqual([
      'connectivity UNREACHABLE PHYSICAL_INTERACTION',
      'connectivity OK PHYSICAL_INTERACTION',
    ]);
  });

  it('when a lamp is shared and when that ends, and nothing of it afterwards', async () => {
    const lamp = await ownLamp('attic');
    const john = await platform.newSpeaker();

    await platform.grant(john.person, thing('attic'), 'viewer');
    await platform.until(() => expect(reportsFor(john.person, 'AddOrUpdateReport')).toHaveLength(1));
    await lamp.report({ power: true });
    await platform.until(() => expect(changesFor(john.person, 'attic')).toHaveLength(1));
    await platform.revoke(john.person, thing('attic'));
    await platform.until(() => expect(reportsFor(john.person, 'DeleteReport')).toHaveLength(1));
    await lamp.report({ power: false });
    await platform.until(() => expect(changesFor(mary.person, 'attic')).toHaveLength(2));

    expect(changesFor(john.person, 'attic')).toHaveLength(1);
    expect(reportsFor(john.person, 'DeleteReport')[0].event.payload.endpoints).toEqual([{ endpointId: 'attic' }]);
    expect(reportsFor(mary.person, 'DeleteReport')).toEqual([]);
  });

  it('of all things of a site by one grant', async () => {
    const john = await platform.newSpeaker();
    for (const name of ['barn-1', 'barn-2']) await platform.newLamp(name);

    await platform.grant(john.person, { kind: 'site', name: 'barn' }, 'owner');
    await platform.until(() => expect(reportsFor(john.person, 'AddOrUpdateReport')).toHaveLength(1));
    await platform.updateShadow('barn-2', { desired: { power: true } });
    await platform.until(() => expect(changesFor(john.person, 'barn-2')).toHaveLength(1));
    await platform.revoke(john.person, { kind: 'site', name: 'barn' });
    await platform.until(() => expect(reportsFor(john.person, 'DeleteReport')).toHaveLength(1));

    const ids = (name: string) =>
      reportsFor(john.person, name)[0].event.payload.endpoints.map((each: { endpointId: string }) => each.endpointId);
    expect(ids('AddOrUpdateReport').sort()).toEqual(['barn-1', 'barn-2']);
    expect(ids('DeleteReport').sort()).toEqual(['barn-1', 'barn-2']);
  });

  it('nothing of people who have not linked: nobody is called', async () => {
    const anne = await platform.newSpeaker({ events: false });
    const lamp = await platform.newLamp('shed');
    await platform.grant(anne.person, thing('shed'), 'owner');
    await platform.until(() => undefined);
    const before = platform.amazon.requests;

    await lamp.report({ power: true });
    await platform.until(async () => {
      expect(await platform.shadow('shed')).toMatchObject({ state: { reported: { power: true } } });
    });

    expect(platform.amazon.requests).toBe(before);
  });
});

describe('tokens', () => {
  it('are in the table as ciphertext only', async () => {
    const stored = await platform.tokensAtRest();

    expect(stored).toContain(mary.person);
    expect(platform.amazon.tokens.length).toBeGreaterThan(0);
    expect(platform.amazon.tokens.filter((token) => stored.includes(token.slice(0, 12)))).toEqual([]);
  });

  it('are in no log', async () => {
    const logs = [await platform.functionLog('voice'), await platform.functionLog('voice-reports')].join('\n');

    expect(logs).toContain('voice.linked');
    expect(logs).toContain('voice-reports.sent');
    expect(platform.amazon.tokens.filter((token) => logs.includes(token.slice(-500)))).toEqual([]);
    expect(logs).not.toContain(mary.token);
  });

  it('are renewed when Alexa takes them no more', async () => {
    const lamp = await ownLamp('stairs');
    platform.amazon.forgetAccessTokens();

    await lamp.report({ power: true });

    await platform.until(() =>
      expect(changesFor(mary.person, 'stairs')).toEqual(['powerState ON PHYSICAL_INTERACTION']),
    );
  });

  it('are forgotten when the skill is disabled; linking again begins anew', async () => {
    const john = await platform.newSpeaker();
    const lamp = await platform.newLamp('porch');
    await platform.grant(john.person, thing('porch'), 'owner');
    await platform.until(() => expect(reportsFor(john.person, 'AddOrUpdateReport')).toHaveLength(1));

    platform.amazon.refuse({ status: 403, code: 'SKILL_DISABLED_EXCEPTION' });
    await lamp.report({ power: true });
    await platform.until(async () => expect(await platform.tokensAtRest()).not.toContain(john.person));
    await lamp.report({ power: false });
    await platform.until(() => undefined);
    expect(changesFor(john.person, 'porch')).toEqual([]);

    await john.acceptGrant();
    await lamp.report({ power: true });
    await platform.until(() => expect(changesFor(john.person, 'porch')).toHaveLength(1));
  });

  it('are not kept for a code that Amazon does not take', async () => {
    const john = await platform.newSpeaker({ events: false });

    expect((await john.acceptGrant('made up')).event.payload.type).toBe('ACCEPT_GRANT_FAILED');

    expect(await platform.tokensAtRest()).not.toContain(john.person);
  });
});

describe('a gateway in trouble', () => {
  const TROUBLE = { status: 503, code: 'SERVICE_UNAVAILABLE_EXCEPTION' };

  it('gets a change as soon as it is back, once', async () => {
    const lamp = await ownLamp('garage');
    platform.amazon.refuse(TROUBLE, TROUBLE);
    const before = platform.amazon.requests;

    await lamp.report({ power: true });
    await platform.until(() => expect(platform.amazon.requests).toBe(before + 1));
    expect(changesFor(mary.person, 'garage')).toEqual([]);
    await platform.advance(800);

    await platform.until(() => expect(powerChanges('garage')).toHaveLength(1));
  });

  it('does not get an older change after a later one', async () => {
    const lamp = await ownLamp('pantry');
    platform.amazon.refuse(TROUBLE);
    const before = platform.amazon.requests;

    await lamp.report({ power: true });
    await platform.until(() => expect(platform.amazon.requests).toBe(before + 1));
    await lamp.report({ power: false });
    await platform.until(() => expect(changesFor(mary.person, 'pantry')).toHaveLength(1));
    await platform.advance(400);

    expect(powerChanges('pantry')).toEqual(['powerState OFF PHYSICAL_INTERACTION']);
  });
});
