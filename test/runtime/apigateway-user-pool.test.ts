/** An HTTP API that trusts a user pool of the account. */
import { CfnOutput } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUserPoolAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { CfnUserPool, CfnUserPoolClient, UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { adminOf, publicClient, tokensOf, USER_POOLS } from '../support/cognito.ts';
import type { Runtime } from '../support/runtime.ts';
import { ApiStack, echoed } from './apigateway-fixture.ts';

const PASSWORD = 'Correct-Horse-1';

let stack: ApiStack;
let runtime: Runtime;

beforeAll(async () => {
  stack = new ApiStack();
  const api = stack.api('Api');
  const people = new CfnUserPool(stack.stack, 'People');
  const userPoolId = people.ref;
  const explicitAuthFlows = ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'];
  const client = (id: string) => new CfnUserPoolClient(stack.stack, id, { userPoolId, explicitAuthFlows }).ref;
  const app = client('App');
  const pool = UserPool.fromUserPoolId(stack.stack, 'Pool', userPoolId);
  const userPoolClients = [UserPoolClient.fromUserPoolClientId(stack.stack, 'Client', app)];
  api.addRoutes({
    path: '/me',
    methods: [HttpMethod.GET],
    integration: new HttpLambdaIntegration('Target', stack.echo()),
    authorizer: new HttpUserPoolAuthorizer('People', pool, { userPoolClients }),
  });
  new CfnOutput(stack.stack, 'PoolId', { value: userPoolId });
  new CfnOutput(stack.stack, 'AppId', { value: app });
  new CfnOutput(stack.stack, 'OtherId', { value: client('Other') });
  runtime = await stack.start();
});
afterAll(async () => {
  await runtime?.stop();
  stack.clean();
});

it('lets in who has signed in with its client, while the token lives', async () => {
  const [UserPoolId, Username] = [stack.output(runtime, 'PoolId'), 'ada'];
  const admin = adminOf(runtime);
  await admin('AdminCreateUser', { UserPoolId, Username, MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { UserPoolId, Username, Password: PASSWORD, Permanent: true });
  const signIn = async (ClientId: string) => {
    const AuthParameters = { USERNAME: Username, PASSWORD: PASSWORD };
    const flow = { AuthFlow: 'USER_PASSWORD_AUTH', ClientId, AuthParameters };
    return tokensOf(await publicClient(runtime, USER_POOLS)('InitiateAuth', flow));
  };
  const me = (token: string) =>
    fetch(`${stack.output(runtime, 'ApiEndpoint')}/me`, { headers: { authorization: `Bearer ${token}` } });

  const { AccessToken, IdToken } = await signIn(stack.output(runtime, 'AppId'));
  for (const [token, use] of [
    [AccessToken, 'access'],
    [IdToken, 'id'],
  ] as const) {
    const { requestContext } = await echoed(await me(token));
    expect(requestContext.authorizer).toMatchObject({ jwt: { claims: { token_use: use } } });
  }
  expect((await me((await signIn(stack.output(runtime, 'OtherId'))).AccessToken)).status).toBe(401);
  await runtime.advance(3600);
  expect((await me(AccessToken)).headers.get('www-authenticate')).toContain('the token has expired');
});
