/** Amazon Cognito user pools: accounts, passwords, SRP, tokens. */
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { beginSrp } from '../../client/src/people/srp.ts';
import type { Answer, AwsJson } from '../support/aws-json.ts';
import { adminOf, claimsOf, publicClient, signInBySrp, tokensOf, USER_POOLS } from '../support/cognito.ts';
import { roleConfig } from '../support/role-config.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

const PASSWORD = 'Correct-Horse-1';
const DAY = 86_400;

const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool', {
    UsernameAttributes: ['email'],
    AutoVerifiedAttributes: ['email'],
    UsernameConfiguration: { CaseSensitive: false },
    Policies: { PasswordPolicy: { MinimumLength: 10, RequireNumbers: true, TemporaryPasswordValidityDays: 3 } },
    Schema: [{ Name: 'site', AttributeDataType: 'String', Mutable: true }],
    AdminCreateUserConfig: { AllowAdminCreateUserOnly: false },
  })
  .add('App', 'AWS::Cognito::UserPoolClient', {
    UserPoolId: { Ref: 'People' },
    ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_PASSWORD_AUTH'],
    PreventUserExistenceErrors: 'ENABLED',
    AccessTokenValidity: 15,
    TokenValidityUnits: { AccessToken: 'minutes' },
  })
  .add('Server', 'AWS::Cognito::UserPoolClient', {
    UserPoolId: { Ref: 'People' },
    GenerateSecret: true,
    ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH'],
  })
  .add('Operators', 'AWS::Cognito::UserPoolGroup', {
    UserPoolId: { Ref: 'People' },
    GroupName: 'operators',
    Precedence: 1,
    RoleArn: 'arn:aws:iam::123456789012:role/operators',
  })
  .addOutput('PoolId', { Ref: 'People' })
  .addOutput('AppId', { Ref: 'App' })
  .addOutput('ServerId', { Ref: 'Server' })
  .addOutput('ServerSecret', { 'Fn::GetAtt': ['Server', 'ClientSecret'] })
  .addOutput('Provider', { 'Fn::GetAtt': ['People', 'ProviderName'] });

let runtime: Runtime;
let admin: AwsJson;
let app: AwsJson;
let outputs: Readonly<Record<string, string>>;
let UserPoolId: string;
let ClientId: string;

beforeAll(async () => {
  runtime = await assembly.start();
  admin = adminOf(runtime);
  app = publicClient(runtime, USER_POOLS);
  outputs = Object.values(runtime.endpoints.outputs)[0] ?? {};
  UserPoolId = outputs.PoolId ?? '';
  ClientId = outputs.AppId ?? '';
});
afterAll(() => runtime?.stop());

let count = 0;
function newEmail(): string {
  count += 1;
  return `person${count}@example.com`;
}

async function codeFor(email: string): Promise<string> {
  const mail = (await runtime.outbox()).filter(({ destination }) => destination === email).at(-1);
  return mail?.details.code ?? '';
}

/** Someone who has signed up and confirmed. */
async function signedUp(email = newEmail()): Promise<string> {
  await app('SignUp', { ClientId, Username: email, Password: PASSWORD });
  await app('ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: await codeFor(email) });
  return email;
}

/** A pool that keeps an address until the new one is verified. */
async function keepingPool(): Promise<{ readonly UserPoolId: string; readonly ClientId: string }> {
  const { UserPool } = await admin('CreateUserPool', {
    PoolName: 'keeping',
    UsernameAttributes: ['email'],
    AutoVerifiedAttributes: ['email'],
    UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
  });
  const { Id } = UserPool as { readonly Id: string };
  const { UserPoolClient } = await admin('CreateUserPoolClient', { UserPoolId: Id, ClientName: 'app' });
  return { UserPoolId: Id, ClientId: (UserPoolClient as { readonly ClientId: string }).ClientId };
}

const bySrp = (username: string, password = PASSWORD) =>
  signInBySrp(app, { poolId: UserPoolId, clientId: ClientId, username, password });

const byPassword = (username: string, password = PASSWORD) =>
  app('InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId,
    AuthParameters: { USERNAME: username, PASSWORD: password },
  });

const refresh = (token: string) =>
  app('InitiateAuth', { AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId, AuthParameters: { REFRESH_TOKEN: token } });

const failsAs = (name: string, message: string | RegExp = /./) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

