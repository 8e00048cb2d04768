/** Amazon Cognito identity pools, and what their identities may do at AWS IoT. */
import { AttachPolicyCommand, CreatePolicyCommand, DetachPolicyCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Answer, type AwsJson, awsJsonClient, type Credentials } from '../support/aws-json.ts';
import { adminOf, claimsOf, IDENTITY_POOLS, publicClient, tokensOf, USER_POOLS } from '../support/cognito.ts';
import { roleConfig } from '../support/role-config.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

const PASSWORD = 'Correct-Horse-1';
const ARN = 'arn:aws:iot:us-east-1:123456789012';
const SUB = `\${cognito-identity.amazonaws.com:sub}`;

function trust(amr: string, aud: unknown = { Ref: 'Identities' }) {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: 'cognito-identity.amazonaws.com' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: { 'cognito-identity.amazonaws.com:aud': aud },
          'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': amr },
        },
      },
    ],
  };
}

function policy(...statements: readonly object[]) {
  return { Version: '2012-10-17', Statement: statements.map((each) => ({ Effect: 'Allow', ...each })) };
}

function addRole(assembly: Assembly, id: string, trusts: object, ...statements: readonly object[]): Assembly {
  return assembly.add(id, 'AWS::IAM::Role', {
    RoleName: id,
    AssumeRolePolicyDocument: trusts,
    Policies: [{ PolicyName: 'iot', PolicyDocument: policy(...statements) }],
  });
}

function identityPool(guests: boolean) {
  return {
    AllowUnauthenticatedIdentities: guests,
    CognitoIdentityProviders: [
      { ClientId: { Ref: 'App' }, ProviderName: { 'Fn::GetAtt': ['People', 'ProviderName'] } },
    ],
  };
}

const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool', {})
  .add('App', 'AWS::Cognito::UserPoolClient', {
    UserPoolId: { Ref: 'People' },
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
  })
  .add('OtherApp', 'AWS::Cognito::UserPoolClient', {
    UserPoolId: { Ref: 'People' },
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
  })
  .add('Operators', 'AWS::Cognito::UserPoolGroup', {
    UserPoolId: { Ref: 'People' },
    GroupName: 'operators',
    Precedence: 1,
    RoleArn: { 'Fn::GetAtt': ['operator', 'Arn'] },
  })
  .add('Identities', 'AWS::Cognito::IdentityPool', identityPool(false))
  .add('Guests', 'AWS::Cognito::IdentityPool', identityPool(true))
  .add('Untrusted', 'AWS::Cognito::IdentityPool', identityPool(true))
  .add('Attachment', 'AWS::Cognito::IdentityPoolRoleAttachment', {
    IdentityPoolId: { Ref: 'Identities' },
    Roles: { authenticated: { 'Fn::GetAtt': ['person', 'Arn'] } },
    RoleMappings: {
      userpool: {
        IdentityProvider: { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['People', 'ProviderName'] }, ':', { Ref: 'App' }]] },
        Type: 'Token',
        AmbiguousRoleResolution: 'AuthenticatedRole',
      },
    },
  })
  .add('GuestAttachment', 'AWS::Cognito::IdentityPoolRoleAttachment', {
    IdentityPoolId: { Ref: 'Guests' },
    Roles: { unauthenticated: { 'Fn::GetAtt': ['guest', 'Arn'] }, authenticated: { 'Fn::GetAtt': ['guest', 'Arn'] } },
  })
  .add('UntrustedAttachment', 'AWS::Cognito::IdentityPoolRoleAttachment', {
    IdentityPoolId: { Ref: 'Untrusted' },
    Roles: { unauthenticated: { 'Fn::GetAtt': ['guest', 'Arn'] } },
  });
addRole(
  assembly,
  'person',
  trust('authenticated'),
  { Action: 'iot:Connect', Resource: `${ARN}:client/${SUB}-*` },
  { Action: ['iot:Publish', 'iot:Receive'], Resource: [`${ARN}:topic/room/*`, `${ARN}:topic/role-only`] },
  { Action: 'iot:Subscribe', Resource: `${ARN}:topicfilter/room/*` },
);
addRole(assembly, 'operator', trust('authenticated'), { Action: 'iot:*', Resource: '*' });
addRole(
  assembly,
  'guest',
  trust('unauthenticated', { Ref: 'Guests' }),
  { Action: 'iot:Connect', Resource: `${ARN}:client/guest-*` },
  { Action: 'iot:Publish', Resource: `${ARN}:topic/guestbook` },
);
assembly
  .addOutput('UserPoolId', { Ref: 'People' })
  .addOutput('ClientId', { Ref: 'App' })
  .addOutput('OtherClientId', { Ref: 'OtherApp' })
  .addOutput('Provider', { 'Fn::GetAtt': ['People', 'ProviderName'] })
  .addOutput('Identities', { Ref: 'Identities' })
  .addOutput('Guests', { Ref: 'Guests' })
  .addOutput('Untrusted', { Ref: 'Untrusted' });

