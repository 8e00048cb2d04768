/** Who I am, which identity my apps have, what is stored about me, and leaving for good. */
import { CognitoIdentityProviderClient, GlobalSignOutCommand } from '@aws-sdk/client-cognito-identity-provider';
import { identityKey } from '@thingstead/contracts/grants';
import { turnKey } from '@thingstead/contracts/ownership';
import { WebSocketRefused } from '../../support/mqtt-websocket.ts';
import type { Person } from '../../support/person.ts';
import { unique } from '../../support/unique-name.ts';
import { type PairingPlatform, startPairingPlatform } from '../pairing/pairing-platform.ts';
import { type AccessRows, accessRows } from './access-platform.ts';

let pairing: PairingPlatform;
let platform: PairingPlatform['platform'];
let rows: AccessRows;

beforeAll(async () => {
  pairing = await startPairingPlatform();
  ({ platform } = pairing);
  rows = accessRows(platform);
});
afterAll(() => platform.stop());

const DELETE = '/me?confirm=delete-my-account';

describe('my identity', () => {
  it('is named by my app with its ID token, and is mine from then on', async () => {
    const person = await pairing.person();
    expect((await person.call('GET', '/me')).body).toEqual({ person: person.person, groups: [] });

    const named = await person.call('PUT', '/me/identity', { idToken: person.tokens().id });

    const identityId = await person.identityId();
    expect(named).toMatchObject({ status: 200, body: { identityId, clientIdPrefix: `${identityId}-` } });
    expect((await person.call('GET', '/me')).body).toEqual({ person: person.person, groups: [], identityId });
    expect((await person.call('PUT', '/me/identity', { idToken: person.tokens().id })).body).toEqual(named.body);
    expect(await pairing.accessRow(identityKey(identityId))).toMatchObject({ person: person.person });
  });

  it('is named by several of my apps at the same time', async () => {
    const person = await pairing.person();
    const idToken = person.tokens().id;

    const answers = await Promise.all(Array.from({ length: 5 }, () => person.call('PUT', '/me/identity', { idToken })));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });

  it('is taken from nothing but an ID token of mine, of this app, whose sign-in holds', async () => {
    const [person, other] = [await pairing.person(), await pairing.person()];
    const refused = async (idToken: string) => (await person.call('PUT', '/me/identity', { idToken })).status;
    const [header, claims, signature] = person.tokens().id.split('.');
    const forged = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()), exp: 9_999_999_999 }),
    ).toString('base64url');

    expect(await refused(other.tokens().id)).toBe(403);
    expect(await refused(person.tokens().access)).toBe(403);
    expect(await refused('abc')).toBe(403);
    expect(await refused(`${header}.${forged}.${signature}`)).toBe(403);
    expect(await refused(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`)).toBe(403);
    const identityId = await other.identityId();
    expect((await person.call('PUT', '/me/identity', { idToken: person.tokens().id, identityId })).status).toBe(400);
    const users = new CognitoIdentityProviderClient(platform.config);
    await users.send(new GlobalSignOutCommand({ AccessToken: person.tokens().access }));
    expect(await refused(person.tokens().id)).toBe(403);
    expect((await pairing.accessRow(identityKey(await other.identityId())))?.person).toBeUndefined();
  });
});

describe('what is stored about me', () => {
  it('I get: account, rows, channels and what I want to be told; no secret, and nothing of others', async () => {
    const [person, other] = [await pairing.person(), await pairing.person()];
    const device = await pairing.paired('mine', person);
    await pairing.share(person, `/things/${device.thing}`, other, { role: 'viewer' });
    const channel = { type: 'sms', number: '+4915112345678' };
    await rows.askChannels({ action: 'put-channel', person: person.person, channel });
    const identityId = await person.identify();
    await platform.idle();
    await (await person.connect('tab1')).end();
    await platform.idle();

    const { status, body } = await person.call('GET', '/me/export');

    expect(status).toBe(200);
    expect(body.account.attributes).toMatchObject({ email: person.email, email_verified: 'true' });
    expect(body.rows).toContainEqual(expect.objectContaining({ target: `thing#${device.thing}`, role: 'owner' }));
    expect(body.rows).toContainEqual(expect.objectContaining({ clientId: `${identityId}-tab1` }));
    expect(body.voice).toBeUndefined();
    expect(body.notices).toMatchObject({ channels: [{ type: 'sms', to: '+4915112345678' }], preferences: {} });
    const text = JSON.stringify(body);
    expect(text).not.toContain(other.person);
    expect(text).not.toContain(other.email);
    expect(text).not.toMatch(/password|secret|token|hash/i);
  });
});