describe('people who sign up', () => {
  it('confirm with the code from their mail, sign in with SRP and get tokens of the pool', async () => {
    const email = newEmail();

    const begun = await app('SignUp', { ClientId, Username: email, Password: PASSWORD });
    await expect(bySrp(email)).rejects.toEqual(failsAs('UserNotConfirmedException'));
    await app('ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: await codeFor(email) });
    const { AccessToken, IdToken } = tokensOf(await bySrp(email));

    expect(begun).toMatchObject({
      UserConfirmed: false,
      CodeDeliveryDetails: { Destination: 'p***@e***', DeliveryMedium: 'EMAIL', AttributeName: 'email' },
    });
    const issuer = `https://cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`;
    expect(claimsOf(IdToken)).toMatchObject({
      sub: begun.UserSub,
      'cognito:username': begun.UserSub,
      iss: issuer,
      aud: ClientId,
      token_use: 'id',
      email,
      email_verified: true,
    });
    const access = claimsOf(AccessToken);
    expect(access).toMatchObject({ sub: begun.UserSub, iss: issuer, client_id: ClientId, token_use: 'access' });
    expect(access).toMatchObject({ scope: 'aws.cognito.signin.user.admin', username: begun.UserSub });
    expect(access.aud).toBeUndefined();
    expect(Number(access.exp) - Number(access.iat)).toBe(900);
  });

  it('are refused with a wrong code, a known address, a weak password or an attribute that is not there', async () => {
    const email = newEmail();
    await app('SignUp', { ClientId, Username: email, Password: PASSWORD });

    const wrong = (await codeFor(email)) === '000000' ? '000001' : '000000';
    await expect(app('ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: wrong })).rejects.toEqual(
      failsAs('CodeMismatchException'),
    );
    await expect(app('SignUp', { ClientId, Username: email.toUpperCase(), Password: PASSWORD })).rejects.toEqual(
      failsAs('UsernameExistsException', 'email already exists'),
    );
    await expect(app('SignUp', { ClientId, Username: newEmail(), Password: 'nonumbershere' })).rejects.toEqual(
      failsAs('InvalidPasswordException', 'numeric characters'),
    );
    await expect(app('SignUp', { ClientId, Username: newEmail(), Password: 'sh0rt' })).rejects.toEqual(
      failsAs('InvalidPasswordException', 'not long enough'),
    );
    await expect(app('SignUp', { ClientId, Username: 'no address', Password: PASSWORD })).rejects.toEqual(
      failsAs('InvalidParameterException'),
    );
    const UserAttributes = [{ Name: 'custom:unknown', Value: 'x' }];
    await expect(app('SignUp', { ClientId, Username: newEmail(), Password: PASSWORD, UserAttributes })).rejects.toEqual(
      failsAs('InvalidParameterException', 'custom:unknown'),
    );
    const verified = [{ Name: 'email_verified', Value: 'true' }];
    await expect(
      app('SignUp', { ClientId, Username: newEmail(), Password: PASSWORD, UserAttributes: verified }),
    ).rejects.toEqual(failsAs('NotAuthorizedException'));
  });

  it('have a day for the code, and a new one takes its place', async () => {
    const email = newEmail();
    await app('SignUp', { ClientId, Username: email, Password: PASSWORD });
    const old = await codeFor(email);
    await runtime.advance(DAY);
    await expect(app('ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: old })).rejects.toEqual(
      failsAs('ExpiredCodeException'),
    );

    await app('ResendConfirmationCode', { ClientId, Username: email });
    await app('ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: await codeFor(email) });

    await expect(byPassword(email)).resolves.toHaveProperty('AuthenticationResult');
  });
});

describe('people who change their own attributes', () => {
  const verify = (AccessToken: string, Code: string) =>
    app('VerifyUserAttribute', { AccessToken, AttributeName: 'email', Code });

  it('verify a new address with the code that goes there', async () => {
    const [old, email] = [await signedUp(), newEmail()];
    const { AccessToken } = tokensOf(await byPassword(old));
    const attributes = async () => (await app('GetUser', { AccessToken })).UserAttributes;

    const UserAttributes = [{ Name: 'email', Value: email }];
    const begun = await app('UpdateUserAttributes', { AccessToken, UserAttributes });
    expect(begun).toMatchObject({ CodeDeliveryDetailsList: [{ AttributeName: 'email', DeliveryMedium: 'EMAIL' }] });
    expect(await attributes()).toContainEqual({ Name: 'email_verified', Value: 'false' });
    const first = await codeFor(email);
    await app('GetUserAttributeVerificationCode', { AccessToken, AttributeName: 'email' });
    const code = await codeFor(email);
    if (first !== code) await expect(verify(AccessToken, first)).rejects.toEqual(failsAs('CodeMismatchException'));
    await verify(AccessToken, code);

    expect(await attributes()).toContainEqual({ Name: 'email_verified', Value: 'true' });
    await expect(verify(AccessToken, code)).rejects.toEqual(failsAs('ExpiredCodeException'));
    await byPassword(email);
    await expect(byPassword(old)).rejects.toEqual(failsAs('NotAuthorizedException'));
  });

  it('keep the old address until the new one is verified, where the pool says so', async () => {
    const { ClientId: clientId, UserPoolId: poolId } = await keepingPool();
    const [old, email] = [newEmail(), newEmail()];
    const client = { ClientId: clientId };
    await app('SignUp', { ...client, Username: old, Password: PASSWORD });
    await app('ConfirmSignUp', { ...client, Username: old, ConfirmationCode: await codeFor(old) });
    const signIn = (username: string) => signInBySrp(app, { poolId, clientId, username, password: PASSWORD });
    const { AccessToken } = tokensOf(await signIn(old));
    const address = async () => {
      const attributes = (await app('GetUser', { AccessToken })).UserAttributes as { Name: string; Value: string }[];
      return attributes.filter(({ Name }) => Name.startsWith('email')).map(({ Value }) => Value);
    };
    const change = (Value: string) =>
      app('UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name: 'email', Value }] });

    await change(email);
    expect(await address()).toEqual([old, 'true']);
    await signIn(old);
    const code = await codeFor(email);

    // The code of the new address is none for the old one.
    await change(old);
    await expect(verify(AccessToken, code)).rejects.toEqual(failsAs('ExpiredCodeException'));
    await change(email);
    await verify(AccessToken, await codeFor(email));
    expect(await address()).toEqual([email, 'true']);
    await signIn(email);
    await expect(signIn(old)).rejects.toEqual(failsAs('UserNotFoundException'));

    // An administrator who does not vouch for an address changes nothing either.
    const byAdmin = (...UserAttributes: readonly { Name: string; Value: string }[]) =>
      admin('AdminUpdateUserAttributes', { UserPoolId: poolId, Username: email, UserAttributes });
    await byAdmin({ Name: 'email', Value: old });
    expect(await address()).toEqual([email, 'true']);
    await byAdmin({ Name: 'email', Value: old }, { Name: 'email_verified', Value: 'true' });
    expect(await address()).toEqual([old, 'true']);
  });

  it('use no code that was for something else, and none for what is not verified', async () => {
    const email = await signedUp();
    const { AccessToken } = tokensOf(await byPassword(email));
    await app('ForgotPassword', { ClientId, Username: email });
    await expect(verify(AccessToken, await codeFor(email))).rejects.toEqual(failsAs('ExpiredCodeException'));
    await expect(
      app('GetUserAttributeVerificationCode', { AccessToken, AttributeName: 'custom:site' }),
    ).rejects.toEqual(failsAs('InvalidParameterException'));
    await expect(
      app('GetUserAttributeVerificationCode', { AccessToken, AttributeName: 'phone_number' }),
    ).rejects.toEqual(failsAs('InvalidParameterException', 'no such address'));
  });

  it('delete them, but not the one that they sign in with', async () => {
    const { AccessToken } = tokensOf(await byPassword(await signedUp()));
    await app('UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name: 'custom:site', Value: 'farm' }] });
    const remove = (name: string) => app('DeleteUserAttributes', { AccessToken, UserAttributeNames: [name] });

    await remove('custom:site');

    const { UserAttributes } = await app('GetUser', { AccessToken });
    expect(JSON.stringify(UserAttributes)).not.toContain('custom:site');
    await expect(remove('email')).rejects.toEqual(failsAs('InvalidParameterException', 'cannot be deleted'));
    await expect(remove('email_verified')).rejects.toEqual(failsAs('NotAuthorizedException'));
  });
});

describe('SRP', () => {
  it('refuses a wrong password, a used challenge, and a public value that gives the secret away', async () => {
    const email = await signedUp();
    await expect(bySrp(email, 'Wrong-Horse-1')).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Incorrect username or password.'),
    );

    const client = beginSrp(UserPoolId);
    const start = (SRP_A: string) =>
      app('InitiateAuth', { AuthFlow: 'USER_SRP_AUTH', ClientId, AuthParameters: { USERNAME: email, SRP_A } });
    const begun = await start(client.publicKey);
    const respond = async () =>
      app('RespondToAuthChallenge', {
        ClientId,
        ChallengeName: 'PASSWORD_VERIFIER',
        ChallengeResponses: await client.answer(begun.ChallengeParameters as never, PASSWORD, new Date()),
      });
    await expect(respond()).resolves.toHaveProperty('AuthenticationResult');
    await expect(respond()).rejects.toEqual(failsAs('NotAuthorizedException'));
    await expect(start('0')).rejects.toEqual(failsAs('InvalidParameterException'));
  });

  it('agrees on the secret whatever the numbers look like: leading zeros, high bits', async () => {
    const email = await signedUp();
    for (let attempt = 0; attempt < 16; attempt += 1) tokensOf(await bySrp(email));
  });

  it('gives a challenge for somebody who does not exist, the same salt each time, that no password meets', async () => {
    const username = newEmail();
    const begin = async () => {
      const AuthParameters = { USERNAME: username, SRP_A: beginSrp(UserPoolId).publicKey };
      const { ChallengeParameters } = await app('InitiateAuth', {
        AuthFlow: 'USER_SRP_AUTH',
        ClientId,
        AuthParameters,
      });
      return (ChallengeParameters as Answer).SALT;
    };

    expect(await begin()).toBe(await begin());
    await expect(bySrp(username)).rejects.toEqual(failsAs('NotAuthorizedException', 'Incorrect username or password.'));
  });
});

describe('tokens', () => {
  it('verify with the keys that the pool serves, and not when one character is changed', async () => {
    const { AccessToken } = tokensOf(await byPassword(await signedUp()));
    const served = await fetch(`${runtime.config.endpoint}/${UserPoolId}/.well-known/jwks.json`);
    const { keys } = (await served.json()) as { keys: [Readonly<Record<string, string>>] };
    const [header = '', payload = '', signature = ''] = AccessToken.split('.');
    const isSigned = (text: string) =>
      verify(
        'RSA-SHA256',
        Buffer.from(text),
        createPublicKey({ key: keys[0], format: 'jwk' }),
        Buffer.from(signature, 'base64url'),
      );

    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ kid: keys[0].kid, alg: 'RS256' });
    expect(isSigned(`${header}.${payload}`)).toBe(true);
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(AccessToken), sub: 'x' })).toString('base64url');
    expect(isSigned(`${header}.${forged}`)).toBe(false);
    await expect(app('GetUser', { AccessToken: `${header}.${forged}.${signature}` })).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Invalid Access Token'),
    );
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    await expect(app('GetUser', { AccessToken: `${none}.${payload}.` })).rejects.toEqual(
      failsAs('NotAuthorizedException'),
    );
  });

  it('end on the virtual clock, and are had again with the refresh token until that ends too', async () => {
    const { AccessToken, IdToken, RefreshToken } = tokensOf(await byPassword(await signedUp()));
    await expect(app('GetUser', { AccessToken: IdToken })).rejects.toEqual(failsAs('NotAuthorizedException'));

    await runtime.advance(900);
    await expect(app('GetUser', { AccessToken })).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Access Token has expired'),
    );
    const again = (await refresh(RefreshToken)).AuthenticationResult as Answer;
    expect(again.RefreshToken).toBeUndefined();
    expect(claimsOf(String(again.AccessToken)).origin_jti).toBe(claimsOf(AccessToken).origin_jti);
    await app('GetUser', { AccessToken: again.AccessToken });

    await runtime.advance(30 * DAY);
    await expect(refresh(RefreshToken)).rejects.toEqual(failsAs('NotAuthorizedException', 'Refresh Token has expired'));
  });

  it('are revoked one session at a time, or all', async () => {
    const email = await signedUp();
    const [one, other] = [tokensOf(await byPassword(email)), tokensOf(await byPassword(email))];

    await app('RevokeToken', { ClientId, Token: one.RefreshToken });
    await expect(refresh(one.RefreshToken)).rejects.toEqual(failsAs('NotAuthorizedException', 'revoked'));
    await expect(app('GetUser', { AccessToken: one.AccessToken })).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Access Token has been revoked'),
    );
    await app('GetUser', { AccessToken: other.AccessToken });

    await app('GlobalSignOut', { AccessToken: other.AccessToken });
    await expect(refresh(other.RefreshToken)).rejects.toEqual(failsAs('NotAuthorizedException', 'revoked'));
  });

  it('carry the groups of a user', async () => {
    const email = await signedUp();
    await admin('AdminAddUserToGroup', { UserPoolId, Username: email, GroupName: 'operators' });

    const { AccessToken, IdToken } = tokensOf(await byPassword(email));

    expect(claimsOf(AccessToken)['cognito:groups']).toEqual(['operators']);
    expect(claimsOf(IdToken)).toMatchObject({
      'cognito:groups': ['operators'],
      'cognito:roles': ['arn:aws:iam::123456789012:role/operators'],
      'cognito:preferred_role': 'arn:aws:iam::123456789012:role/operators',
    });
    await admin('AdminRemoveUserFromGroup', { UserPoolId, Username: email, GroupName: 'operators' });
    expect(claimsOf(tokensOf(await byPassword(email)).IdToken)['cognito:groups']).toBeUndefined();
  });
});

