/** Who may reach a route of an HTTP API: tokens, signatures, functions that decide. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { Duration } from 'aws-cdk-lib';
import { HttpMethod, type IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpIamAuthorizer,
  HttpJwtAuthorizer,
  HttpLambdaAuthorizer,
  HttpLambdaResponseType,
} from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AccountRootPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Runtime } from '../support/runtime.ts';
import { ApiStack, echoed, Issuer, strangersKey } from './apigateway-fixture.ts';

/** Counts how often it was asked, in the context; `deny`, `throw` and `odd` in the header decide otherwise. */
const SIMPLE = `let asked = 0;
exports.handler = async (event) => {
  asked += 1;
  const [word] = event.identitySource;
  if (word === 'throw') throw new Error('broken');
  if (word === 'odd') return { isAuthorized: 'yes' };
  return { isAuthorized: word !== 'deny', context: { asked, routeArn: event.routeArn, type: event.type } };
};`;

/** Allows GET only, by a policy. */
const POLICY = `exports.handler = async (event) => {
  if (event.authorizationToken === 'unauthorized') throw new Error('Unauthorized');
  const Resource = event.methodArn.replace(/\\/(GET|POST)\\/.*$/, '/GET/*');
  return {
    principalId: 'ada',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource }],
    },
    context: { plan: 'basic' },
  };
};`;

let stack: ApiStack;
let issuer: Issuer;
let runtime: Runtime;
let url: string;

