/** HTTP APIs in templates: what stops the start, what outlives it, how an API follows its template. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { CfnApi, CfnAuthorizer, CfnDomainName, CfnIntegration, CfnRoute, CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { ApiStack, echoed } from './apigateway-fixture.ts';

const stacks: ApiStack[] = [];
function newStack(): ApiStack {
  const stack = new ApiStack();
  stacks.push(stack);
  return stack;
}
afterEach(() => {
  for (const stack of stacks.splice(0)) stack.clean();
});

const HTTP = { name: 'x', protocolType: 'HTTP' };

it.each<[string, (api: ApiStack) => unknown, RegExp]>([
  [
    'WebSocket APIs',
    ({ stack }) => new CfnApi(stack, 'Bad', { name: 'x', protocolType: 'WEBSOCKET' }),
    /Web\/Bad \(AWS::ApiGatewayV2::Api\): .*WEBSOCKET/,
  ],
  [
    'a domain name',
    ({ stack }) => new CfnDomainName(stack, 'Bad', { domainName: 'api.example.com' }),
    /Web\/Bad \(AWS::ApiGatewayV2::DomainName\): .*custom domain names/,
  ],
  [
    'an unknown property',
    ({ stack }) => new CfnApi(stack, 'Bad', { ...HTTP, target: 'arn:aws:lambda:us-east-1:123456789012:function:f' }),
    /Web\/Bad \(AWS::ApiGatewayV2::Api\) Target: /,
  ],
  [
    'an API that nobody could reach',
    ({ stack }) => new CfnApi(stack, 'Bad', { ...HTTP, disableExecuteApiEndpoint: true }),
    /Web\/Bad .*DisableExecuteApiEndpoint/,
  ],
  [
    'credentials for everybody',
    ({ stack }) =>
      new CfnApi(stack, 'Bad', { ...HTTP, corsConfiguration: { allowCredentials: true, allowOrigins: ['*'] } }),
    /Web\/Bad .*allow-credentials/,
  ],
  [
    'a proxy to elsewhere',
    (api) =>
      new CfnIntegration(api.stack, 'Bad', {
        apiId: api.api('Api').apiId,
        integrationType: 'HTTP_PROXY',
        integrationUri: 'https://example.com',
        payloadFormatVersion: '1.0',
      }),
    /Web\/Bad .*HTTP_PROXY/,
  ],
  [
    'an issuer on another machine',
    (api) =>
      new CfnAuthorizer(api.stack, 'Bad', {
        apiId: api.api('Api').apiId,
        name: 'x',
        authorizerType: 'JWT',
        identitySource: ['$request.header.Authorization'],
        jwtConfiguration: { issuer: 'https://login.example.com', audience: ['x'] },
      }),
    /Web\/Bad .*issuer https:\/\/login\.example\.com/,
  ],
  [
    'a route without the authorizer that it needs',
    (api) =>
      new CfnRoute(api.stack, 'Bad', { apiId: api.api('Api').apiId, routeKey: 'GET /', authorizationType: 'JWT' }),
    /Web\/Bad .*Authorizer/,
  ],
  [
    'a route that is none',
    (api) => new CfnRoute(api.stack, 'Bad', { apiId: api.api('Api').apiId, routeKey: 'GET /{a+}/b' }),
    /Web\/Bad .*route key/,
  ],
  [
    'an access log that is no log group',
    (api) =>
      new CfnStage(api.stack, 'Bad', {
        apiId: api.api('Api').apiId,
        stageName: 'x',
        accessLogSettings: {
          destinationArn: 'arn:aws:firehose:us-east-1:123456789012:deliverystream/x',
          format: '$context.requestId',
        },
      }),
    /Web\/Bad .*access logs/,
  ],
])('stops the start: %s', async (_name, build, message) => {
  const stack = newStack();
  build(stack);
  await expect(stack.start()).rejects.toThrow(message);
});

it('outlives the runtime with --data, and follows its template', async () => {
  const data = mkdtempSync(path.join(os.tmpdir(), 'thingstead-apigateway-data-'));
  const build = (keys: readonly string[], maxAge: number) => {
    const stack = newStack();
    const api = stack.api('Api', { corsPreflight: { allowOrigins: ['*'], maxAge: Duration.seconds(maxAge) } });
    stack.routes(api, stack.echo(), ...keys);
    return stack;
  };
  try {
    const first = build(['GET /a', 'GET /b'], 10);
    const before = await first.start({ args: ['--data', path.join(data, 'kept')] });
    const { apiUrl } = before.endpoints;
    const portOffset = Number(new URL(before.endpoints.awsEndpoint).port) - 4566;
    expect((await fetch(`${apiUrl}/b`)).status).toBe(200);
    await before.stop();

    const second = build(['GET /a', 'GET /c'], 20);
    const after = await second.start({ args: ['--data', path.join(data, 'kept')], portOffset });
    try {
      expect(after.endpoints.apiUrl).toBe(apiUrl);
      expect(await echoed(await fetch(`${apiUrl}/c`))).toMatchObject({ routeKey: 'GET /c' });
      expect((await fetch(`${apiUrl}/b`)).status).toBe(404);
      const preflight = { origin: 'http://x', 'access-control-request-method': 'GET' };
      const { headers } = await fetch(`${apiUrl}/a`, { method: 'OPTIONS', headers: preflight });
      expect(headers.get('access-control-max-age')).toBe('20');
    } finally {
      await after.stop();
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
