/** What HTTP APIs limit, record and tell: throttling, access logs, metrics, the meter, the control API. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { CfnOutput } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { CfnStage, HttpRoute, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Runtime } from '../support/runtime.ts';
import { ApiStack } from './apigateway-fixture.ts';

const FORMAT =
  '{"id":"$context.requestId","route":"$context.routeKey","status":$context.status,"path":"$context.path",' +
  '"agent":"$context.identity.userAgent","error":"$context.integrationErrorMessage","none":"$context.nothing"}';

let stack: ApiStack;
let runtime: Runtime;
let url: string;
let apiId: string;

beforeEach(async () => {
  stack = new ApiStack();
  const api = stack.api('Api', { createDefaultStage: false });
  stack.routes(api, stack.echo(), 'GET /a', 'GET /b', 'GET /b/{id}');
  const logs = new LogGroup(stack.stack, 'Access');
  new CfnOutput(stack.stack, 'LogGroup', { value: logs.logGroupName });
  const stage = new HttpStage(stack.stack, 'Default', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: 1, burstLimit: 2 },
    detailedMetricsEnabled: true,
    accessLogSettings: { destination: new LogGroupLogDestination(logs), format: AccessLogFormat.custom(FORMAT) },
  });
  const { defaultChild } = stage.node;
  if (!(defaultChild instanceof CfnStage)) throw new Error('the construct has no stage');
  defaultChild.routeSettings = { 'GET /b': { ThrottlingBurstLimit: 100, ThrottlingRateLimit: 100 } };
  stage.node.addDependency(...api.node.findAll().filter((each) => each instanceof HttpRoute));
  runtime = await stack.start();
  url = stack.output(runtime, 'ApiEndpoint');
  apiId = stack.output(runtime, 'ApiId');
});
afterEach(async () => {
  await runtime?.stop();
  stack.clean();
});

const statusOf = async (path: string) => (await fetch(url + path)).status;

it('lets a burst through, then what the rate allows, for each route', async () => {
  expect([await statusOf('/a'), await statusOf('/a')]).toEqual([200, 200]);
  // Real time goes on between the requests, so that more than one may be needed until the bucket is empty.
  let refused = await fetch(`${url}/a`);
  for (let more = 0; refused.status === 200 && more < 50; more += 1) refused = await fetch(`${url}/a`);
  expect([refused.status, await refused.json()]).toEqual([429, { message: 'Too Many Requests' }]);
  // This route has limits of its own.
  for (let more = 0; more < 10; more += 1) expect(await statusOf('/b')).toBe(200);
  await runtime.advance(1);
  expect(await statusOf('/a')).toBe(200);
});

it('records every request', async () => {
  const response = await fetch(`${url}/b/x%22y`, { headers: { 'user-agent': 'say "hi"' } });
  await fetch(`${url}/a?mode=throw`);
  await fetch(`${url}/nowhere`);
  await runtime.advance(0);

  const { events = [] } = await new CloudWatchLogsClient(runtime.config).send(
    new FilterLogEventsCommand({ logGroupName: stack.output(runtime, 'LogGroup') }),
  );
  const lines = events.map(({ message }) => JSON.parse(message ?? '') as Record<string, unknown>);
  expect(lines.map(({ status, route, error }) => [status, route, error])).toEqual([
    [200, 'GET /b/{id}', '-'],
    [500, 'GET /a', "the reason is nobody else's business"],
    [404, '-', '-'],
  ]);
  expect(lines[0]).toMatchObject({
    id: response.headers.get('apigw-requestid'),
    path: '/b/x"y',
    agent: 'say "hi"',
    none: '-',
  });

  expect(await sumOf('Count', { ApiId: apiId })).toBe(3);
  expect(await sumOf('4xx', { ApiId: apiId, Stage: '$default' })).toBe(1);
  expect(await sumOf('5xx', { ApiId: apiId })).toBe(1);
  expect(await sumOf('Count', { ApiId: apiId, Stage: '$default', Method: 'GET', Resource: '/a' })).toBe(1);
  expect(await sumOf('IntegrationLatency', { ApiId: apiId })).toBeGreaterThan(0);
});

it('counts requests by 512 KB, but not what was refused for the rate', async () => {
  await fetch(`${url}/nowhere`, { method: 'POST', body: Buffer.alloc(512 * 1024 + 1) });
  expect(await counted()).toBe(2);
  let status = 200;
  let asked = 0;
  for (; status !== 429 && asked < 50; asked += 1) status = await statusOf('/a');
  expect(status).toBe(429);
  expect(await counted()).toBe(2 + asked - 1);
});

it('tells what there is, to read only', async () => {
  const { items } = await control<{ items: Record<string, unknown>[] }>('GET', '/v2/apis');
  expect(items).toMatchObject([{ apiId, name: 'Api', protocolType: 'HTTP', apiEndpoint: url }]);
  expect(await control('GET', `/v2/apis/${apiId}`)).toEqual(items[0]);
  const routes = await control<{ items: { routeId: string; routeKey: string; target: string }[] }>(
    'GET',
    `/v2/apis/${apiId}/routes?maxResults=2`,
  );
  expect(routes.items).toHaveLength(2);
  expect(routes).toMatchObject({ nextToken: '2' });
  const [route] = routes.items;
  expect(await control('GET', `/v2/apis/${apiId}/routes/${route?.routeId}`)).toEqual(route);
  expect(await control('GET', `/v2/apis/${apiId}/${route?.target}`)).toMatchObject({ payloadFormatVersion: '2.0' });
  expect(await control('GET', `/v2/apis/${apiId}/stages/%24default`)).toMatchObject({
    stageName: '$default',
    defaultRouteSettings: { throttlingBurstLimit: 2, throttlingRateLimit: 1 },
  });
  await expect(control('GET', '/v2/apis/none')).rejects.toThrow('404 NotFoundException');
  await expect(control('POST', '/v2/apis')).rejects.toThrow('501 NotEmulated');
});

async function sumOf(MetricName: string, dimensions: Readonly<Record<string, string>>): Promise<number> {
  const now = Date.now();
  const { Datapoints = [] } = await new CloudWatchClient(runtime.config).send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/ApiGateway',
      MetricName,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      StartTime: new Date(now - 600_000),
      EndTime: new Date(now + 600_000),
      Period: 3600,
      Statistics: ['Sum'],
    }),
  );
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

async function counted(): Promise<number> {
  const response = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter`);
  const { services } = (await response.json()) as { services: { item: string; quantity: number }[] };
  return services.find(({ item }) => item === 'HTTP APIs')?.quantity ?? 0;
}

async function control<Answer>(method: string, target: string): Promise<Answer> {
  const { hostname, port, host } = new URL(runtime.endpoints.awsEndpoint);
  const [path = '', search] = target.split('?');
  const query = Object.fromEntries(new URLSearchParams(search));
  const signer = new SignatureV4({ ...runtime.config, service: 'apigateway', sha256: Sha256 });
  const request = new HttpRequest({ method, hostname, port: Number(port), path, query, headers: { host } });
  const { headers } = await signer.sign(request);
  const response = await fetch(runtime.endpoints.awsEndpoint + target, { method, headers });
  if (!response.ok) throw new Error(`${response.status} ${response.headers.get('x-amzn-errortype')}`);
  return (await response.json()) as Answer;
}
