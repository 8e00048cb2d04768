/** A new person's way to the API: a user pool that lets them in, tokens the API takes, credentials for MQTT that open nothing yet. */
import { newPerson } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.stop());

describe('somebody who signs up', () => {
  it('gets tokens that the API takes, until they are changed', async () => {
    const mary = await newPerson(platform);
    const { access } = mary.tokens();

    expect((await mary.call('GET', '/nowhere')).status).toBe(404);
    expect((await mary.call('GET', '/nowhere', undefined, { token: null })).status).toBe(404);
    expect(JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      sub: mary.person,
      token_use: 'access',
    });
    expect((await mary.refresh()).access).not.toBe(access);
  });

  it('has an identity that is theirs alone, whose credentials do not connect before the platform knows it', async () => {
    const [mary, john] = await Promise.all([newPerson(platform), newPerson(platform, { groups: ['operator'] })]);

    expect(await mary.identityId()).not.toBe(await john.identityId());
    await expect(mary.connect()).rejects.toMatchObject({ name: 'WebSocketRefused' });
  });
});
