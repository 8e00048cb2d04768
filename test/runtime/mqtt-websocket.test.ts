/** MQTT over WebSocket, signed with Signature Version 4: who may connect, and what people of an identity pool may do. */
import { request } from 'node:http';
import { AttachPolicyCommand, CreatePolicyCommand, DetachPolicyCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { adminOf, IDENTITY_POOLS, publicClient, signInBySrp, tokensOf, USER_POOLS } from '../support/cognito.ts';
import { connectOverWebSocket, type WebSocketClient, type WebSocketOptions } from '../support/mqtt-websocket.ts';
import { roleConfig } from '../support/role-config.ts';
import type { Runtime } from '../support/runtime.ts';
import { untilItPasses } from '../support/until-it-passes.ts';
import { type SigningCredentials, signedWebSocketUrl } from '../support/websocket-url.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const PASSWORD = 'Correct-Horse-1';
const ARN = 'arn:aws:iot:us-east-1:123456789012';
const SUB = `\${cognito-identity.amazonaws.com:sub}`;
const COGNITO = 'cognito-identity.amazonaws.com';

function policy(...statements: readonly object[]) {
  return { Version: '2012-10-17', Statement: statements.map((each) => ({ Effect: 'Allow', ...each })) };
}

const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool')
  .add('App', 'AWS::Cognito::UserPoolClient', { UserPoolId: { Ref: 'People' } })
  .add('Identities', 'AWS::Cognito::IdentityPool', {
    AllowUnauthenticatedIdentities: true,
    CognitoIdentityProviders: [
      { ClientId: { Ref: 'App' }, ProviderName: { 'Fn::GetAtt': ['People', 'ProviderName'] } },
    ],
  })
  .add('Attachment', 'AWS::Cognito::IdentityPoolRoleAttachment', {
    IdentityPoolId: { Ref: 'Identities' },
    Roles: { authenticated: arnOf('person'), unauthenticated: arnOf('guest') },
  })
  .addOutput('UserPoolId', { Ref: 'People' })
  .addOutput('ClientId', { Ref: 'App' })
  .addOutput('Provider', { 'Fn::GetAtt': ['People', 'ProviderName'] })
  .addOutput('Identities', { Ref: 'Identities' });

function addRole(id: string, amr: string, ...statements: readonly object[]): void {
  const Condition = {
    StringEquals: { [`${COGNITO}:aud`]: { Ref: 'Identities' } },
    'ForAnyValue:StringLike': { [`${COGNITO}:amr`]: amr },
  };
  const Principal = { Federated: COGNITO };
  assembly.add(id, 'AWS::IAM::Role', {
    RoleName: id,
    AssumeRolePolicyDocument: policy({ Principal, Action: 'sts:AssumeRoleWithWebIdentity', Condition }),
    Policies: [{ PolicyName: 'iot', PolicyDocument: policy(...statements) }],
  });
}
addRole(
  'person',
  'authenticated',
  { Action: 'iot:Connect', Resource: [`${ARN}:client/${SUB}-*`, `${ARN}:client/role-only`] },
  { Action: ['iot:Publish', 'iot:Receive'], Resource: [`${ARN}:topic/room/*`, `${ARN}:topic/role-only`] },
  { Action: 'iot:Subscribe', Resource: [`${ARN}:topicfilter/room/*`, `${ARN}:topicfilter/role-only`] },
);
addRole(
  'guest',
  'unauthenticated',
  { Action: 'iot:Connect', Resource: `${ARN}:client/guest-*` },
  { Action: 'iot:Publish', Resource: `${ARN}:topic/guestbook` },
);

let runtime: Runtime;
let outputs: Readonly<Record<string, string>>;
let iot: IoTClient;
let operator: IoTDataPlaneClient;

beforeAll(async () => {
  runtime = await assembly.start();
  outputs = runtime.endpoints.outputs.Test ?? {};
  iot = new IoTClient(runtime.config);
  operator = new IoTDataPlaneClient(runtime.config);
  const document = policy(
    { Action: 'iot:Connect', Resource: [`${ARN}:client/${SUB}-*`, `${ARN}:client/policy-only`] },
    { Action: ['iot:Publish', 'iot:Receive'], Resource: [`${ARN}:topic/room/${SUB}`, `${ARN}:topic/policy-only`] },
    { Action: 'iot:Subscribe', Resource: [`${ARN}:topicfilter/room/*`, `${ARN}:topicfilter/policy-only`] },
  );
  await iot.send(new CreatePolicyCommand({ policyName: 'people', policyDocument: JSON.stringify(document) }));
});
afterEach(() => Promise.all(opened.splice(0).map((client) => client.end())));
afterAll(() => runtime?.stop());

const opened: WebSocketClient[] = [];
async function connect(
  credentials: SigningCredentials,
  clientId: string,
  more: Partial<WebSocketOptions> = {},
): Promise<WebSocketClient> {
  const { endpoint, region } = runtime.config;
  const client = await connectOverWebSocket({ endpoint, region, credentials, clientId, ...more });
  opened.push(client);
  return client;
}

interface Person {
  readonly identityId: string;
  readonly credentials: Required<SigningCredentials>;
}

/** Asks the identity pool, with the ID token of who has signed in, or as a guest. */
async function identityOf(idToken?: string): Promise<Person> {
  const pools = publicClient(runtime, IDENTITY_POOLS);
  const Logins = idToken === undefined ? {} : { [outputs.Provider ?? '']: idToken };
  const { IdentityId } = await pools('GetId', { IdentityPoolId: outputs.Identities, Logins });
  const { Credentials } = await pools('GetCredentialsForIdentity', { IdentityId, Logins });
  const { AccessKeyId = '', SecretKey = '', SessionToken = '' } = Credentials as Readonly<Record<string, string>>;
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretKey, sessionToken: SessionToken };
  return { identityId: String(IdentityId), credentials };
}

