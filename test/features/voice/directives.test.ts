/** Someone speaks to Alexa, and Alexa to the platform: with tokens of its own client, about things on MQTT. */
import { type Speaker, startVoice, type VoicePlatform } from './voice-platform.ts';

let platform: VoicePlatform;
let mary: Speaker;

beforeAll(async () => {
  platform = await startVoice();
  mary = await platform.newSpeaker();
});
afterAll(() => platform?.stop());

// biome-ignore lint/suspicious/noExplicitAny: whatever came.
const errorOf = ({ event }: any) => event.payload.type ?? event.header.name;
// biome-ignore lint/suspicious/noExplicitAny: whatever came.
const stateIn = ({ context }: any) =>
  Object.fromEntries(context.properties.map(({ name, value }: { name: string; value: unknown }) => [name, value]));

describe('Alexa', () => {
  it('finds the lamp of a person, turns it on, dims it, and says how it is', async () => {
    await platform.newLamp('bedside');
    await platform.grant(mary.person, { kind: 'thing', name: 'bedside' }, 'owner');

    expect(await mary.discover()).toEqual(['bedside']);
    const on = await mary.say('bedside', 'Alexa.PowerController.TurnOn');
    expect(stateIn(on)).toEqual({ powerState: 'ON', brightness: 40, connectivity: { value: 'OK' } });
    const dimmed = await mary.say('bedside', 'Alexa.BrightnessController.AdjustBrightness', { brightnessDelta: -15 });
    expect(stateIn(dimmed)).toMatchObject({ brightness: 25 });
    const state = await mary.say('bedside', 'Alexa.ReportState');
    expect(stateIn(state)).toEqual({ powerState: 'ON', brightness: 25, connectivity: { value: 'OK' } });
    expect(await platform.shadow('bedside')).toMatchObject({
      state: { desired: { power: true, brightness: 25 }, reported: { power: true, brightness: 25 } },
    });
  });

  it('is told after six seconds that a lamp has not done it, and nothing stays desired', async () => {
    await platform.newLamp('stuck', { obeys: false });
    await platform.grant(mary.person, { kind: 'thing', name: 'stuck' }, 'owner');

    expect(errorOf(await mary.say('stuck', 'Alexa.PowerController.TurnOn'))).toBe('ENDPOINT_UNREACHABLE');

    expect((await platform.shadow('stuck'))?.state).not.toHaveProperty('desired');
  });

  it('is told at once that a lamp is offline, and it is not asked', async () => {
    const { client } = await platform.newLamp('gone');
    await platform.grant(mary.person, { kind: 'thing', name: 'gone' }, 'owner');
    await platform.lose(client);
    await platform.until(async () => {
      expect(await platform.thingRow('gone')).toMatchObject({ presence: { connected: false } });
    });

    expect(errorOf(await mary.say('gone', 'Alexa.PowerController.TurnOn'))).toBe('ENDPOINT_UNREACHABLE');
    const state = stateIn(await mary.say('gone', 'Alexa.ReportState'));
    expect(state).toEqual({ powerState: 'OFF', brightness: 40, connectivity: { value: 'UNREACHABLE' } });
    expect((await platform.shadow('gone'))?.state).not.toHaveProperty('desired');
  });

  it('gets nothing of a thing from strangers, from people whose access has ended, and no change from viewers', async () => {
    await platform.newLamp('kitchen');
    const john = await platform.newSpeaker({ events: false });
    const target = { kind: 'thing', name: 'kitchen' } as const;
    const ask = async () => [
      await john.discover(),
      errorOf(await john.say('kitchen', 'Alexa.ReportState')),
      errorOf(await john.say('kitchen', 'Alexa.PowerController.TurnOn')),
    ];

    expect(await ask()).toEqual([[], 'NO_SUCH_ENDPOINT', 'NO_SUCH_ENDPOINT']);
    await platform.grant(john.person, target, 'viewer');
    expect(await ask()).toEqual([['kitchen'], 'StateReport', 'NO_SUCH_ENDPOINT']);
    await platform.grant(john.person, target, 'controller');
    expect(await ask()).toEqual([['kitchen'], 'StateReport', 'Response']);
    await platform.revoke(john.person, target);
    expect(await ask()).toEqual([[], 'NO_SUCH_ENDPOINT', 'NO_SUCH_ENDPOINT']);
  });

  it('reads the sensors of a weather station', async () => {
    const { client } = await platform.newLamp('station', {
      description: {
        ...{ model: 'weather-station', hardwareRevision: 'B', serial: 'WS-1', firmwareVersion: '1.4.0' },
        sensors: [{ name: 'temperature', unit: 'Cel' }, { name: 'contact' }],
      },
      reported: {} as never,
    });
    await platform.grant(mary.person, { kind: 'thing', name: 'station' }, 'viewer');
    await client.tryPublish('device/station/sensor/temperature/v1', JSON.stringify({ value: 21.5, unit: 'Cel' }));
    await client.tryPublish('device/station/sensor/contact/v1', JSON.stringify({ value: false }));

    await platform.until(async () => {
      expect(stateIn(await mary.say('station', 'Alexa.ReportState'))).toEqual({
        temperature: { value: 21.5, scale: 'CELSIUS' },
        detectionState: 'DETECTED',
        connectivity: { value: 'OK' },
      });
    });
  });
});

describe('a token', () => {
  const tampered = (token: string): string => {
    const [head, body = '', signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url');
    return `${head}.${changed}.${signature}`;
  };
  const unsigned = (token: string): string => {
    const head = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    return `${head}.${token.split('.')[1]}.`;
  };

  it.each([
    ['of the app', () => mary.appTokens().access],
    ['for identification', () => mary.appTokens().id],
    ['that was changed', () => tampered(mary.token)],
    ['without signature', () => unsigned(mary.token)],
    ['that is none', () => 'Bearer'],
  ])('%s is not one of Alexa', async (_, token) => {
    const answer = await mary.say('bedside', 'Alexa.ReportState', {}, token());

    expect(errorOf(answer)).toBe('INVALID_AUTHORIZATION_CREDENTIAL');
  });

  it('of Alexa is none for the REST API', async () => {
    expect((await mary.call('GET', '/things', undefined, { token: mary.token })).status).toBe(401);
  });

  // The last: it lets time pass for everything else here.
  it('that has expired is told to be so', async () => {
    const john = await platform.newSpeaker({ events: false });
    await platform.advance(3601);

    expect(errorOf(await john.say('bedside', 'Alexa.ReportState'))).toBe('EXPIRED_AUTHORIZATION_CREDENTIAL');
  });
});
