/** Someone types a code, labels the lamp, speaks to it, shares it with someone else, and gives it up: Alexa follows. */
import { pairingDevice } from '../pairing/pairing-device.ts';
import { startVoice, type VoicePlatform } from './voice-platform.ts';

let platform: VoicePlatform;

beforeAll(async () => {
  platform = await startVoice();
});
afterAll(() => platform?.stop());

const told = (person: string) => platform.amazon.reportsFor(person).map(({ event }) => event.header.name);

it('Alexa has a lamp from the moment it is paired until it is given up', async () => {
  const lamp = await platform.newLamp('terrace');
  const [mary, john] = [await platform.newSpeaker(), await platform.newSpeaker()];
  await lamp.client.endAsync();
  const device = await pairingDevice(platform, lamp.device);
  await device.client.trySubscribe('$aws/things/terrace/shadow/update/delta');
  device.client.on('message', (topic, payload) => {
    if (topic.endsWith('/delta')) void lamp.answer(device.client, payload);
  });

  expect(await mary.call('POST', '/pairings', { code: await device.code() })).toMatchObject({ status: 201 });
  await platform.until(() => expect(told(mary.person)).toEqual(['AddOrUpdateReport']));
  expect(await mary.call('PATCH', '/things/terrace', { label: 'Terrace light' })).toMatchObject({ status: 200 });
  const found = await mary.endpoints();
  expect(found).toMatchObject([{ endpointId: 'terrace', friendlyName: 'Terrace light' }]);
  await platform.until(async () => {
    expect(await platform.thingRow('terrace')).toMatchObject({ presence: { connected: true } });
  });
  expect((await mary.say('terrace', 'Alexa.PowerController.TurnOn')).event.header.name).toBe('Response');
  await platform.until(() => expect(told(mary.person)).toEqual(['AddOrUpdateReport', 'ChangeReport']));

  const { body } = await mary.call('POST', '/things/terrace/invitations', { role: 'viewer' });
  expect(await john.call('POST', '/invitations', { token: body.token })).toMatchObject({ status: 201 });
  await platform.until(() => expect(told(john.person)).toEqual(['AddOrUpdateReport']));
  expect(await john.endpoints()).toMatchObject([{ endpointId: 'terrace', friendlyName: 'Terrace light' }]);

  expect((await mary.call('DELETE', '/things/terrace/grant')).status).toBe(204);
  await platform.until(() => {
    expect(told(mary.person)).toContain('DeleteReport');
    expect(told(john.person)).toEqual(['AddOrUpdateReport', 'DeleteReport']);
  });
  expect(await mary.endpoints()).toEqual([]);
  expect(platform.amazon.malformed).toEqual([]);
});

it('a person who leaves for good leaves no token', async () => {
  const anne = await platform.newSpeaker();
  expect(await platform.tokensAtRest()).toContain(anne.person);
  expect((await anne.call('GET', '/me/export')).body.voice).toEqual({ linkedAt: expect.any(Number) });

  expect((await anne.call('DELETE', '/me?confirm=delete-my-account')).status).toBe(204);

  await platform.until(async () => expect(await platform.tokensAtRest()).not.toContain(anne.person));
});