describe('passwords', () => {
  it('are forgotten and set anew with a code, which works once', async () => {
    const email = await signedUp();
    await app('ForgotPassword', { ClientId, Username: email });
    const confirm = (Password: string, ConfirmationCode: string) =>
      app('ConfirmForgotPassword', { ClientId, Username: email, ConfirmationCode, Password });
    const code = await codeFor(email);

    await expect(confirm('weak', code)).rejects.toEqual(failsAs('InvalidPasswordException'));
    await confirm('Another-Horse-2', code);

    await expect(confirm('Third-Horse-3', code)).rejects.toEqual(failsAs('ExpiredCodeException'));
    await expect(byPassword(email)).rejects.toEqual(failsAs('NotAuthorizedException'));
    await expect(bySrp(email, 'Another-Horse-2')).resolves.toHaveProperty('AuthenticationResult');
  });

  it('are changed by who knows the old one', async () => {
    const email = await signedUp();
    const { AccessToken } = tokensOf(await byPassword(email));
    const change = (PreviousPassword: string) =>
      app('ChangePassword', { AccessToken, PreviousPassword, ProposedPassword: 'Another-Horse-2' });

    await expect(change('Wrong-Horse-1')).rejects.toEqual(failsAs('NotAuthorizedException'));
    await change(PASSWORD);

    await byPassword(email, 'Another-Horse-2');
  });

  it('are not tried without end: the sixth waits, also with the right one', async () => {
    const email = await signedUp();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await expect(byPassword(email, 'Wrong-Horse-1')).rejects.toEqual(failsAs('NotAuthorizedException', 'Incorrect'));
    }
    await expect(byPassword(email)).rejects.toEqual(failsAs('NotAuthorizedException', 'Password attempts exceeded'));

    await runtime.advance(2);

    await byPassword(email);
  });

  it('do not tell who exists', async () => {
    const nobody = newEmail();
    await expect(byPassword(nobody)).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Incorrect username or password.'),
    );
    await expect(app('ForgotPassword', { ClientId, Username: nobody })).resolves.toHaveProperty('CodeDeliveryDetails');
    expect(await codeFor(nobody)).toBe('');
  });
});

