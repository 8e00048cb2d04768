/** Messages to Alexa are as Alexa takes them: each kind, whatever the directive was, and however large it gets. */
import { VOICE_MEMBERS, type VoiceReport } from '../../contracts/src/voice.ts';
import { errorResponse, type Failure } from '../../lambda/alexa/messages.ts';
import { DIRECTIVES } from '../../lambda/voice/control.ts';
import { published, readAnswer, readReport } from '../support/alexa-message.ts';
import { change, grantOf, ReportsWorld } from './voice-reports-world.ts';
import { lamp, START, VoiceWorld } from './voice-world.ts';

type Message = ReturnType<typeof readAnswer>;

const SCHEMAS = published ? 'our schema and that of ALEXA_SCHEMA' : 'our schema alone, for ALEXA_SCHEMA is not set';
const EVERYTHING = { power: true, brightness: 40, temperature: 21.5, contact: true, motion: false };
/** What a thing may say of itself at most. */
const LARGEST = {
  ...{ model: 'm'.repeat(128), serial: 's'.repeat(128), firmwareVersion: 'f'.repeat(128) },
  ...{ capabilities: [...VOICE_MEMBERS], label: '농'.repeat(64), labelledFor: START },
};
const FAILURES: readonly Failure['type'][] = [
  ...(['ENDPOINT_BUSY', 'ENDPOINT_UNREACHABLE', 'EXPIRED_AUTHORIZATION_CREDENTIAL', 'INTERNAL_ERROR'] as const),
  ...(['INVALID_AUTHORIZATION_CREDENTIAL', 'INVALID_DIRECTIVE', 'INVALID_VALUE', 'NO_SUCH_ENDPOINT'] as const),
  'VALUE_OUT_OF_RANGE',
];
const REPORTS = ['Alexa.ChangeReport', 'Alexa.Discovery.AddOrUpdateReport', 'Alexa.Discovery.DeleteReport'];
const nameOf = ({ event }: Message): string => `${event.header.namespace}.${event.header.name}`;

/** Alexa's function with a thing of mary's that has everything, and does as it is told. */
function voiceWorld(): VoiceWorld {
  const world = new VoiceWorld();
  world.addLamp('lamp', EVERYTHING);
  world.things.set('lamp', lamp('lamp', LARGEST));
  world.asked = (thing, member, value) => world.report(thing, { [member]: value });
  return world;
}

function reportsWorld(): ReportsWorld {
  const world = new ReportsWorld();
  world.link('mary');
  world.grant('mary');
  world.things.set('lamp', lamp('lamp', LARGEST));
  return world;
}

async function told(report: VoiceReport): Promise<Message> {
  const world = reportsWorld();
  await world.deliver(report);
  return world.messages[0];
}

const SENT: readonly (readonly [name: string, send: () => Promise<Message>])[] = [
  ['Alexa.Discovery.Discover.Response', () => voiceWorld().discover()],
  ['Alexa.Authorization.AcceptGrant.Response', () => voiceWorld().acceptGrant('token of mary')],
  ['Alexa.Authorization.ErrorResponse', () => voiceWorld().acceptGrant('expired')],
  ['Alexa.Response', () => voiceWorld().to('lamp', 'Alexa.PowerController.TurnOff')],
  ['Alexa.StateReport', () => voiceWorld().to('lamp', 'Alexa.ReportState')],
  ['Alexa.ErrorResponse', () => voiceWorld().to('lamp', 'Alexa.ColorController.SetColor')],
  ['Alexa.ChangeReport', () => told(change(2, { ...EVERYTHING, connected: true }, { previous: EVERYTHING }))],
  ['Alexa.Discovery.AddOrUpdateReport', () => told(grantOf('mary', 'thing#lamp'))],
  ['Alexa.Discovery.DeleteReport', () => told(grantOf('mary', 'thing#gone'))],
];

