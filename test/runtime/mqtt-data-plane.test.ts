/** Publish, retained messages and connections through the SDK; publishing with a device certificate over HTTPS. */
import { request } from 'node:https';
import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  GetRetainedMessageCommand,
  ListRetainedMessagesCommand,
  ListSubscriptionsCommand,
  PublishCommand,
  SendDirectMessageCommand,
} from '@aws-sdk/client-iot-data-plane';
import { createDeviceHttps, type DeviceHttps } from '../../local/src/services/iot/data/index.ts';
import { issue } from '../support/certificates.ts';
import { type DataEndpoint, startDataEndpoint } from './mqtt-data-endpoint.ts';
import { type BrokerFixture, publish, startBroker } from './mqtt-fixture.ts';

let fixture: BrokerFixture;
let endpoint: DataEndpoint;

beforeEach(async () => {
  fixture = await startBroker();
  endpoint = await startDataEndpoint(fixture);
});
afterEach(async () => {
  await endpoint.stop();
  await fixture.stop();
});

it('publishes to subscribers, with the properties of MQTT 5', async () => {
  // GIVEN
  const client = await fixture.connect('reader', { protocolVersion: 5 });
  await client.mqtt.subscribeAsync('a/b c', { qos: 1 });

  // WHEN
  await endpoint.client.send(
    new PublishCommand({
      topic: 'a/b c',
      qos: 1,
      payload: Buffer.from([0, 1, 255]),
      contentType: 'x/y',
      responseTopic: 'answers',
      correlationData: Buffer.from('cor').toString('base64'),
      payloadFormatIndicator: 'UTF8_DATA',
      messageExpiry: 60,
      userProperties: JSON.stringify([{ color: 'red' }, { color: 'green' }, { size: 'xl' }]),
    }),
  );

  // THEN
  const { packet } = await client.inbox.next();
  expect([...(packet.payload as Buffer)]).toEqual([0, 1, 255]);
  expect(packet).toMatchObject({
    qos: 1,
    properties: {
      contentType: 'x/y',
      responseTopic: 'answers',
      correlationData: Buffer.from('cor'),
      payloadFormatIndicator: true,
    },
  });
  expect({ ...packet.properties?.userProperties }).toEqual({ color: ['red', 'green'], size: 'xl' });
  const message = await fixture.passed.next((each) => each.topic === 'a/b c');
  expect(message).toMatchObject({ clientId: undefined, principal: 'arn:aws:iam::123456789012:user/operator' });
});

it.each([
  ['a wildcard', { topic: 'a/#' }],
  ['nine levels', { topic: 'a/b/c/d/e/f/g/h/i' }],
  ['an event topic', { topic: '$aws/events/x' }],
  ['retain on a reserved topic', { topic: '$aws/rules/r/a', retain: true }],
  ['QoS 2', { topic: 'a', qos: 2 }],
])('refuses to publish: %s', async (_name, input) => {
  await expect(endpoint.client.send(new PublishCommand(input))).rejects.toMatchObject({
    name: 'InvalidRequestException',
    $metadata: { httpStatusCode: 400 },
  });
});

it('refuses more than 128 KB', async () => {
  const payload = Buffer.alloc(128 * 1024 + 1);
  await expect(endpoint.client.send(new PublishCommand({ topic: 'a', payload }))).rejects.toMatchObject({
    name: 'RequestEntityTooLargeException',
  });
});

