/** Amazon Cognito user pools: the OAuth 2.0 endpoints and the sign-in pages of a domain. */
import { createHash } from 'node:crypto';
import type { Answer, AwsJson } from '../support/aws-json.ts';
import { Browser, type Page } from '../support/browser.ts';
import { adminOf, claimsOf, OAuthApp, publicClient, tokensOf, USER_POOLS } from '../support/cognito.ts';
import type { Runtime } from '../support/runtime.ts';
import { totpCode } from '../support/totp.ts';
import { Assembly } from './lambda-fixture.ts';

const PASSWORD = 'Correct-Horse-1';
const CALLBACK = 'http://localhost:3000/callback';
const SERVER_CALLBACK = 'https://example.com/callback?from=cognito';

const client = (more: object = {}) => ({
  UserPoolId: { Ref: 'People' },
  AllowedOAuthFlowsUserPoolClient: true,
  AllowedOAuthFlows: ['code'],
  AllowedOAuthScopes: ['openid', 'email', 'profile', 'aws.cognito.signin.user.admin', 'things/read'],
  CallbackURLs: [CALLBACK, 'myapp://signed-in'],
  LogoutURLs: ['http://localhost:3000/bye'],
  SupportedIdentityProviders: ['COGNITO'],
  ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
  ...more,
});

const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool', {
    UsernameAttributes: ['email'],
    AutoVerifiedAttributes: ['email'],
    Schema: [{ Name: 'nickname', Required: true, Mutable: true }],
    MfaConfiguration: 'OPTIONAL',
    EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
  })
  .add('Domain', 'AWS::Cognito::UserPoolDomain', { UserPoolId: { Ref: 'People' }, Domain: 'people' })
  .add('Things', 'AWS::Cognito::UserPoolResourceServer', {
    UserPoolId: { Ref: 'People' },
    Identifier: 'things',
    Name: 'Things',
    Scopes: [{ ScopeName: 'read', ScopeDescription: 'Reads' }],
  })
  .add('App', 'AWS::Cognito::UserPoolClient', client(), ['Things'])
  .add('Server', 'AWS::Cognito::UserPoolClient', client({ GenerateSecret: true, CallbackURLs: [SERVER_CALLBACK] }), [
    'Things',
  ])
  .add('Api', 'AWS::Cognito::UserPoolClient', client({ AllowedOAuthFlowsUserPoolClient: false }), ['Things'])
  .add('NoPages', 'AWS::Cognito::UserPoolClient', client({ SupportedIdentityProviders: [] }), ['Things'])
  .add('Others', 'AWS::Cognito::UserPool')
  .add('OtherDomain', 'AWS::Cognito::UserPoolDomain', { UserPoolId: { Ref: 'Others' }, Domain: 'others' })
  .add('Hidden', 'AWS::Cognito::UserPool')
  .addOutput('PoolId', { Ref: 'People' })
  .addOutput('HiddenId', { Ref: 'Hidden' })
  .addOutput('Server', { Ref: 'Server' })
  .addOutput('Secret', { 'Fn::GetAtt': ['Server', 'ClientSecret'] });
for (const id of ['App', 'Api', 'NoPages']) assembly.addOutput(id, { Ref: id });

let runtime: Runtime;
let admin: AwsJson;
let outputs: Readonly<Record<string, string>>;
let UserPoolId: string;
let base: string;
let app: OAuthApp;
let server: OAuthApp;

beforeAll(async () => {
  runtime = await assembly.start();
  admin = adminOf(runtime);
  outputs = runtime.endpoints.outputs.Test ?? {};
  UserPoolId = outputs.PoolId ?? '';
  base = `${runtime.config.endpoint}/people.auth.us-east-1.amazoncognito.com`;
  app = new OAuthApp(base, { clientId: outputs.App ?? '', redirectUri: CALLBACK });
  const { Server: clientId = '', Secret: secret = '' } = outputs;
  server = new OAuthApp(base, { clientId, secret, redirectUri: SERVER_CALLBACK });
});
afterAll(() => runtime?.stop());