let count = 0;
/** Somebody new, signed in with SRP; the IoT policy is attached unless the test says otherwise. */
async function signedIn({ attached = true } = {}): Promise<Person> {
  count += 1;
  const [admin, Username] = [adminOf(runtime), `person${count}`];
  const { UserPoolId = '', ClientId = '' } = outputs;
  await admin('AdminCreateUser', { UserPoolId, Username, MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { UserPoolId, Username, Password: PASSWORD, Permanent: true });
  const app = publicClient(runtime, USER_POOLS);
  const given = { poolId: UserPoolId, clientId: ClientId, username: Username, password: PASSWORD };
  const person = await identityOf(tokensOf(await signInBySrp(app, given)).IdToken);
  if (attached) await iot.send(new AttachPolicyCommand({ policyName: 'people', target: person.identityId }));
  return person;
}

const refused = (message: string) => expect.objectContaining({ name: 'WebSocketRefused', message });

/** How the server answers an upgrade, which a page is not told. */
function upgradeStatus(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const upgrade = request(url.replace(/^ws/, 'http'), {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': 'mqtt',
        ...headers,
      },
    });
    upgrade.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    upgrade.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    upgrade.on('error', reject);
    upgrade.end();
  });
}

describe.each([
  ['3.1.1', 4],
  ['5', 5],
] as const)('a person who has signed in, over MQTT %s', (_name, version) => {
  it('connects, subscribes, receives and publishes on the topic of their identity, and no other', async () => {
    const [anna, ben] = [await signedIn(), await signedIn()];
    const client = await connect(anna.credentials, `${anna.identityId}-web`, { version });

    expect(await client.subscribe(`room/${anna.identityId}`)).toBe('accepted');
    await operator.send(
      new PublishCommand({ topic: `room/${anna.identityId}`, qos: 1, payload: Buffer.from('hello') }),
    );
    expect(await client.next()).toMatchObject({ topic: `room/${anna.identityId}`, text: 'hello', qos: 1 });
    expect(await client.publish(`room/${anna.identityId}`, 'hello back')).toBe('accepted');
    expect(await client.next(({ text }) => text === 'hello back')).toBeDefined();

    expect(await client.publish(`room/${ben.identityId}`, 'spam')).toBe(version === 4 ? 'closed' : 'not-authorized');
  });

  it('needs what role and IoT policy both allow: for its client id, to publish, to subscribe and to receive', async () => {
    const { identityId, credentials } = await signedIn();
    const denied = version === 4 ? 'closed before CONNACK' : `CONNACK ${0x87}`;

    for (const clientId of ['role-only', 'policy-only', 'another']) {
      await expect(connect(credentials, clientId, { version })).rejects.toEqual(refused(denied));
    }
    const answer = version === 4 ? 'closed' : 'not-authorized';
    for (const topic of ['role-only', 'policy-only']) {
      expect(await (await connect(credentials, `${identityId}-a`, { version })).subscribe(topic)).toBe(answer);
      expect(await (await connect(credentials, `${identityId}-b`, { version })).publish(topic, 'x')).toBe(answer);
    }
    // Both allow the filter; the policy allows to receive from the own room only.
    const client = await connect(credentials, `${identityId}-all`, { version });
    expect(await client.subscribe('room/#')).toBe('accepted');
    await operator.send(new PublishCommand({ topic: 'room/of-another', qos: 1, payload: Buffer.from('secret') }));
    expect(await client.publish(`room/${identityId}`, 'own')).toBe('accepted');
    await client.next(({ text }) => text === 'own');
    expect(client.messages.map(({ text }) => text)).toEqual(['own']);
  });

  it('is kept by its pings, and put out without them', async () => {
    const { identityId, credentials } = await signedIn();
    const options = { version, connect: { keepalive: 30 } };
    const [lively, silent] = await Promise.all(
      ['lively', 'silent'].map((name) => connect(credentials, `${identityId}-${name}`, options)),
    );

    await runtime.advance(40);
    await lively?.ping();
    await runtime.advance(40);

    await silent?.closed;
    await lively?.ping();
  });
});

