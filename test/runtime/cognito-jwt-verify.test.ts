/** `aws-jwt-verify` inside a function: what AWS's own library says of the tokens of a user pool. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { buildSync } from 'esbuild';
import { adminOf, claimsOf, publicClient, type Tokens, tokensOf, USER_POOLS } from '../support/cognito.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

const PASSWORD = 'Correct-Horse-1';

/**
 * The library as it stands; its fetcher asks the endpoint that the SDK would ask. On AWS the variable is not set, and the
 * keys come from the issuer.
 */
const FUNCTION = `
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

const { AWS_ENDPOINT_URL, POOL_ID, CLIENT_ID } = process.env;
const fetcher = {
  async fetch(uri) {
    const response = await fetch(AWS_ENDPOINT_URL ? AWS_ENDPOINT_URL + new URL(uri).pathname : uri);
    return response.arrayBuffer();
  },
};
const verifier = CognitoJwtVerifier.create(
  { userPoolId: POOL_ID, clientId: CLIENT_ID, tokenUse: null },
  { jwksCache: new SimpleJwksCache({ fetcher }) },
);

export async function handler({ token, ...more }) {
  try {
    return { claims: await verifier.verify(token, more) };
  } catch (error) {
    return { refused: error.constructor.name };
  }
}
`;

const bundle = buildSync({
  stdin: { contents: FUNCTION, resolveDir: __dirname },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  write: false,
}).outputFiles[0]?.text;

const client = { UserPoolId: { Ref: 'People' }, ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] };
const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool')
  .add('App', 'AWS::Cognito::UserPoolClient', client)
  .add('Other', 'AWS::Cognito::UserPoolClient', client)
  .add('Owners', 'AWS::Cognito::UserPoolGroup', { UserPoolId: { Ref: 'People' }, GroupName: 'owners' })
  .addFunction('verify', {
    code: { 'index.js': bundle ?? '' },
    properties: { Environment: { Variables: { POOL_ID: { Ref: 'People' }, CLIENT_ID: { Ref: 'App' } } } },
  })
  .addOutput('PoolId', { Ref: 'People' })
  .addOutput('App', { Ref: 'App' })
  .addOutput('Other', { Ref: 'Other' });

let runtime: Runtime;
let lambda: LambdaClient;
let outputs: Readonly<Record<string, string>>;

beforeAll(async () => {
  runtime = await assembly.start();
  lambda = new LambdaClient(runtime.config);
  outputs = runtime.endpoints.outputs.Test ?? {};
  const [admin, user] = [adminOf(runtime), { UserPoolId: outputs.PoolId, Username: 'anna' }];
  await admin('AdminCreateUser', { ...user, MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { ...user, Password: PASSWORD, Permanent: true });
  await admin('AdminAddUserToGroup', { ...user, GroupName: 'owners' });
});
afterAll(() => runtime?.stop());

async function signIn(ClientId = outputs.App): Promise<Tokens> {
  const AuthParameters = { USERNAME: 'anna', PASSWORD };
  const flow = { AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters };
  return tokensOf(await publicClient(runtime, USER_POOLS)('InitiateAuth', flow));
}

async function verify(token: string, more: object = {}): Promise<unknown> {
  const Payload = JSON.stringify({ token, ...more });
  const answer = await lambda.send(new InvokeCommand({ FunctionName: 'verify', Payload }));
  return JSON.parse(answer.Payload?.transformToString() ?? '');
}

it('takes ID and access tokens, and sees their use, scope and groups', async () => {
  const { AccessToken, IdToken } = await signIn();

  expect(await verify(IdToken, { tokenUse: 'id' })).toEqual({ claims: claimsOf(IdToken) });
  expect(await verify(AccessToken, { tokenUse: 'access', groups: 'owners' })).toEqual({
    claims: claimsOf(AccessToken),
  });
  expect(await verify(AccessToken, { scope: 'aws.cognito.signin.user.admin' })).toHaveProperty('claims');
  expect(await verify(AccessToken, { tokenUse: 'id' })).toEqual({ refused: 'CognitoJwtInvalidTokenUseError' });
  expect(await verify(AccessToken, { scope: 'things/read' })).toEqual({ refused: 'JwtInvalidScopeError' });
  expect(await verify(IdToken, { groups: 'operators' })).toEqual({ refused: 'CognitoJwtInvalidGroupError' });
});

it('refuses tokens of another client, forged ones, and those that have expired in virtual time', async () => {
  const { IdToken } = await signIn();
  const [header, , signature] = IdToken.split('.');
  const forged = Buffer.from(JSON.stringify({ ...claimsOf(IdToken), sub: 'someone else' })).toString('base64url');

  expect(await verify((await signIn(outputs.Other)).IdToken)).toEqual({ refused: 'CognitoJwtInvalidClientIdError' });
  expect(await verify(`${header}.${forged}.${signature}`)).toEqual({ refused: 'JwtInvalidSignatureError' });
  await runtime.advance(3600);
  expect(await verify(IdToken)).toEqual({ refused: 'JwtExpiredError' });
  expect(await verify((await signIn()).IdToken)).toHaveProperty('claims');
});