let count = 0;
/** Somebody new, with a password of their own or one that has to be changed. */
async function newPerson({ temporary = false } = {}): Promise<string> {
  count += 1;
  const email = `person${count}@example.com`;
  const UserAttributes = [
    { Name: 'email_verified', Value: 'true' },
    ...(temporary ? [] : [{ Name: 'nickname', Value: `P${count}` }]),
  ];
  await admin('AdminCreateUser', {
    UserPoolId,
    Username: email,
    UserAttributes,
    TemporaryPassword: PASSWORD,
    MessageAction: 'SUPPRESS',
  });
  if (!temporary) {
    await admin('AdminSetUserPassword', { UserPoolId, Username: email, Password: PASSWORD, Permanent: true });
  }
  return email;
}

/** Signs in on the page; gives what the browser is sent to, which is the app. */
async function signIn(browser: Browser, username: string, to = app, parameters = {}): Promise<URL> {
  const page = await browser.visit(to.address(parameters));
  const { location = '' } = await browser.submit(page, { username, password: PASSWORD });
  return new URL(location);
}

const codeOf = (url: URL) => url.searchParams.get('code') ?? '';

/** A code for somebody new. */
const newCode = async (to = app, parameters = {}) =>
  codeOf(await signIn(new Browser(), await newPerson(), to, parameters));

const userInfo = (token: unknown) =>
  fetch(`${base}/oauth2/userInfo`, { headers: { authorization: `Bearer ${token}` } });

const isLogin = ({ status, text }: Page) => status === 200 && text.includes('name="password"');