describe('a person without the IoT policy', () => {
  it('does not connect until it is attached, and not again when it is detached', async () => {
    const { identityId, credentials } = await signedIn({ attached: false });
    const join = () => connect(credentials, `${identityId}-web`);
    await expect(join()).rejects.toEqual(refused('closed before CONNACK'));

    await iot.send(new AttachPolicyCommand({ policyName: 'people', target: identityId }));
    const client = await join();
    await iot.send(new DetachPolicyCommand({ policyName: 'people', target: identityId }));

    // The connection stays, and may do nothing any more.
    expect(await client.publish(`room/${identityId}`, 'x')).toBe('closed');
    await expect(join()).rejects.toEqual(refused('closed before CONNACK'));
  });
});

it('a guest needs the role alone', async () => {
  const { credentials } = await identityOf();

  const client = await connect(credentials, 'guest-1', { version: 5 });

  expect(await client.publish('guestbook', 'I was here')).toBe('accepted');
  expect(await client.publish('elsewhere', 'x')).toBe('not-authorized');
  await expect(connect(credentials, 'not-a-guest')).rejects.toEqual(refused('closed before CONNACK'));
});

it('a role of the account needs no IoT policy', async () => {
  const { credentials } = await roleConfig(runtime, { Action: 'iot:*', Resource: '*' });

  const client = await connect(credentials, 'backend');

  expect(await client.publish('any/topic', 'x')).toBe('accepted');
});

it('a session is resumed with what came meanwhile, and a will is published', async () => {
  const { identityId, credentials } = await signedIn();
  const topic = `room/${identityId}`;
  const [watch, first] = await Promise.all([
    connect(runtime.config.credentials, 'watch'),
    connect(credentials, `${identityId}-web`, { connect: { clean: false } }),
  ]);
  await watch.subscribe(topic);
  await first.subscribe(topic);
  await first.end();
  await operator.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from('while away') }));

  const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: false } as const;
  const again = await connect(credentials, `${identityId}-web`, { connect: { clean: false, will, keepalive: 30 } });

  expect(again.connack.sessionPresent).toBe(true);
  await again.next(({ text }) => text === 'while away');
  await runtime.advance(46);
  await watch.next(({ text }) => text === 'gone');
});