describe('leaving for good', () => {
  it('gives up what I own, ends what I have of others, and leaves nothing of me', async () => {
    const [person, other] = [await pairing.person(), await pairing.person()];
    const mine = await pairing.paired('given', person);
    const theirs = await pairing.paired('lent', other);
    await pairing.share(person, `/things/${mine.thing}`, other, { role: 'controller' });
    await pairing.share(other, `/things/${theirs.thing}`, person, { role: 'viewer' });
    await rows.askChannels({
      action: 'put-channel',
      person: person.person,
      channel: { type: 'email', address: 'me@example.com' },
    });
    const identityId = await person.identify();
    await platform.idle();
    const client = await person.connect('tab1', { connect: { keepalive: 0 } });
    expect(await client.subscribe(`device/${mine.thing}/sensor/+/v1`)).toBe('accepted');

    expect((await person.call('DELETE', DELETE)).status).toBe(204);
    await client.closed;
    await platform.idle();

    expect(await pairing.ownerOf({ kind: 'thing', name: mine.thing })).toBeUndefined();
    expect((await other.call('GET', `/things/${mine.thing}`)).status).toBe(404);
    expect((await other.call('GET', `/things/${theirs.thing}/grants`)).body.grants).toHaveLength(1);
    // For an hour, so that no request that was under way gives them anything.
    expect(await rows.rows(person.person)).toEqual([
      {
        ...turnKey(person.person),
        turn: expect.any(Number),
        closedUntil: expect.any(Number),
        expiresAt: expect.any(Number),
      },
    ]);
    expect(await rows.rowsOf(identityKey(identityId).pk)).toEqual([]);
    expect(await rows.policies(person.person)).toEqual({});
    expect([...(await rows.watchers(mine.thing)), ...(await rows.watchers(theirs.thing))]).toEqual([
      `person#${other.person}`,
    ]);
    expect(await rows.askChannels({ action: 'list-channels', person: person.person })).toEqual({
      ok: true,
      channels: [],
    });
    await expect(person.connect()).rejects.toBeDefined();
    await expect(person.refresh()).rejects.toBeDefined();
    expect((await person.call('PUT', '/me/identity', { idToken: person.tokens().id })).status).toBe(403);
    // Whoever has not got the answer asks again.
    expect((await person.call('DELETE', DELETE)).status).toBe(204);
    // The next owner of the device finds it free.
    const next = await pairing.person();
    expect((await next.call('POST', '/pairings', { code: await mine.code() })).status).toBe(201);
  });

  it('is confirmed, and not for the owner of a site: nothing has changed then', async () => {
    const [person, operator] = [await pairing.person(), await pairing.person(['operator'])];
    const site = unique('macdonald');
    const mine = await pairing.paired('kept', person);
    const put = await operator.call('PUT', `/operator/sites/${site}`, { owner: person.person });
    expect(put.status).toBe(200);

    expect((await person.call('DELETE', '/me')).status).toBe(400);
    const refused = await person.call('DELETE', DELETE);

    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining(site) } });
    expect(await pairing.ownerOf({ kind: 'thing', name: mine.thing })).toBe(person.person);
    expect((await person.refresh()).access).toBeDefined();
  });

  it('ends what I am about to begin: an app that connects as the account goes does not stay', async () => {
    const person = await pairing.person();
    const mine = await pairing.paired('raced', person);
    const identityId = await person.identify();
    await platform.idle();
    // The event of the connection is late: its row comes when nothing else of the person is there.
    const topic = `$aws/events/presence/connected/${identityId}-late`;
    await platform.faults([{ at: 'event', match: { topic }, do: 'delay', delaySeconds: 60 }]);
    const client = await person.connect('late', { connect: { keepalive: 0 } });
    expect(await client.subscribe(`device/${mine.thing}/sensor/+/v1`)).toBe('accepted');

    expect((await person.call('DELETE', DELETE)).status).toBe(204);
    await platform.faults([]);
    await platform.advance(61);

    await client.closed;
    expect(await rows.rowsOf(identityKey(identityId).pk)).toEqual([]);
  });
});

describe('several apps', () => {
  it('of one person have client ids of their own, and do not end each other', async () => {
    const person: Person = await pairing.person();
    await pairing.paired('family', person);
    await person.identify();
    await platform.idle();
    const [phone, tablet] = [await person.connect('phone'), await person.connect('tablet')];

    await phone.ping();
    await tablet.ping();
    const again = await person.connect('phone');
    await phone.closed;
    await again.ping();
    await expect(person.connect('x', { clientId: `${await person.identityId()}` })).rejects.toBeInstanceOf(
      WebSocketRefused,
    );
  });
});