describe('the authorization code flow with PKCE', () => {
  it('leads from the app to the sign-in page and back, and ends with tokens of the scopes that were asked for', async () => {
    const email = await newPerson();
    const browser = new Browser();
    const first = await browser.get(app.address({ nonce: 'n-1' }));
    expect(first).toMatchObject({ status: 302, location: app.address({ nonce: 'n-1' }, '/login') });

    const back = await signIn(browser, email, app, { nonce: 'n-1' });
    expect(`${back.origin}${back.pathname}`).toBe(CALLBACK);
    expect(back.searchParams.get('state')).toBe('the state');
    const { status, body } = await app.redeem(codeOf(back));

    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, refresh_token: expect.any(String) });
    const [access, id] = [claimsOf(String(body.access_token)), claimsOf(String(body.id_token))];
    const iss = `https://cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`;
    expect(access).toMatchObject({
      iss,
      token_use: 'access',
      client_id: app.clientId,
      scope: 'openid email',
      version: 2,
    });
    expect(id).toMatchObject({ iss, token_use: 'id', aud: app.clientId, email, email_verified: true, nonce: 'n-1' });
    expect(id.nickname).toBeUndefined();
    expect(id.sub).toBe(access.sub);
    expect(id.origin_jti).toBe(access.origin_jti);
    expect(access.auth_time).toBe(id.auth_time);
  });

  it('gives to /oauth2/userInfo what the scopes let through, until the refresh token is revoked', async () => {
    const { body } = await app.redeem(await newCode());
    const { body: all } = await app.redeem(await newCode(app, { scope: 'openid profile' }));
    const { body: plain } = await app.redeem(await newCode(app, { scope: 'openid' }));
    const { body: noOpenId } = await app.redeem(
      await newCode(app, { scope: 'aws.cognito.signin.user.admin things/read' }),
    );

    const answer = (await (await userInfo(body.access_token)).json()) as Answer;
    expect(answer).toEqual({
      sub: claimsOf(String(body.access_token)).sub,
      username: claimsOf(String(body.access_token)).username,
      email: expect.stringContaining('@example.com'),
      email_verified: 'true',
    });
    for (const { access_token } of [all, plain]) {
      expect(await (await userInfo(access_token)).json()).toHaveProperty('nickname');
    }
    const refused = await userInfo(noOpenId.access_token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('does not contain openid scope');
    expect(noOpenId.id_token).toBeUndefined();
    expect(claimsOf(String(noOpenId.access_token)).scope).toBe('aws.cognito.signin.user.admin things/read');
    expect((await userInfo('not.a.token')).status).toBe(401);
    expect((await fetch(`${base}/oauth2/userInfo`)).status).toBe(400);

    expect(await app.post({ token: String(body.refresh_token) }, '/oauth2/revoke')).toEqual({ status: 200, body: {} });

    expect((await userInfo(body.access_token)).status).toBe(401);
    expect(await app.post({ grant_type: 'refresh_token', refresh_token: String(body.refresh_token) })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it('is refreshed: the same scopes, session and time of sign-in, no new refresh token', async () => {
    const { body } = await app.redeem(await newCode());
    await runtime.advance(3600);
    expect((await userInfo(body.access_token)).status).toBe(401);

    const again = await app.post({ grant_type: 'refresh_token', refresh_token: String(body.refresh_token) });

    const { auth_time, origin_jti, scope, version } = claimsOf(String(body.access_token));
    expect(claimsOf(String(again.body.access_token))).toMatchObject({ auth_time, origin_jti, scope, version });
    expect(again.body).toMatchObject({ id_token: expect.any(String), expires_in: 3600 });
    expect(again.body.refresh_token).toBeUndefined();
    expect((await userInfo(again.body.access_token)).status).toBe(200);
  });

  it('goes to an app by its scheme, and to a server with its secret by header or body', async () => {
    const mobile = await signIn(new Browser(), await newPerson(), app, { redirect_uri: 'myapp://signed-in' });
    expect(mobile.href).toMatch(/^myapp:\/\/signed-in\?code=/);
    const [byHeader, byBody, byNothing, byWrong, byBoth] = await Promise.all(
      Array.from({ length: 5 }, () => newCode(server)),
    );
    const open = new OAuthApp(base, { clientId: server.clientId, redirectUri: SERVER_CALLBACK });
    const withVerifier = (code = '', more = {}) => ({
      ...{ grant_type: 'authorization_code', code, redirect_uri: SERVER_CALLBACK },
      ...{ code_verifier: server.verifier, ...more },
    });
    const secret = server.secret;

    expect((await server.redeem(byHeader ?? '')).status).toBe(200);
    expect((await open.post(withVerifier(byBody, { client_secret: secret }))).status).toBe(200);
    expect(await open.post(withVerifier(byNothing))).toEqual({ status: 400, body: { error: 'invalid_client' } });
    expect((await open.post(withVerifier(byWrong, { client_secret: 'x' }))).body).toEqual({ error: 'invalid_client' });
    expect((await server.post(withVerifier(byBoth, { client_secret: secret }))).body.error).toBe('invalid_request');
    expect((await open.post({ token: 'x' }, '/oauth2/revoke')).status).toBe(401);
  });
});

describe('a code', () => {
  it('is good once, for five minutes, with its verifier, for its client and its redirect URI', async () => {
    const refused = (error: string) => ({ status: 400, body: { error } });
    const used = await newCode();
    expect((await app.redeem(used)).status).toBe(200);
    expect(await app.redeem(used)).toEqual(refused('invalid_grant'));
    expect(await app.redeem(await newCode(), { code_verifier: undefined })).toEqual(refused('invalid_grant'));
    expect(await app.redeem(await newCode(), { code_verifier: 'x'.repeat(43) })).toEqual(refused('invalid_grant'));
    const noChallenge = { code_challenge: undefined, code_challenge_method: undefined };
    expect(await app.redeem(await newCode(app, noChallenge))).toEqual(refused('invalid_grant'));
    expect((await app.redeem(await newCode(app, noChallenge), { code_verifier: undefined })).status).toBe(200);
    expect(await app.redeem(await newCode(), { redirect_uri: 'myapp://signed-in' })).toEqual(refused('invalid_grant'));
    expect(await app.redeem(await newCode(), { redirect_uri: `${CALLBACK}/` })).toEqual(refused('unauthorized_client'));
    const stolen = await newCode();
    expect(await server.redeem(stolen, { code_verifier: app.verifier, redirect_uri: SERVER_CALLBACK })).toEqual(
      refused('invalid_grant'),
    );
    expect(await app.redeem(stolen)).toEqual(refused('invalid_grant'));
    const [young, old] = [await newCode(), await newCode()];
    await runtime.advance(290);
    expect((await app.redeem(young)).status).toBe(200);
    await runtime.advance(10);
    expect(await app.redeem(old)).toEqual(refused('invalid_grant'));
  });

  it('is worth nothing when the user has been disabled', async () => {
    const email = await newPerson();
    const code = codeOf(await signIn(new Browser(), email));

    await admin('AdminDisableUser', { UserPoolId, Username: email });

    expect(await app.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('is had with POST and a form, by a grant type that is there', async () => {
    const error = async (parameters: Readonly<Record<string, string>>) => (await app.post(parameters)).body.error;
    expect(await error({})).toBe('invalid_request');
    expect(await error({ grant_type: 'password' })).toBe('unsupported_grant_type');
    expect(await error({ grant_type: 'authorization_code' })).toBe('invalid_request');
    expect(await error({ grant_type: 'refresh_token', refresh_token: 'x' })).toBe('invalid_grant');
    expect((await fetch(`${base}/oauth2/token`)).status).toBe(405);
    const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    expect((await fetch(`${base}/oauth2/token`, json)).status).toBe(400);
    const access = (await app.redeem(await newCode())).body.access_token;
    expect((await app.post({ token: String(access) }, '/oauth2/revoke')).body.error).toBe('unsupported_token_type');
    expect((await app.post({ token: 'nobody knows' }, '/oauth2/revoke')).status).toBe(200);
    expect((await app.post({}, '/oauth2/revoke')).body.error).toBe('invalid_request');
  });
});

describe('what is wrong with a request', () => {
  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['no client', { client_id: undefined }],
    ['a redirect URI of somebody else', { redirect_uri: 'https://evil.example/callback' }],
    ['a redirect URI with more path', { redirect_uri: `${CALLBACK}/more` }],
    ['a redirect URI with a query', { redirect_uri: `${CALLBACK}?more` }],
    ['no redirect URI', { redirect_uri: undefined }],
  ])('is told on a page, not to the app: %s', async (_name, parameters) => {
    for (const endpoint of ['/oauth2/authorize', '/login', '/logout']) {
      const page = await new Browser().get(app.address(parameters, endpoint));
      expect(page).toMatchObject({ status: 400, location: undefined });
      expect(page.text).toContain('An error was encountered with the requested page.');
      expect(page.text).not.toContain('evil');
    }
  });

  it.each([
    ['invalid_request', { response_type: undefined }],
    ['unsupported_response_type', { response_type: 'magic' }],
    ['unauthorized_client', { response_type: 'token' }],
    ['invalid_request', { code_challenge_method: undefined }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge: 'short' }],
    ['invalid_request', { code_challenge: undefined }],
    ['invalid_scope', { scope: 'openid phone' }],
    ['invalid_scope', { scope: 'openid things/write' }],
    ['invalid_scope', { scope: 'email' }],
    ['invalid_request', { identity_provider: 'Google' }],
    ['login_required', { prompt: 'none' }],
  ])('is told to the app with its state: %s, %j', async (error, parameters) => {
    const { status, location = '' } = await new Browser().get(app.address(parameters));

    expect(status).toBe(302);
    expect(location.startsWith(CALLBACK)).toBe(true);
    expect(Object.fromEntries(new URL(location).searchParams)).toMatchObject({ error, state: 'the state' });
  });

  it('is a client that may not use OAuth, or has no provider for the pages', async () => {
    for (const id of ['Api', 'NoPages']) {
      const { location = '' } = await new Browser().get(app.address({ client_id: outputs[id] }));
      expect(new URL(location).searchParams.get('error')).toBe('unauthorized_client');
    }
  });

  it('is a domain or a page that is not there, or the client of another pool', async () => {
    const at = (host: string, path: string) => fetch(`${runtime.config.endpoint}/${host}.amazoncognito.com${path}`);
    const address = app.address().slice(base.length);
    expect((await at('nobody.auth.us-east-1', address)).status).toBe(404);
    expect((await at('people.auth.us-east-1', '/other')).status).toBe(404);
    expect((await at('others.auth.us-east-1', address)).status).toBe(400);
  });
});

describe('the sign-in page', () => {
  it('works without scripts, from nowhere else, in no frame, and shows what was typed as text', async () => {
    const browser = new Browser();
    const page = await browser.visit(app.address({ login_hint: '"><script>alert(1)</script>' }));

    expect(isLogin(page)).toBe(true);
    expect(page.text).not.toMatch(/<script|src=|@import|url\(|href=/);
    expect(page.text).toContain('&quot;&gt;&lt;script&gt;');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    const [, style = ''] = /<style>([^<]*)<\/style>/.exec(page.text) ?? [];
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' http://localhost:3000");
    expect(page.headers.get('set-cookie')).toMatch(/^XSRF-TOKEN=.*; Path=\/people\.auth.*; HttpOnly; SameSite=Lax$/);
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  it('takes the right password after a wrong one, and locks after five', async () => {
    const [email, browser] = [await newPerson(), new Browser()];
    const page = await browser.visit(app.address());
    const wrong = await browser.submit(page, { username: email, password: 'wrong' });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('Incorrect username or password.');
    expect(wrong.text).toContain(`value="${email}"`);
    const right = await browser.submit(wrong, { password: PASSWORD });
    expect(right.status).toBe(302);
    expect(right.headers.get('set-cookie')).toMatch(/^cognito=.*; HttpOnly; SameSite=Lax$/);

    for (let attempt = 0; attempt < 5; attempt += 1) await browser.submit(page, { username: email, password: 'wrong' });
    expect((await browser.submit(page, { username: email, password: PASSWORD })).text).toContain('attempts exceeded');
  });

  it('takes its form from the browser that it was shown to, and from no other site', async () => {
    const [email, browser] = [await newPerson(), new Browser()];
    const page = await browser.visit(app.address());
    const given = { username: email, password: PASSWORD };

    expect((await new Browser().submit(page, given)).status).toBe(403);
    expect((await browser.submit(page, { ...given, _csrf: 'x' })).status).toBe(403);
    expect((await browser.submit(page, given, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const attacker = new Browser();
    const theirs = await attacker.visit(app.address());
    const csrf = /name="_csrf" value="([^"]+)"/.exec(theirs.text)?.[1] ?? '';
    expect((await browser.submit(page, { ...given, _csrf: csrf })).status).toBe(403);
    expect((await browser.submit(page, given, { 'sec-fetch-site': 'same-origin' })).status).toBe(302);
  });

  it('asks for a new password in place of a temporary one, and for what the pool requires', async () => {
    const [email, browser] = [await newPerson({ temporary: true }), new Browser()];
    const page = await browser.visit(app.address());
    const asked = await browser.submit(page, { username: email, password: PASSWORD });
    expect(asked.text).toContain('Choose a new password');
    const weak = await browser.submit(asked, { password: 'weak', 'userAttributes.nickname': 'Neo' });
    expect(weak.status).toBe(400);
    expect(weak.text).toContain('Password did not conform with policy');

    const { location = '' } = await browser.submit(weak, {
      password: 'Another-Horse-2',
      'userAttributes.nickname': 'Neo',
    });

    const { body } = await app.redeem(codeOf(new URL(location)));
    expect(await (await userInfo(body.access_token)).json()).toMatchObject({ email });
    await expect(admin('AdminGetUser', { UserPoolId, Username: email })).resolves.toMatchObject({
      UserStatus: 'CONFIRMED',
      UserAttributes: expect.arrayContaining([{ Name: 'nickname', Value: 'Neo' }]),
    });
  });

  it('asks for the code of an authenticator app', async () => {
    const [email, browser] = [await newPerson(), new Browser()];
    const api = publicClient(runtime, USER_POOLS);
    const AuthParameters = { USERNAME: email, PASSWORD };
    const signedIn = await api('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: outputs.App,
      AuthParameters,
    });
    const { AccessToken } = tokensOf(signedIn);
    const { SecretCode } = await api('AssociateSoftwareToken', { AccessToken });
    const now = Number(claimsOf(AccessToken).iat);
    await api('VerifySoftwareToken', { AccessToken, UserCode: totpCode(String(SecretCode), now) });
    await api('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });
    const page = await browser.visit(app.address());

    const asked = await browser.submit(page, { username: email, password: PASSWORD });
    expect(asked.text).toContain('Enter the code of your authenticator app');
    expect(asked.headers.get('set-cookie')).not.toContain('cognito=');
    const wrong = await browser.submit(asked, { code: '12345' });
    expect(wrong.status).toBe(400);
    const right = await browser.submit(wrong, { code: totpCode(String(SecretCode), now + 30) });

    expect(right.status).toBe(302);
    expect((await app.redeem(codeOf(new URL(right.location ?? '')))).status).toBe(200);
  });
});

describe('a browser that has signed in', () => {
  it('is not asked again within the hour, by any client of the pool, unless the app wants it', async () => {
    const [email, browser] = [await newPerson(), new Browser()];
    const first = await app.redeem(codeOf(await signIn(browser, email)));
    await runtime.advance(1800);

    const { location = '' } = await browser.get(server.address({ prompt: 'none' }));
    expect(location.startsWith(`${SERVER_CALLBACK}&code=`)).toBe(true);
    const second = await server.redeem(codeOf(new URL(location)));
    expect(claimsOf(String(second.body.id_token)).auth_time).toBe(claimsOf(String(first.body.id_token)).auth_time);
    expect(isLogin(await browser.visit(app.address({ prompt: 'login' })))).toBe(true);

    await runtime.advance(1800);
    expect(isLogin(await browser.visit(app.address()))).toBe(true);
  });

  it('is asked again after /logout, which goes to an address of the client or to the sign-in page', async () => {
    const browser = new Browser();
    await signIn(browser, await newPerson());
    const logout = (parameters: Readonly<Record<string, string>>) =>
      browser.get(`${base}/logout?${new URLSearchParams({ client_id: app.clientId, ...parameters })}`);
    expect((await logout({ logout_uri: 'https://evil.example' })).status).toBe(400);
    expect((await browser.get(app.address())).location).toContain(`${CALLBACK}?code=`);

    expect(await logout({ logout_uri: 'http://localhost:3000/bye' })).toMatchObject({
      status: 302,
      location: 'http://localhost:3000/bye',
    });

    expect(browser.cookie('cognito')).toBeUndefined();
    expect(isLogin(await browser.visit(app.address()))).toBe(true);
    expect(isLogin(await browser.visit(app.address({}, '/logout')))).toBe(true);
  });

  it('is nobody any more when the user has been disabled, or the cookie is kept after /logout', async () => {
    const [email, browser] = [await newPerson(), new Browser()];
    await signIn(browser, email);
    const cookie = `cognito=${browser.cookie('cognito')}`;
    const stolen = new Browser();
    expect((await stolen.get(app.address(), { cookie })).location).toContain('code=');

    await admin('AdminDisableUser', { UserPoolId, Username: email });
    expect((await stolen.get(app.address(), { cookie })).location).toContain('/login?');
    await admin('AdminEnableUser', { UserPoolId, Username: email });
    await browser.get(`${base}/logout?client_id=${app.clientId}&logout_uri=http://localhost:3000/bye`);

    expect((await stolen.get(app.address(), { cookie })).location).toContain('/login?');
  });
});

describe('web pages and other programs', () => {
  it('find the endpoints in openid-configuration, where the pool has a domain', async () => {
    const read = async (id: string | undefined) =>
      (await fetch(`${runtime.config.endpoint}/${id}/.well-known/openid-configuration`)).json();

    expect(await read(UserPoolId)).toMatchObject({
      issuer: `https://cognito-idp.us-east-1.amazonaws.com/${UserPoolId}`,
      authorization_endpoint: `${base}/oauth2/authorize`,
      token_endpoint: `${base}/oauth2/token`,
      userinfo_endpoint: `${base}/oauth2/userInfo`,
      revocation_endpoint: `${base}/oauth2/revoke`,
      end_session_endpoint: `${base}/logout`,
    });
    expect(await read(outputs.HiddenId)).not.toHaveProperty('authorization_endpoint');
  });

  it('may call the endpoints for tokens from any origin, and not the pages', async () => {
    const ask = (endpoint: string) =>
      fetch(`${base}${endpoint}`, {
        method: 'OPTIONS',
        headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' },
      });
    for (const endpoint of ['/oauth2/token', '/oauth2/userInfo', '/oauth2/revoke']) {
      expect((await ask(endpoint)).headers.get('access-control-allow-origin')).toBe('*');
    }
    expect((await ask('/login')).status).toBe(405);
  });
});