it('gets and lists retained messages', async () => {
  // GIVEN
  const client = await fixture.connect('writer');
  for (const topic of ['a/2', 'a/1', 'a/3']) await publish(client, topic, `kept ${topic}`, { retain: true });

  // WHEN
  const one = await endpoint.client.send(new GetRetainedMessageCommand({ topic: 'a/1' }));
  const first = await endpoint.client.send(new ListRetainedMessagesCommand({ maxResults: 2 }));
  const rest = await endpoint.client.send(new ListRetainedMessagesCommand({ nextToken: first.nextToken }));

  // THEN
  expect(Buffer.from(one.payload ?? []).toString()).toBe('kept a/1');
  expect(one).toMatchObject({ topic: 'a/1', qos: 1, lastModifiedTime: expect.any(Number) });
  expect([...(first.retainedTopics ?? []), ...(rest.retainedTopics ?? [])].map((each) => each.topic)).toEqual([
    'a/1',
    'a/2',
    'a/3',
  ]);
  expect(rest.nextToken).toBeUndefined();
  await expect(endpoint.client.send(new GetRetainedMessageCommand({ topic: 'none' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

it('shows a connection, its subscriptions and its end', async () => {
  // GIVEN
  const client = await fixture.connect('device', { clean: false, keepalive: 60 });
  await client.mqtt.subscribeAsync({ 'a/+': { qos: 1 }, b: { qos: 0 } });
  const clientId = 'device';

  // WHEN
  const during = await endpoint.client.send(new GetConnectionCommand({ clientId, includeSocketInformation: true }));
  const { subscriptions } = await endpoint.client.send(new ListSubscriptionsCommand({ clientId }));
  await client.mqtt.endAsync();
  await fixture.event('$aws/events/presence/disconnected/device');
  const after = await endpoint.client.send(new GetConnectionCommand({ clientId }));
  await fixture.kernel.clock.advance(31 * 60_000);

  // THEN
  expect(during).toMatchObject({
    clientId,
    connected: true,
    cleanSession: false,
    keepAliveDuration: 60,
    sessionExpiry: 3600,
    sourceIp: '127.0.0.1',
  });
  expect(subscriptions).toEqual([
    { topicFilter: 'a/+', qos: 1 },
    { topicFilter: 'b', qos: 0 },
  ]);
  expect(after).toMatchObject({ connected: false, disconnectReason: 'CLIENT_INITIATED_DISCONNECT' });
  expect(after.sourceIp).toBeUndefined();
  await expect(endpoint.client.send(new GetConnectionCommand({ clientId }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

describe('DeleteConnection', () => {
  const will = { topic: 'will', payload: Buffer.from('gone'), qos: 1 as const, retain: false };

  it.each([
    [{}, true, true],
    [{ preventWillMessage: true }, false, true],
    [{ cleanSession: true }, true, false],
  ])('%j', async (options, sendsWill, keepsSession) => {
    // GIVEN
    const client = await fixture.connect('device', { clean: false, will });

    // WHEN
    await endpoint.client.send(new DeleteConnectionCommand({ clientId: 'device', ...options }));
    await client.closed;

    // THEN
    expect(await fixture.event('$aws/events/presence/disconnected/device')).toMatchObject({
      disconnectReason: 'API_INITIATED_DISCONNECT',
    });
    expect(fixture.passed.all.some((each) => each.topic === 'will')).toBe(sendsWill);
    expect(fixture.broker.messages.sessions.find('device') !== undefined).toBe(keepsSession);
  });

  it('does not know a client without connection and session', async () => {
    await expect(endpoint.client.send(new DeleteConnectionCommand({ clientId: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(endpoint.client.send(new DeleteConnectionCommand({ clientId: '$x' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });
});

it('refuses by name what it does not emulate', async () => {
  const command = new SendDirectMessageCommand({ clientId: 'c', topic: 't' });
  await expect(endpoint.client.send(command)).rejects.toThrow('does not emulate iot-data:SendDirectMessage');
});

describe('HTTPS with a device certificate', () => {
  let https: DeviceHttps;

  beforeEach(async () => {
    https = createDeviceHttps(fixture.kernel, {
      operations: fixture.dataPlane.operations,
      directory: fixture.directory,
      authorizer: fixture.authorizer,
      tls: fixture.tls,
      port: 0,
    });
    await https.listen();
  });
  afterEach(() => https.close());

  function send(
    path: string,
    {
      method = 'POST',
      body = '{"value":1}',
      certificate = fixture.device as { pem: string; keyPem: string } | null,
    } = {},
  ): Promise<{ status: number | undefined; body: string; type: unknown }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: 'localhost',
          port: https.port,
          path,
          method,
          ca: fixture.ca.pem,
          cert: certificate?.pem,
          key: certificate?.keyPem,
          agent: false,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode,
              body: Buffer.concat(chunks).toString(),
              type: incoming.headers['x-amzn-errortype'],
            }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  it('publishes in the name of the certificate', async () => {
    // WHEN
    const answer = await send('/topics/device/x/sensor/t/v1?qos=1');

    // THEN
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ message: 'OK', traceId: expect.any(String) });
    const message = await fixture.passed.next((each) => each.topic === 'device/x/sensor/t/v1');
    expect(message).toMatchObject({
      principal: fixture.device.certificateId,
      clientId: undefined,
      qos: 1,
      sourceIp: '127.0.0.1',
    });
    expect(fixture.asked).toEqual([
      expect.objectContaining({
        action: 'iot:Publish',
        resource: 'topic/device/x/sensor/t/v1',
        protocol: 'https',
        clientId: undefined,
      }),
    ]);
  });

  it('refuses what the policies do not allow', async () => {
    // GIVEN
    fixture.allow = () => false;

    // WHEN
    const answer = await send('/topics/a');

    // THEN
    expect(answer).toMatchObject({ status: 403, type: 'ForbiddenException' });
    expect(fixture.passed.all).toEqual([]);
  });

  it.each([
    ['no certificate', async () => null],
    ['an unknown certificate, which it does not register', () => issue(fixture.ca, 'unknown')],
    [
      'a certificate that is not active',
      async () => {
        fixture.directory.deactivate(fixture.device);
        return fixture.device;
      },
    ],
  ])('refuses %s', async (_name, prepare) => {
    // GIVEN
    const certificate = await prepare();

    // WHEN
    const answer = await send('/topics/a', { certificate });

    // THEN
    expect(answer).toMatchObject({ status: 403, type: 'ForbiddenException' });
    expect(fixture.directory.refusals.all).toEqual([]);
  });

  it('reads and writes shadows, but ends no connections', async () => {
    // WHEN
    const update = await send('/things/thing/shadow', { body: '{"state":{"reported":{"a":1}}}' });
    const get = await send('/things/thing/shadow', { method: 'GET', body: '' });
    const end = await send('/connections/x', { method: 'DELETE', body: '' });

    // THEN
    expect(update.status).toBe(200);
    expect(JSON.parse(get.body)).toMatchObject({ state: { reported: { a: 1 } }, version: 1 });
    expect(end.status).toBe(403);
  });
});