let runtime: Runtime;
let outputs: Readonly<Record<string, string>>;
let app: AwsJson;
let identities: AwsJson;
let iot: IoTClient;

beforeAll(async () => {
  runtime = await assembly.start();
  outputs = Object.values(runtime.endpoints.outputs)[0] ?? {};
  app = publicClient(runtime, USER_POOLS);
  identities = publicClient(runtime, IDENTITY_POOLS);
  iot = new IoTClient(runtime.config);
  // More than the role: what both allow is what counts.
  const document = policy(
    { Action: 'iot:Connect', Resource: `${ARN}:client/${SUB}-*` },
    { Action: ['iot:Publish', 'iot:Receive'], Resource: [`${ARN}:topic/room/${SUB}`, `${ARN}:topic/policy-only`] },
    { Action: 'iot:Subscribe', Resource: `${ARN}:topicfilter/room/${SUB}` },
  );
  await iot.send(new CreatePolicyCommand({ policyName: 'people', policyDocument: JSON.stringify(document) }));
});
afterAll(() => runtime?.stop());

const failsAs = (name: string, message: string | RegExp = /./) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

let count = 0;
/** Somebody new with a password. Gives the user name. */
async function newPerson(): Promise<string> {
  count += 1;
  const Username = `person${count}`;
  const admin = adminOf(runtime);
  const { UserPoolId } = outputs;
  await admin('AdminCreateUser', { UserPoolId, Username, MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { UserPoolId, Username, Password: PASSWORD, Permanent: true });
  return Username;
}

async function idTokenOf(username: string, clientId = outputs.ClientId): Promise<string> {
  const AuthParameters = { USERNAME: username, PASSWORD };
  return tokensOf(await app('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: clientId, AuthParameters }))
    .IdToken;
}

function loginsOf(token: string): Readonly<Record<string, string>> {
  return { [outputs.Provider ?? '']: token };
}

interface Person {
  readonly identityId: string;
  readonly credentials: Required<Credentials>;
}

async function credentialsFor(IdentityId: unknown, more: Answer = {}): Promise<Required<Credentials>> {
  const answer = await identities('GetCredentialsForIdentity', { IdentityId, ...more });
  const { AccessKeyId, SecretKey, SessionToken } = answer.Credentials as Readonly<Record<string, string>>;
  return { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretKey ?? '', sessionToken: SessionToken ?? '' };
}

async function signedIn(username: string): Promise<Person> {
  const Logins = loginsOf(await idTokenOf(username));
  const { IdentityId } = await identities('GetId', { IdentityPoolId: outputs.Identities, Logins });
  return { identityId: String(IdentityId), credentials: await credentialsFor(IdentityId, { Logins }) };
}

async function guest(IdentityPoolId = outputs.Guests): Promise<Person> {
  const { IdentityId } = await identities('GetId', { IdentityPoolId });
  return { identityId: String(IdentityId), credentials: await credentialsFor(IdentityId) };
}

const attach = (target: string) => iot.send(new AttachPolicyCommand({ policyName: 'people', target }));
const publish = (credentials: Credentials, topic: string) =>
  new IoTDataPlaneClient({ ...runtime.config, credentials }).send(new PublishCommand({ topic, qos: 1 }));

describe('identities', () => {
  it('are the same for the same user, and another for another', async () => {
    const [anna, ben] = [await newPerson(), await newPerson()];

    const first = await signedIn(anna);

    expect(first.identityId).toMatch(/^us-east-1:[0-9a-f-]{36}$/);
    expect((await signedIn(anna)).identityId).toBe(first.identityId);
    expect((await signedIn(ben)).identityId).not.toBe(first.identityId);
    const sts = new STSClient({ ...runtime.config, credentials: first.credentials });
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      'arn:aws:sts::123456789012:assumed-role/person/CognitoIdentityCredentials',
    );
  });

  it('are not had with a token that is forged, expired, for another client, or an access token', async () => {
    const person = await newPerson();
    const token = await idTokenOf(person);
    const getId = (given: string) =>
      identities('GetId', { IdentityPoolId: outputs.Identities, Logins: loginsOf(given) });
    const [header, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(token), sub: 'someone else' })).toString('base64url');
    const AuthParameters = { USERNAME: person, PASSWORD };
    const ClientId = outputs.ClientId;
    const tokens = tokensOf(await app('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters }));

    await expect(getId(`${header}.${forged}.${signature}`)).rejects.toEqual(failsAs('NotAuthorizedException'));
    await expect(getId(tokens.AccessToken)).rejects.toEqual(failsAs('NotAuthorizedException'));
    await expect(getId(await idTokenOf(person, outputs.OtherClientId))).rejects.toEqual(
      failsAs('NotAuthorizedException', 'audience'),
    );
    await expect(
      identities('GetId', { IdentityPoolId: outputs.Identities, Logins: { 'accounts.google.com': token } }),
    ).rejects.toEqual(failsAs('NotAuthorizedException', 'not from a supported provider'));
    await runtime.advance(3600);
    await expect(getId(token)).rejects.toEqual(failsAs('NotAuthorizedException', 'expired'));
  });

  it("are not another's to use, and not a guest's", async () => {
    const [anna, ben] = [await newPerson(), await newPerson()];
    const { identityId } = await signedIn(anna);

    await expect(credentialsFor(identityId, { Logins: loginsOf(await idTokenOf(ben)) })).rejects.toEqual(
      failsAs('NotAuthorizedException', "Logins don't match"),
    );
    await expect(credentialsFor(identityId)).rejects.toEqual(failsAs('NotAuthorizedException', 'forbidden'));
    await expect(identities('GetId', { IdentityPoolId: outputs.Identities })).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Unauthenticated access is not supported'),
    );
  });

  it('get no credentials from a role that does not trust the pool, or who has signed in', async () => {
    const person = await newPerson();
    const Logins = loginsOf(await idTokenOf(person));
    const { IdentityId } = await identities('GetId', { IdentityPoolId: outputs.Guests, Logins });

    // The role of the guests trusts guests of this pool only.
    await expect(credentialsFor(IdentityId, { Logins })).rejects.toEqual(
      failsAs('InvalidIdentityPoolConfigurationException'),
    );
    await expect(guest(outputs.Untrusted)).rejects.toEqual(failsAs('InvalidIdentityPoolConfigurationException'));
    await guest();
  });

  it('have the role of their group where the token names it', async () => {
    const person = await newPerson();
    const { UserPoolId } = outputs;
    await adminOf(runtime)('AdminAddUserToGroup', { UserPoolId, Username: person, GroupName: 'operators' });

    const { credentials } = await signedIn(person);

    const sts = new STSClient({ ...runtime.config, credentials });
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toContain('assumed-role/operator/');
  });

  it('lose their credentials after an hour', async () => {
    const { credentials } = await signedIn(await newPerson());
    const sts = new STSClient({ ...runtime.config, credentials });
    await sts.send(new GetCallerIdentityCommand({}));

    await runtime.advance(3600);

    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toThrow(/expired/i);
  });

  it('are administered with the permission for the operation and the pool', async () => {
    const Resource = `arn:aws:cognito-identity:us-east-1:123456789012:identitypool/${outputs.Identities}`;
    const { credentials } = await roleConfig(
      runtime,
      { Action: 'cognito-identity:*', Resource },
      { Action: 'iam:PassRole', Resource: 'arn:aws:iam::123456789012:role/other' },
    );
    const limited = awsJsonClient(runtime, IDENTITY_POOLS, credentials);

    await limited('DescribeIdentityPool', { IdentityPoolId: outputs.Identities });
    await expect(limited('DescribeIdentityPool', { IdentityPoolId: outputs.Guests })).rejects.toEqual(
      failsAs('AccessDeniedException'),
    );
    const Roles = { authenticated: 'arn:aws:iam::123456789012:role/operator' };
    await expect(limited('SetIdentityPoolRoles', { IdentityPoolId: outputs.Identities, Roles })).rejects.toEqual(
      failsAs('AccessDeniedException', 'iam:PassRole'),
    );
  });
});

describe('at AWS IoT over HTTPS, an authenticated identity', () => {
  it('publishes where role and IoT policy both allow it, until the policy is detached', async () => {
    const { identityId, credentials } = await signedIn(await newPerson());
    await attach(identityId);
    await expect(publish(credentials, `room/${identityId}`)).resolves.toBeDefined();

    await iot.send(new DetachPolicyCommand({ policyName: 'people', target: identityId }));

    await expect(publish(credentials, `room/${identityId}`)).rejects.toEqual(failsAs('ForbiddenException', ''));
  });

  it('is refused without an IoT policy, where only one of both allows, and on the topic of another', async () => {
    const [anna, ben] = [await signedIn(await newPerson()), await signedIn(await newPerson())];
    await expect(publish(anna.credentials, `room/${anna.identityId}`)).rejects.toEqual(
      failsAs('ForbiddenException', ''),
    );
    await attach(anna.identityId);

    for (const topic of ['role-only', 'policy-only', `room/${ben.identityId}`]) {
      await expect(publish(anna.credentials, topic)).rejects.toEqual(failsAs('ForbiddenException', ''));
    }
  });

  it('is not a guest, who needs the role alone', async () => {
    const { credentials } = await guest();

    await expect(publish(credentials, 'guestbook')).resolves.toBeDefined();
    await expect(publish(credentials, 'elsewhere')).rejects.toEqual(failsAs('ForbiddenException', ''));
  });
});