/** What no schema takes; it does nothing to messages that have no such thing. */
const SPOILT: readonly (readonly [what: string, spoil: (message: Message) => unknown])[] = [
  ['a message without an id', ({ event }) => delete event.header.messageId],
  ['an id with a space in it', ({ event }) => set(event.header, 'messageId', 'a b')],
  ['a version that is a number', ({ event }) => set(event.header, 'payloadVersion', 3)],
  ['an unknown member of the header', ({ event }) => set(event.header, 'extra', '')],
  ['an unknown member of the event', ({ event }) => set(event, 'extra', '')],
  ['a message without payload', ({ event }) => delete event.payload],
  ['an endpoint with an empty id', ({ event }) => set(event.endpoint, 'endpointId', '')],
  ['an unknown type of error', ({ event }) => event.payload.type && set(event.payload, 'type', 'OOPS')],
  ['a property at no time', ({ context }) => delete context?.properties[0]?.timeOfSample],
  ['the 30th of February', ({ context }) => set(context?.properties[0], 'timeOfSample', '2026-02-30T12:00:00Z')],
  ['half a per cent', ({ context }) => set(context?.properties.find(isBrightness), 'value', 40.5)],
  ['a change without a cause', ({ event }) => delete event.payload.change?.cause],
  ['an endpoint without a name', ({ event }) => delete event.payload.endpoints?.[0]?.friendlyName],
  ['a category twice', ({ event }) => event.payload.endpoints?.[0]?.displayCategories?.push('LIGHT')],
  [
    'a property of another interface',
    ({ event }) => set(supportedBy(event.payload.endpoints?.[0]), 'name', 'rainfall'),
  ],
];
const set = (object: object | undefined, member: string, value: unknown) =>
  object && Object.assign(object, { [member]: value });
const isBrightness = ({ name }: { name: string }) => name === 'brightness';
const supportedBy = (endpoint: Message) => endpoint?.capabilities?.[1].properties.supported[0];

function refuses(read: (message: Message) => unknown, message: Message): boolean {
  try {
    read(message);
    return false;
  } catch {
    return true;
  }
}

describe(`by ${SCHEMAS}`, () => {
  it.each(SENT)('%s is taken', async (name, send) => expect(nameOf(await send())).toBe(name));

  it.each(SPOILT)('%s is refused in every message that may have it', async (_, spoil) => {
    const tried: string[] = [];
    for (const [name, send] of SENT) {
      const message = await send();
      const spoilt = structuredClone(message);
      spoil(spoilt);
      if (JSON.stringify(spoilt) === JSON.stringify(message)) continue;
      tried.push(name);
      const read = REPORTS.includes(name) ? readReport : readAnswer;
      expect([name, refuses(read, spoilt)]).toEqual([name, true]);
      if (published?.has(name)) expect([name, refuses((each) => published?.check(each), spoilt)]).toEqual([name, true]);
    }
    expect(tried).not.toEqual([]);
  });

  it.each(FAILURES)('an error may be of the type %s', (type) => {
    const validRange = { minimumValue: 0, maximumValue: 100 };
    const failure = { type, message: 'because', ...(type === 'VALUE_OUT_OF_RANGE' && { validRange }) };

    readAnswer(errorResponse(failure, { messageId: 'id', correlationToken: 'correlation', endpointId: 'lamp' }));
  });

  it('every directive has an answer, with and without what it should have', async () => {
    const names = [
      ...DIRECTIVES,
      ...['Discovery.Discover', 'Authorization.AcceptGrant', 'X.Y'].map((name) => `Alexa.${name}`),
    ];
    const scope = { type: 'BearerToken', token: 'token of mary' };
    const endpoints = [undefined, ...['lamp', 'other', ''].map((endpointId) => ({ scope, endpointId }))];
    const payloads = [
      ...[undefined, 'text', {}, { brightness: 70, brightnessDelta: 5 }, { brightness: 101, brightnessDelta: -101 }],
      { scope, grant: { type: 'OAuth2.AuthorizationCode', code: 'code' }, grantee: scope },
    ];
    const bodies = endpoints.flatMap((endpoint) => payloads.map((payload) => ({ endpoint, payload })));
    const answers = new Set<string>();
    for (const name of names) {
      const [, namespace, operation] = /^(.*)\.(\w+)$/.exec(name) ?? [];
      for (const correlationToken of [undefined, 'correlation']) {
        const header = { namespace, name: operation, payloadVersion: '3', messageId: 'm-1', correlationToken };
        for (const body of bodies) answers.add(nameOf(await voiceWorld().invoke({ header, ...body })));
      }
    }
    const expected = SENT.map(([name]) => name).filter((name) => !REPORTS.includes(name));
    expect([...answers].sort()).toEqual(expected.sort());
  });

  it('a site of 300 things becomes reports that are not too large', async () => {
    const world = reportsWorld();
    const names = Array.from({ length: 300 }, (_, index) => `farm-${'n'.repeat(56)}${100 + index}`);
    for (const name of names) world.things.set(name, lamp(name, LARGEST));
    world.grant('mary', { kind: 'site', name: 'farm' });

    expect(await world.deliver(grantOf('mary', 'site#farm'))).toBe(0);

    const told = world.messages.flatMap(({ event }) => event.payload.endpoints);
    expect(told.map(({ endpointId }) => endpointId).sort()).toEqual(names);
  });
});