it('a Close frame is a clean end: no will, and the event says so', async () => {
  const ended = '$aws/events/presence/disconnected/page';
  const will = { topic: 'last/words', payload: Buffer.from('gone'), qos: 1, retain: false } as const;
  const watch = await connect(runtime.config.credentials, 'watch');
  await watch.subscribe(ended);
  await watch.subscribe(will.topic);
  const page = await connect(runtime.config.credentials, 'page', { connect: { will } });

  await page.leave();

  // A will is published before the event.
  const { text } = await watch.next(({ topic }) => topic === ended);
  expect(JSON.parse(text)).toMatchObject({
    clientInitiatedDisconnect: true,
    disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
  });
  expect(watch.messages.map(({ topic }) => topic)).toEqual([ended]);
});

it('a connection lives for a day, whatever is sent on it, and its end is told', async () => {
  const client = await connect(runtime.config.credentials, 'day', { connect: { keepalive: 1200 } });
  const ended = '$aws/events/presence/disconnected/day';
  for (let passed = 0; passed < 85_000; passed += 1700) {
    await runtime.advance(1700);
    await client.ping();
  }
  const watch = await connect(runtime.config.credentials, 'watch', { connect: { keepalive: 1200 } });
  await watch.subscribe(ended);

  await runtime.advance(1400);

  await client.closed;
  const { text } = await watch.next(({ topic }) => topic === ended);
  expect(JSON.parse(text)).toMatchObject({ disconnectReason: 'WEBSOCKET_TTL_EXPIRATION' });
});

describe('a signature', () => {
  const url = (more: object = {}) => signedWebSocketUrl({ ...runtime.config, ...more });

  it('is needed, and is refused when any of it is changed, with a status that says so', async () => {
    const { credentials } = await signedIn();
    const good = url({ credentials });
    const changed = (pattern: RegExp, to: string) => good.replace(pattern, to);
    const lastDigit = good.includes('0&X-Amz-Security-Token') ? '1' : '0';

    expect(await upgradeStatus(good)).toBe(101);
    expect(await upgradeStatus(`${new URL(good).origin}/mqtt`)).toBe(403);
    expect(await upgradeStatus(changed(/.(?=&X-Amz-Security-Token)/, lastDigit))).toBe(403);
    expect(await upgradeStatus(changed(/&X-Amz-Security-Token=.*/, ''))).toBe(403);
    expect(await upgradeStatus(changed(/X-Amz-Security-Token=.*/, 'X-Amz-Security-Token=x'))).toBe(403);
    expect(await upgradeStatus(good, { host: 'example.com' })).toBe(403);
    expect(await upgradeStatus(`${good}&X-Amz-Expires=604800`)).toBe(403);
    expect(await upgradeStatus(url({ region: 'eu-west-1' }))).toBe(403);
    expect(await upgradeStatus(good.replace('/mqtt?', '/other?'))).toBe(403);
    await expect(connect({ ...credentials, secretAccessKey: 'wrong' }, 'x')).rejects.toEqual(refused('no WebSocket'));
  });

  it('is used at once: an old one, one of the future and one that has expired are refused', async () => {
    const minutes = (count: number) => ({ signedAt: new Date(Date.now() + count * 60_000) });

    expect(await upgradeStatus(url(minutes(-10)))).toBe(101);
    expect(await upgradeStatus(url(minutes(-20)))).toBe(403);
    expect(await upgradeStatus(url(minutes(20)))).toBe(403);
    expect(await upgradeStatus(url({ ...minutes(-2), expiresSeconds: 60 }))).toBe(403);
  });

  it('ends with the credentials of the identity, after an hour', async () => {
    const { identityId, credentials } = await signedIn();
    await connect(credentials, `${identityId}-web`);

    await runtime.advance(3600);

    expect(await upgradeStatus(url({ credentials }))).toBe(403);
  });
});

it('MQTT is the only thing that is spoken', async () => {
  const good = () => signedWebSocketUrl(runtime.config);
  const text = new WebSocket(good(), 'mqtt');
  const ended = new Promise((resolve) => text.addEventListener('close', resolve));
  await new Promise((resolve) => text.addEventListener('open', resolve));

  text.send('hello');

  await ended;
  await untilItPasses(() => connect(runtime.config.credentials, 'after'), 5, 50);
});