beforeAll(async () => {
  issuer = await Issuer.start();
  stack = new ApiStack();
  const api = stack.api('Api');
  const target = new HttpLambdaIntegration('Target', stack.echo());
  const add = (path: string, authorizer: IHttpRouteAuthorizer, authorizationScopes: string[] = []) =>
    api.addRoutes({
      path,
      methods: [HttpMethod.GET, HttpMethod.POST],
      integration: target,
      authorizer,
      authorizationScopes,
    });
  const jwt = new HttpJwtAuthorizer('Jwt', issuer.url, { jwtAudience: ['app', 'other'] });
  add('/token', jwt);
  add('/scoped', jwt, ['things/read', 'things/write']);
  const simple = stack.fn('Simple', SIMPLE);
  const simpleOptions = { responseTypes: [HttpLambdaResponseType.SIMPLE], identitySource: ['$request.header.x-word'] };
  add(
    '/simple',
    new HttpLambdaAuthorizer('Cached', simple, { ...simpleOptions, resultsCacheTtl: Duration.minutes(5) }),
  );
  add('/fresh', new HttpLambdaAuthorizer('Fresh', simple, { ...simpleOptions, resultsCacheTtl: Duration.seconds(0) }));
  const byPolicy = { responseTypes: [HttpLambdaResponseType.IAM], resultsCacheTtl: Duration.minutes(5) };
  add('/policy', new HttpLambdaAuthorizer('Policy', stack.fn('Policies', POLICY), byPolicy));
  add('/signed/{name}', new HttpIamAuthorizer());
  new Role(stack.stack, 'Reader', { roleName: 'reader', assumedBy: new AccountRootPrincipal() }).addToPolicy(
    new PolicyStatement({
      actions: ['execute-api:Invoke'],
      resources: [`arn:aws:execute-api:us-east-1:123456789012:${api.apiId}/*/GET/signed/one`],
    }),
  );
  runtime = await stack.start();
  url = stack.output(runtime, 'ApiEndpoint');
});
afterAll(async () => {
  await runtime?.stop();
  await issuer.stop();
  stack.clean();
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const good = () => ({ sub: 'ada', aud: 'app', exp: nowSeconds() + 600, iat: nowSeconds(), nbf: nowSeconds() });

function withToken(token: string, path = '/token'): Promise<Response> {
  return fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
}

async function refusal(response: Response): Promise<[number, string, string | null]> {
  const { message } = (await response.json()) as { message: string };
  return [response.status, message, response.headers.get('www-authenticate')];
}

describe('JWT', () => {
  it('lets a good token in and gives its claims to the function as text', async () => {
    const claims = { ...good(), 'cognito:groups': ['a', 'b'], admin: true };
    const { requestContext } = await echoed(await withToken(issuer.token(claims)));
    expect(requestContext.authorizer).toEqual({
      jwt: {
        claims: {
          iss: issuer.url,
          sub: 'ada',
          aud: 'app',
          exp: String(claims.exp),
          iat: String(claims.iat),
          nbf: String(claims.nbf),
          'cognito:groups': '[a b]',
          admin: 'true',
        },
        scopes: null,
      },
    });
    expect((await fetch(`${url}/token`, { headers: { authorization: issuer.token(good()) } })).status).toBe(200);
  });

  it('takes client_id where there is no audience', async () => {
    const { aud: _, ...rest } = good();
    expect((await withToken(issuer.token({ ...rest, client_id: 'other' }))).status).toBe(200);
    expect((await withToken(issuer.token({ ...rest, aud: 'stranger', client_id: 'app' }))).status).toBe(401);
  });

  it('asks for a token', async () => {
    expect(await refusal(await fetch(`${url}/token`))).toEqual([401, 'Unauthorized', 'Bearer']);
  });

  it.each([
    [
      'another audience',
      () => issuer.token({ ...good(), aud: 'stranger' }),
      'the token does not have a valid audience',
    ],
    ['no audience', () => issuer.token({ ...good(), aud: undefined }), 'the token does not have a valid audience'],
    ['another issuer', () => issuer.token({ ...good(), iss: 'http://x' }), 'the token does not have a valid issuer'],
    ['it has expired', () => issuer.token({ ...good(), exp: nowSeconds() - 1 }), 'the token has expired'],
    ['it never expires', () => issuer.token({ ...good(), exp: undefined }), 'the token does not expire'],
    ['it is from the future', () => issuer.token({ ...good(), nbf: nowSeconds() + 60 }), 'the token is not valid yet'],
    ['another key', () => issuer.token(good(), { key: strangersKey() }), 'the token does not have a valid signature'],
    ['unknown key', () => issuer.token(good(), { kid: 'x' }), 'the token is signed with an unknown key'],
    ['no algorithm', () => issuer.token(good(), { alg: 'none' }), 'the token is not signed with an RSA algorithm'],
    ['a shared secret', () => issuer.token(good(), { alg: 'HS256' }), 'the token is not signed with an RSA algorithm'],
    ['no signature', () => issuer.token(good()).replace(/[^.]*$/, ''), 'invalid number of segments'],
    ['no token', () => 'open sesame', 'invalid number of segments'],
    ['no JSON', () => 'a.b.c', 'the token is not a JSON web token'],
  ])('refuses a token: %s', async (_name, token, description) => {
    expect(await refusal(await withToken(token()))).toEqual([
      401,
      'Unauthorized',
      `Bearer scope="" error="invalid_token" error_description="${description}"`,
    ]);
  });

  it('refuses claims that were changed after signing', async () => {
    const [header, , signature] = issuer.token(good()).split('.');
    const claims = Buffer.from(JSON.stringify({ iss: issuer.url, ...good(), sub: 'eve' })).toString('base64url');
    expect((await withToken(`${header}.${claims}.${signature}`)).status).toBe(401);
  });

  it('asks for one of the scopes of the route', async () => {
    const token = issuer.token({ ...good(), scope: 'openid things/read' });
    const { requestContext } = await echoed(await withToken(token, '/scoped'));
    expect(requestContext.authorizer).toMatchObject({ jwt: { scopes: ['openid', 'things/read'] } });
    const [status, message, challenge] = await refusal(await withToken(issuer.token(good()), '/scoped'));
    expect([status, message]).toEqual([403, 'Forbidden']);
    expect(challenge).toMatch(/^Bearer scope="things\/read things\/write" error="insufficient_scope"/);
  });
});

describe('functions that decide', () => {
  const ask = (path: string, word?: string, method = 'GET') =>
    fetch(url + path, { method, headers: word === undefined ? {} : { 'x-word': word, authorization: word } });
  const contextOf = async (response: Response) =>
    (await echoed(response)).requestContext.authorizer as { lambda: Record<string, unknown> };

  it('are asked once for an identity while the answer may be used', async () => {
    const first = await contextOf(await ask('/simple', 'ada'));
    expect(first.lambda).toMatchObject({
      type: 'REQUEST',
      routeArn: `arn:aws:execute-api:us-east-1:123456789012:${stack.output(runtime, 'ApiId')}/$default/GET/simple`,
    });
    expect(await contextOf(await ask('/simple', 'ada'))).toEqual(first);
    await runtime.advance(301);
    expect(await contextOf(await ask('/simple', 'ada'))).not.toEqual(first);
  });

  it('are asked each time without a cache', async () => {
    const first = await contextOf(await ask('/fresh', 'ada'));
    expect((await contextOf(await ask('/fresh', 'ada'))).lambda.asked).toBe(Number(first.lambda.asked) + 1);
  });

  it('refuse, fail, or are not asked at all', async () => {
    expect(await refusal(await ask('/simple', 'deny'))).toEqual([403, 'Forbidden', null]);
    expect(await refusal(await ask('/simple', 'throw'))).toEqual([500, 'Internal Server Error', null]);
    expect(await refusal(await ask('/simple', 'odd'))).toEqual([500, 'Internal Server Error', null]);
    expect(await refusal(await ask('/simple'))).toEqual([401, 'Unauthorized', null]);
  });

  it('answer with a policy', async () => {
    expect((await contextOf(await ask('/policy', 'ada'))).lambda).toEqual({ plan: 'basic' });
    // The policy is kept, and is asked about each request.
    expect(await refusal(await ask('/policy', 'ada', 'POST'))).toEqual([403, 'Forbidden', null]);
    expect(await refusal(await ask('/policy', 'unauthorized'))).toEqual([401, 'Unauthorized', null]);
  });
});

describe('signatures', () => {
  type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  async function signed(credentials: Keys, path: string, { method = 'GET', service = 'execute-api' } = {}) {
    const { hostname, port, host } = new URL(url);
    const signer = new SignatureV4({ region: 'us-east-1', credentials, service, sha256: Sha256 });
    const request = new HttpRequest({ method, hostname, port: Number(port), path, headers: { host } });
    return fetch(url + path, { method, headers: (await signer.sign(request)).headers });
  }

  it('let in whom the policies allow, for this route only', async () => {
    const { Credentials } = await new STSClient(runtime.config).send(
      new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::123456789012:role/reader', RoleSessionName: 'test' }),
    );
    const reader = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const { requestContext } = await echoed(await signed(reader, '/signed/one'));
    expect(requestContext.authorizer).toMatchObject({
      iam: {
        accessKey: reader.accessKeyId,
        accountId: '123456789012',
        userArn: 'arn:aws:sts::123456789012:assumed-role/reader/test',
      },
    });
    expect(await refusal(await signed(reader, '/signed/two'))).toEqual([403, 'Forbidden', null]);
    expect((await signed(reader, '/signed/one', { method: 'POST' })).status).toBe(403);
    expect((await signed({ ...reader, sessionToken: 'x' }, '/signed/one')).status).toBe(403);
  });

  it('have to be right', async () => {
    const { credentials } = runtime.config;
    expect((await signed(credentials, '/signed/two')).status).toBe(200);
    expect((await signed(credentials, '/signed/two', { service: 'lambda' })).status).toBe(403);
    expect((await signed({ ...credentials, secretAccessKey: 'x' }, '/signed/two')).status).toBe(403);
    expect((await fetch(`${url}/signed/two`)).status).toBe(403);
  });
});

describe('keys of an issuer', () => {
  // Virtual time has moved by now.
  const lasting = () => ({ ...good(), exp: nowSeconds() + 86_400 });

  it('are kept for two hours', async () => {
    expect((await withToken(issuer.token(lasting()))).status).toBe(200);
    const { fetches } = issuer;
    issuer.rotate();
    expect((await withToken(issuer.token(lasting()))).status).toBe(401);
    expect(issuer.fetches).toBe(fetches);
    await runtime.advance(7200);
    expect((await withToken(issuer.token(lasting()))).status).toBe(200);
    expect(issuer.fetches).toBe(fetches + 1);
  });

  it('are asked for again when the issuer did not answer', async () => {
    await runtime.advance(7200);
    issuer.isDown = true;
    const [status, , challenge] = await refusal(await withToken(issuer.token(lasting())));
    expect([status, challenge]).toEqual([401, expect.stringContaining('OIDC discovery endpoint communication error')]);
    issuer.isDown = false;
    expect((await withToken(issuer.token(lasting()))).status).toBe(200);
  });
});

it('forgets a token when virtual time has passed its end', async () => {
  const token = issuer.token({ ...good(), exp: nowSeconds() + 86_400 });
  expect((await withToken(token)).status).toBe(200);
  await runtime.advance(86_400);
  expect((await refusal(await withToken(token)))[2]).toContain('the token has expired');
});
