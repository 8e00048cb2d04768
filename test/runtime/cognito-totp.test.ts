/** Amazon Cognito user pools: authenticator apps as second factor. */
import type { Answer, AwsJson } from '../support/aws-json.ts';
import { adminOf, claimsOf, publicClient, signInBySrp, tokensOf, USER_POOLS } from '../support/cognito.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';
import { totpCode } from '../support/totp.ts';
import { Assembly } from './lambda-fixture.ts';

const PASSWORD = 'Correct-Horse-1';

const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool', { MfaConfiguration: 'OPTIONAL', EnabledMfas: ['SOFTWARE_TOKEN_MFA'] })
  .add('App', 'AWS::Cognito::UserPoolClient', {
    UserPoolId: { Ref: 'People' },
    ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
  })
  .add('Others', 'AWS::Cognito::UserPool')
  .add('OtherApp', 'AWS::Cognito::UserPoolClient', {
    UserPoolId: { Ref: 'Others' },
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
  })
  .addOutput('PoolId', { Ref: 'People' })
  .addOutput('AppId', { Ref: 'App' })
  .addOutput('OtherPoolId', { Ref: 'Others' })
  .addOutput('OtherAppId', { Ref: 'OtherApp' });

let runtime: Runtime;
let admin: AwsJson;
let app: AwsJson;
let UserPoolId: string;
let ClientId: string;
let outputs: Readonly<Record<string, string>>;

beforeAll(async () => {
  runtime = await assembly.start();
  admin = adminOf(runtime);
  app = publicClient(runtime, USER_POOLS);
  outputs = runtime.endpoints.outputs.Test ?? {};
  ({ PoolId: UserPoolId = '', AppId: ClientId = '' } = outputs);
});
afterAll(() => runtime?.stop());

const failsAs = (name: string, message: string | RegExp = /./) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

let count = 0;
async function newPerson(poolId = UserPoolId): Promise<string> {
  count += 1;
  const Username = `person${count}`;
  await admin('AdminCreateUser', { UserPoolId: poolId, Username, MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { UserPoolId: poolId, Username, Password: PASSWORD, Permanent: true });
  return Username;
}

const byPassword = (USERNAME: string, password = PASSWORD, clientId = ClientId) =>
  app('InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId: clientId,
    AuthParameters: { USERNAME, PASSWORD: password },
  });

/** The time of the runtime, from a token that it has just issued. */
async function virtualSeconds(): Promise<number> {
  return Number(claimsOf(tokensOf(await byPassword(await newPerson())).AccessToken).iat);
}

/** The code that an app shows now, or `steps` of 30 seconds later. */
const codeNow = async (secret: string, steps = 0) => totpCode(secret, (await virtualSeconds()) + 30 * steps);

/** Somebody with an app that is asked for at sign-in. The code of the moment is used already. */
async function personWithApp(): Promise<{ username: string; secret: string; accessToken: string }> {
  const username = await newPerson();
  const { AccessToken } = tokensOf(await byPassword(username));
  const secret = String((await app('AssociateSoftwareToken', { AccessToken })).SecretCode);
  await app('VerifySoftwareToken', { AccessToken, UserCode: await codeNow(secret) });
  await app('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } });
  // To the beginning of a window after the next: what a test does then does not cross into another one.
  await runtime.advance(61 - ((await virtualSeconds()) % 30));
  return { username, secret, accessToken: AccessToken };
}

const answer = (username: string, challenge: Answer, code: string) =>
  app('RespondToAuthChallenge', {
    ClientId,
    ChallengeName: 'SOFTWARE_TOKEN_MFA',
    Session: challenge.Session,
    ChallengeResponses: { USERNAME: username, SOFTWARE_TOKEN_MFA_CODE: code },
  });

const differentFrom = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

it('the app of this test makes the codes of RFC 6238', () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const codes = [59, 1_111_111_109, 20_000_000_000].map((at) => totpCode(secret, at));
  expect(codes).toEqual(['287082', '081804', '353130']);
});

