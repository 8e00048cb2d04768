/** HTTP APIs through real HTTP: routes, events, answers, stages, limits. */

import { Duration } from 'aws-cdk-lib';
import {
  CfnDeployment,
  CfnStage,
  CorsHttpMethod,
  HttpMethod,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { type CfnFunction, CfnPermission } from 'aws-cdk-lib/aws-lambda';
import type { Runtime } from '../support/runtime.ts';
import { untilItPasses } from '../support/until-it-passes.ts';
import { ApiStack, echoed } from './apigateway-fixture.ts';

let stack: ApiStack;
let runtime: Runtime;
let url: string;

beforeAll(async () => {
  stack = new ApiStack();
  const echo = stack.echo();
  const api = stack.api('Api');
  stack.routes(api, echo, 'GET /pets/dog/1', 'GET /pets/dog/{id}', 'GET /pets/{proxy+}', 'ANY /{proxy+}');
  stack.routes(api, echo, 'ANY /pets/dog/{name}', 'POST /things/{thing}/commands');
  const v1 = new HttpLambdaIntegration('V1', echo, { payloadFormatVersion: PayloadFormatVersion.VERSION_1_0 });
  api.addRoutes({ path: '/v1/{id}', methods: [HttpMethod.GET], integration: v1 });
  const hasty = new HttpLambdaIntegration('Hasty', echo, { timeout: Duration.millis(50) });
  api.addRoutes({ path: '/hasty', methods: [HttpMethod.GET], integration: hasty });
  api.addStage('Beta', { stageName: 'beta', autoDeploy: true, stageVariables: { colour: 'blue' } });

  const busy = stack.echo('Busy');
  (busy.node.defaultChild as CfnFunction).reservedConcurrentExecutions = 0;
  stack.routes(api, busy, 'GET /busy');

  const cors = stack.api('Cors', {
    corsPreflight: {
      allowOrigins: ['https://app.example', 'http://*'],
      allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST],
      allowHeaders: ['authorization'],
      exposeHeaders: ['x-own'],
      allowCredentials: true,
      maxAge: Duration.hours(1),
    },
  });
  stack.routes(cors, echo, 'GET /open');

  const forbidden = stack.api('Unpermitted');
  stack.routes(forbidden, stack.echo('Closed'), 'GET /');
  for (const each of stack.stack.node.findAll()) {
    // The permission of this API is for another path.
    if (each instanceof CfnPermission && each.node.path.includes('/Unpermitted/')) {
      each.sourceArn = `arn:aws:execute-api:us-east-1:123456789012:${forbidden.apiId}/*/*/elsewhere`;
    }
  }

  const staged = stack.api('Staged', { createDefaultStage: false });
  stack.routes(staged, echo, 'GET /early');
  const deployment = new CfnDeployment(stack.stack, 'Early', { apiId: staged.apiId });
  deployment.node.addDependency(...staged.node.findAll().filter((each) => each !== staged));
  const props = { apiId: staged.apiId, deploymentId: deployment.ref };
  new CfnStage(stack.stack, 'Fixed', { ...props, stageName: '$default' });
  const other = new HttpLambdaIntegration('Late', echo);
  for (const late of staged.addRoutes({ path: '/late', methods: [HttpMethod.GET], integration: other })) {
    late.node.addDependency(deployment);
  }
  runtime = await stack.start();
  url = stack.output(runtime, 'ApiEndpoint');
});
afterAll(async () => {
  await runtime?.stop();
  stack.clean();
});

