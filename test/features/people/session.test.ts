/** Signing in with the client package: what a page, the command line and the example do. */
import { createClient } from '@thingstead/client';
import {
  createSession,
  credentialsFor,
  SignInError,
  signedMqttUrl,
  type UserPool,
  userPool,
} from '@thingstead/client/people';
import { newPerson, PASSWORD } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { signedWebSocketUrl } from '../../support/websocket-url.ts';

let platform: Platform;
let pool: UserPool;
beforeAll(async () => {
  platform = await startPlatform();
  const { output, config } = platform;
  pool = userPool({ userPoolId: output('UserPoolId'), appClientId: output('AppClientId'), endpoint: config.endpoint });
});
afterAll(() => platform?.stop());

describe('the user pool', () => {
  it('gives tokens for a password that never leaves the app', async () => {
    const { email, person } = await newPerson(platform);
    const sent: string[] = [];
    const { output, config } = platform;
    const listened = userPool({
      ...{ userPoolId: output('UserPoolId'), appClientId: output('AppClientId'), endpoint: config.endpoint },
      fetch: (input, init) => {
        sent.push(String(init?.body));
        return fetch(input, init);
      },
    });

    // The padding of numbers shows only now and then: many sign-ins see each kind.
    for (let times = 0; times < 8; times += 1) {
      const { access } = await listened.signIn({ email, password: PASSWORD });
      expect(JSON.parse(atob(access.split('.')[1] ?? '')).sub).toBe(person);
    }
    expect(sent.join()).not.toContain(PASSWORD);
  });

  it('says no in its own words', async () => {
    const { email } = await newPerson(platform);
    const refused = pool.signIn({ email, password: 'Wrong-Horse-Battery-1' });
    await expect(refused).rejects.toBeInstanceOf(SignInError);
    await expect(refused).rejects.toMatchObject({ code: 'NotAuthorizedException' });
    await expect(pool.signUp({ email, password: PASSWORD })).rejects.toMatchObject({ code: 'UsernameExistsException' });
    await expect(pool.confirmSignUp({ email: 'nobody@example.com', code: '1' })).rejects.toBeInstanceOf(SignInError);
  });

  it('ends a sign-in that its owner has ended', async () => {
    const { email } = await newPerson(platform);
    const tokens = await pool.signIn({ email, password: PASSWORD });
    await pool.signOut(tokens);
    await expect(pool.refresh(tokens)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  });
});

describe('a session', () => {
  it('outlives its tokens', async () => {
    const { email, person } = await newPerson(platform);
    const kept: string[] = [];
    const session = createSession({
      pool,
      tokens: await pool.signIn({ email, password: PASSWORD }),
      changed: ({ access }) => void kept.push(access),
    });
    const { getMe } = createClient({ baseUrl: platform.output('ApiUrl'), token: session.accessToken });

    await platform.advance(1000);
    const found = await Promise.allSettled([getMe(), getMe(), getMe()]);

    // Three requests were refused together, and the pool was asked once.
    expect(kept).toHaveLength(1);
    for (const each of found) expect(each).toMatchObject({ status: 'fulfilled', value: { person } });
  });
});

describe('the address for MQTT', () => {
  it('is signed as another hand signs it', async () => {
    const { email } = await newPerson(platform);
    const { id } = await pool.signIn({ email, password: PASSWORD });
    const { output, config } = platform;
    const pools = {
      identityPoolId: output('IdentityPoolId'),
      userPoolId: output('UserPoolId'),
      endpoint: config.endpoint,
    };
    const { credentials } = await credentialsFor(pools, id);
    const signedAt = new Date(Date.UTC(2026, 10, 1, 2, 3, 4, 5));
    const to = {
      endpoint: 'https://abc-ats.iot.eu-central-1.amazonaws.com',
      region: 'eu-central-1',
      credentials,
      signedAt,
    };

    const url = await signedMqttUrl(to);

    const members = (text: string) => Object.fromEntries(new URL(text).searchParams);
    expect(members(url)).toEqual(members(signedWebSocketUrl(to)));
    expect(url).toMatch(/^wss:\/\/abc-ats\.iot\.eu-central-1\.amazonaws\.com\/mqtt\?/);
  });
});