it('an app is associated, verified and enabled, and only then asked for', async () => {
  const username = await newPerson();
  const { AccessToken } = tokensOf(await byPassword(username));
  const enable = () => app('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });
  await expect(app('VerifySoftwareToken', { AccessToken, UserCode: '123456' })).rejects.toEqual(
    failsAs('SoftwareTokenMFANotFoundException'),
  );

  const secret = String((await app('AssociateSoftwareToken', { AccessToken })).SecretCode);
  await expect(enable()).rejects.toEqual(failsAs('InvalidParameterException', 'has not verified'));
  const code = await codeNow(secret);
  await expect(app('VerifySoftwareToken', { AccessToken, UserCode: differentFrom(code) })).rejects.toEqual(
    failsAs('EnableSoftwareTokenMFAException', 'Code mismatch'),
  );
  expect(await app('VerifySoftwareToken', { AccessToken, UserCode: code })).toEqual({ Status: 'SUCCESS' });
  tokensOf(await byPassword(username));
  await enable();

  await expect(byPassword(username)).resolves.toMatchObject({ ChallengeName: 'SOFTWARE_TOKEN_MFA' });
  await expect(app('GetUser', { AccessToken })).resolves.toMatchObject({ UserMFASettingList: ['SOFTWARE_TOKEN_MFA'] });
});

describe('at sign-in', () => {
  it('the code follows the password, also with SRP, and each code is good once', async () => {
    const { username, secret } = await personWithApp();
    const bySrp = () => signInBySrp(app, { poolId: UserPoolId, clientId: ClientId, username, password: PASSWORD });
    const code = await codeNow(secret);

    const challenge = await bySrp();
    expect(challenge).toMatchObject({ ChallengeName: 'SOFTWARE_TOKEN_MFA' });
    tokensOf(await answer(username, challenge, code));

    await expect(answer(username, challenge, code)).rejects.toEqual(
      failsAs('NotAuthorizedException', 'Invalid session'),
    );
    await expect(answer(username, await bySrp(), code)).rejects.toEqual(
      failsAs('ExpiredCodeException', 'already been used once'),
    );
  });

  it('a code of the window before or after is good too, a wrong one may be followed by the right one', async () => {
    const { username, secret } = await personWithApp();

    await answer(username, await byPassword(username), await codeNow(secret, -1));
    const challenge = await byPassword(username);
    await expect(answer(username, challenge, await codeNow(secret, 2))).rejects.toEqual(
      failsAs('CodeMismatchException'),
    );
    await expect(answer(username, challenge, 'abc')).rejects.toEqual(failsAs('InvalidParameterException'));
    await answer(username, challenge, await codeNow(secret, 1));
  });

  it('codes are not guessed: the right password gives no new attempts', async () => {
    const { username, secret } = await personWithApp();
    const code = await codeNow(secret);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await expect(answer(username, await byPassword(username), differentFrom(code))).rejects.toEqual(
        failsAs('CodeMismatchException'),
      );
    }

    await expect(byPassword(username)).rejects.toEqual(failsAs('NotAuthorizedException', 'attempts exceeded'));
  });

  it('a challenge ends after three minutes, and is for its client alone', async () => {
    const { username, secret } = await personWithApp();
    const challenge = await byPassword(username);
    await expect(
      app('RespondToAuthChallenge', {
        ClientId: outputs.OtherAppId,
        ChallengeName: 'SOFTWARE_TOKEN_MFA',
        Session: challenge.Session,
        ChallengeResponses: { USERNAME: username, SOFTWARE_TOKEN_MFA_CODE: await codeNow(secret) },
      }),
    ).rejects.toEqual(failsAs('NotAuthorizedException'));

    await runtime.advance(180);

    await expect(answer(username, challenge, await codeNow(secret))).rejects.toEqual(failsAs('NotAuthorizedException'));
  });

  it('nothing is asked for any more when the person, or an administrator, says so', async () => {
    const { username, accessToken } = await personWithApp();
    const prefer = (Enabled: boolean) =>
      admin('AdminSetUserMFAPreference', {
        UserPoolId,
        Username: username,
        SoftwareTokenMfaSettings: { Enabled, PreferredMfa: Enabled },
      });
    await prefer(false);
    tokensOf(await byPassword(username));
    await prefer(true);
    await expect(admin('AdminGetUser', { UserPoolId, Username: username })).resolves.toMatchObject({
      PreferredMfaSetting: 'SOFTWARE_TOKEN_MFA',
    });
    await expect(byPassword(username)).resolves.toMatchObject({ ChallengeName: 'SOFTWARE_TOKEN_MFA' });

    // "Calling AssociateSoftwareToken immediately disassociates the existing software token."
    await app('AssociateSoftwareToken', { AccessToken: accessToken });

    tokensOf(await byPassword(username));
  });

  it('is for the user with a temporary password as well: first the new password, then the code', async () => {
    const { username, secret } = await personWithApp();
    await admin('AdminSetUserPassword', { UserPoolId, Username: username, Password: 'Temporary-Horse-1' });
    const first = await byPassword(username, 'Temporary-Horse-1');

    const second = await app('RespondToAuthChallenge', {
      ClientId,
      ChallengeName: first.ChallengeName,
      Session: first.Session,
      ChallengeResponses: { USERNAME: username, NEW_PASSWORD: 'Another-Horse-2' },
    });

    expect(second).toMatchObject({ ChallengeName: 'SOFTWARE_TOKEN_MFA' });
    tokensOf(await answer(username, second, await codeNow(secret)));
  });
});

describe('a pool', () => {
  it('without authenticator apps takes none', async () => {
    const username = await newPerson(outputs.OtherPoolId);
    const { AccessToken } = tokensOf(await byPassword(username, PASSWORD, outputs.OtherAppId));

    await expect(app('AssociateSoftwareToken', { AccessToken })).rejects.toEqual(
      failsAs('SoftwareTokenMFANotFoundException', 'not been enabled by the userPool'),
    );
    await expect(admin('GetUserPoolMfaConfig', { UserPoolId: outputs.OtherPoolId })).resolves.toEqual({
      MfaConfiguration: 'OFF',
    });
  });

  it('says what it takes', async () => {
    await expect(admin('GetUserPoolMfaConfig', { UserPoolId })).resolves.toEqual({
      MfaConfiguration: 'OPTIONAL',
      SoftwareTokenMfaConfiguration: { Enabled: true },
    });
  });

  it.each([
    { MfaConfiguration: 'OPTIONAL', EnabledMfas: ['SMS_MFA'] },
    { MfaConfiguration: 'ON', EnabledMfas: ['SOFTWARE_TOKEN_MFA'] },
  ])('with other factors stops the start by logical id: %j', async (properties) => {
    const refused = new Assembly().add('Refused', 'AWS::Cognito::UserPool', properties);
    await expect(startRuntime({ assembly: refused.write() })).rejects.toThrow(/Refused/);
  });
});