describe('administrators', () => {
  it('make accounts with a temporary password, which has to be changed in time', async () => {
    const email = newEmail();
    const UserAttributes = [
      { Name: 'email_verified', Value: 'true' },
      { Name: 'custom:site', Value: 'macdonald' },
    ];
    await admin('AdminCreateUser', { UserPoolId, Username: email, UserAttributes });
    const mail = (await runtime.outbox()).filter(({ destination }) => destination === email).at(-1);
    const temporary = mail?.details.temporaryPassword ?? '';
    expect(mail?.message).toContain(email);

    const challenge = await bySrp(email, temporary);
    expect(challenge).toMatchObject({ ChallengeName: 'NEW_PASSWORD_REQUIRED' });
    const respond = (NEW_PASSWORD: string) =>
      app('RespondToAuthChallenge', {
        ClientId,
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        Session: challenge.Session,
        ChallengeResponses: { USERNAME: email, NEW_PASSWORD },
      });
    await expect(respond('weak')).rejects.toEqual(failsAs('InvalidPasswordException'));
    const { IdToken } = tokensOf(await respond(PASSWORD));
    expect(claimsOf(IdToken)).toMatchObject({ email, email_verified: true, 'custom:site': 'macdonald' });

    const late = newEmail();
    await admin('AdminCreateUser', {
      UserPoolId,
      Username: late,
      TemporaryPassword: PASSWORD,
      MessageAction: 'SUPPRESS',
    });
    await runtime.advance(3 * DAY);
    await expect(byPassword(late)).rejects.toEqual(failsAs('NotAuthorizedException', 'Temporary password has expired'));
  });

  it('disable, enable, sign out and delete users', async () => {
    const email = await signedUp();
    const { RefreshToken } = tokensOf(await byPassword(email));
    await admin('AdminDisableUser', { UserPoolId, Username: email });
    await expect(byPassword(email)).rejects.toEqual(failsAs('NotAuthorizedException', 'disabled'));
    await expect(refresh(RefreshToken)).rejects.toEqual(failsAs('NotAuthorizedException'));
    await admin('AdminEnableUser', { UserPoolId, Username: email });
    const { AccessToken } = tokensOf(await byPassword(email));
    await admin('AdminUserGlobalSignOut', { UserPoolId, Username: email });
    await expect(app('GetUser', { AccessToken })).rejects.toEqual(failsAs('NotAuthorizedException', 'revoked'));

    await expect(admin('ListUsers', { UserPoolId, Filter: `email = "${email}"` })).resolves.toMatchObject({
      Users: [{ Enabled: true, UserStatus: 'CONFIRMED' }],
    });
    await admin('AdminDeleteUser', { UserPoolId, Username: email });
    await expect(admin('AdminGetUser', { UserPoolId, Username: email })).rejects.toEqual(
      failsAs('UserNotFoundException'),
    );
    await signedUp(email);
  });

  it('need the permission for the operation and the pool, and a signature', async () => {
    const Resource = `arn:aws:cognito-idp:us-east-1:123456789012:userpool/${UserPoolId}`;
    const { credentials } = await roleConfig(runtime, { Action: 'cognito-idp:ListGroups', Resource });
    const limited = adminOf(runtime, credentials);

    await expect(limited('ListGroups', { UserPoolId })).resolves.toMatchObject({
      Groups: [{ GroupName: 'operators' }],
    });
    await expect(limited('ListUsers', { UserPoolId })).rejects.toEqual(failsAs('AccessDeniedException', 'ListUsers'));
    await expect(limited('ListGroups', { UserPoolId: 'us-east-1_other' })).rejects.toEqual(
      failsAs('AccessDeniedException'),
    );
    await expect(app('ListUsers', { UserPoolId })).rejects.toEqual(failsAs('MissingAuthenticationTokenException'));
    await expect(app('VerifyIdToken', { UserPoolId })).rejects.toEqual(failsAs('MissingAuthenticationTokenException'));
    await expect(admin('VerifyIdToken', {})).rejects.toEqual(failsAs('NotEmulated'));
  });
});

describe('a confidential client', () => {
  it('shows its secret with each request', async () => {
    const email = await signedUp();
    const { ServerId = '', ServerSecret = '' } = outputs;
    const SECRET_HASH = createHmac('sha256', ServerSecret)
      .update(email + ServerId)
      .digest('base64');
    const signIn = (more: object) =>
      admin('AdminInitiateAuth', {
        UserPoolId,
        ClientId: ServerId,
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: email, PASSWORD, ...more },
      });

    await expect(signIn({})).rejects.toEqual(failsAs('NotAuthorizedException', 'SECRET_HASH was not received'));
    await expect(signIn({ SECRET_HASH: 'x' })).rejects.toEqual(failsAs('NotAuthorizedException', 'Unable to verify'));
    tokensOf(await signIn({ SECRET_HASH }));
    await expect(
      app('InitiateAuth', {
        ClientId: ServerId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: email, PASSWORD, SECRET_HASH },
      }),
    ).rejects.toEqual(failsAs('InvalidParameterException', 'not enabled'));
  });
});