describe('routes', () => {
  it.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['DELETE', '/pets/dog/2', 'ANY /pets/dog/{name}', { name: '2' }],
    ['GET', '/pets/cat/1/2', 'GET /pets/{proxy+}', { proxy: 'cat/1/2' }],
    ['POST', '/pets/cat', 'ANY /{proxy+}', { proxy: 'pets/cat' }],
    ['POST', '/things/a%20b/commands', 'POST /things/{thing}/commands', { thing: 'a b' }],
  ])('%s %s', async (method, path, routeKey, pathParameters) => {
    const event = await echoed(await fetch(url + path, { method }));
    expect(event).toMatchObject({ routeKey, rawPath: decodeURIComponent(path) });
    expect(event.pathParameters).toEqual(pathParameters);
  });

  it('answers 404 where there is none', async () => {
    const response = await fetch(`${url}/`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ message: 'Not Found' });
    expect(response.headers.get('apigw-requestid')).toMatch(/^[\w]{15}=$/);
  });
});

describe('payload format 2.0', () => {
  it('has what AWS sends', async () => {
    const response = await fetch(`${url}/pets/dog/7?a=1&a=2&b=x%20y`, {
      headers: { cookie: 'c=1; d=2', 'X-Mixed': 'One', 'user-agent': 'test' },
    });
    const event = await echoed(response);
    expect(event).toEqual({
      version: '2.0',
      routeKey: 'GET /pets/dog/{id}',
      rawPath: '/pets/dog/7',
      rawQueryString: 'a=1&a=2&b=x%20y',
      cookies: ['c=1', 'd=2'],
      headers: expect.objectContaining({ 'x-mixed': 'One', host: new URL(url).host, 'x-forwarded-proto': 'http' }),
      queryStringParameters: { a: '1,2', b: 'x y' },
      pathParameters: { id: '7' },
      isBase64Encoded: false,
      requestContext: {
        accountId: '123456789012',
        apiId: stack.output(runtime, 'ApiId'),
        domainName: `${stack.output(runtime, 'ApiId')}.execute-api.us-east-1.amazonaws.com`,
        domainPrefix: stack.output(runtime, 'ApiId'),
        http: { method: 'GET', path: '/pets/dog/7', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId: response.headers.get('apigw-requestid'),
        routeKey: 'GET /pets/dog/{id}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
    });
    expect(event.headers.cookie).toBeUndefined();
  });

  it.each([
    ['application/json', '{"a":1}', '{"a":1}', false],
    ['text/csv; charset=utf-8', 'ä', 'ä', false],
    ['application/x-www-form-urlencoded', 'a=1', 'YT0x', true],
    ['application/octet-stream', Buffer.from([0, 255]), 'AP8=', true],
    ['text/plain', Buffer.from([0, 255]), 'AP8=', true],
  ])('sends a body of type %s', async (type, body, expected, isBase64Encoded) => {
    const event = await echoed(await fetch(`${url}/x`, { method: 'POST', body, headers: { 'content-type': type } }));
    expect(event).toMatchObject({ body: expected, isBase64Encoded });
  });

  it('takes what a function answers', async () => {
    const full = await fetch(`${url}/x?mode=full`);
    expect([full.status, await full.text()]).toEqual([201, 'made']);
    expect(full.headers.getSetCookie()).toEqual(['a=1', 'b=2; Path=/']);
    expect(full.headers.get('x-own')).toBe('yes');
    const binary = await fetch(`${url}/x?mode=binary`);
    expect([...new Uint8Array(await binary.arrayBuffer())]).toEqual([0, 255]);
    const text = await fetch(`${url}/x?mode=text`);
    expect([text.status, text.headers.get('content-type'), await text.text()]).toEqual([
      200,
      'application/json',
      'only text',
    ]);
    const head = await fetch(`${url}/x?mode=full`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([201, '']);
  });
});

it('speaks payload format 1.0', async () => {
  const response = await fetch(`${url}/v1/7?a=1&a=2`, { headers: { cookie: 'c=1' } });
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  const event = await echoed(response);
  expect(event).toMatchObject({
    version: '1.0',
    resource: '/v1/{id}',
    path: '/v1/7',
    httpMethod: 'GET',
    headers: { cookie: 'c=1' },
    queryStringParameters: { a: '2' },
    multiValueQueryStringParameters: { a: ['1', '2'] },
    pathParameters: { id: '7' },
    stageVariables: null,
    body: null,
    isBase64Encoded: false,
    requestContext: { resourcePath: '/v1/{id}', identity: { sourceIp: '127.0.0.1', accessKey: null } },
  });
  // Nothing is inferred from a result without a status code.
  expect((await fetch(`${url}/v1/7?mode=text`)).status).toBe(500);
});

describe('stages', () => {
  it('serves a named stage under its name', async () => {
    const event = await echoed(await fetch(`${url}/beta/pets/dog/1`));
    expect(event).toMatchObject({
      routeKey: 'GET /pets/dog/1',
      rawPath: '/beta/pets/dog/1',
      stageVariables: { colour: 'blue' },
      requestContext: { stage: 'beta' },
    });
  });

  it('serves what was deployed, not what came later', async () => {
    const endpoint = stack.output(runtime, 'StagedEndpoint');
    expect((await fetch(`${endpoint}/early`)).status).toBe(200);
    expect((await fetch(`${endpoint}/late`)).status).toBe(404);
  });
});

describe('what goes wrong', () => {
  it.each(['throw', 'status', 'body', 'header'])('answers 500 without a reason: %s', async (mode) => {
    const response = await fetch(`${url}/x?mode=${mode}`);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  it('answers 503 when the function takes too long', async () => {
    const response = await fetch(`${url}/hasty?mode=hang`);
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
  });

  it('answers 503 when the function has no concurrency left', async () => {
    const response = await fetch(`${url}/busy`);
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
  });

  it('answers 500 when the function does not permit this route', async () => {
    const response = await fetch(stack.output(runtime, 'UnpermittedEndpoint'));
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    await untilItPasses(async () => {
      expect(runtime.output()).toContain('is not authorized to perform: lambda:InvokeFunction');
    }, 10);
  });

  it('refuses what is too large', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    const large = await fetch(`${url}/x`, { method: 'POST', body });
    expect([large.status, await large.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
    const long = await fetch(`${url}/x`, { headers: { 'x-long': 'x'.repeat(10_240) } });
    expect(long.status).toBe(431);
  });
});

describe('CORS', () => {
  const preflight = (origin: string) =>
    fetch(`${stack.output(runtime, 'CorsEndpoint')}/anything`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
  const corsHeaders = ({ headers }: Response) =>
    Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

  it('answers a preflight request itself', async () => {
    const response = await preflight('https://app.example');
    expect([response.status, corsHeaders(response)]).toEqual([
      204,
      {
        'access-control-allow-origin': 'https://app.example',
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': 'authorization',
        'access-control-expose-headers': 'x-own',
        'access-control-max-age': '3600',
      },
    ]);
    expect(corsHeaders(await preflight('http://localhost:3000'))).toMatchObject({
      'access-control-allow-origin': 'http://localhost:3000',
    });
  });

  it('gives nothing to another origin', async () => {
    const response = await preflight('https://app.example.evil');
    expect([response.status, corsHeaders(response)]).toEqual([204, {}]);
  });

  it('replaces what the function says, and speaks for errors too', async () => {
    const endpoint = stack.output(runtime, 'CorsEndpoint');
    const headers = { origin: 'https://app.example' };
    const allowed = { 'access-control-allow-origin': 'https://app.example' };
    expect(corsHeaders(await fetch(`${endpoint}/open?mode=cors`, { headers }))).toMatchObject(allowed);
    expect(corsHeaders(await fetch(`${endpoint}/none`, { headers }))).toMatchObject(allowed);
    expect(corsHeaders(await fetch(`${endpoint}/open?mode=cors`))).toEqual({});
  });
});

it('tells where the first API is', () => {
  expect(runtime.endpoints.apiUrl).toBe(url);
});

it('is there again after a reset', async () => {
  await runtime.reset();
  expect((await fetch(`${url}/pets/dog/1`)).status).toBe(200);
});
