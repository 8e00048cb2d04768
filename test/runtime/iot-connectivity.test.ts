/** Whether a thing is connected, and ending its connection, through the SDK and a real MQTT client. */
import {
  AttachThingPrincipalCommand,
  GetIndexingConfigurationCommand,
  GetThingConnectivityDataCommand,
  IoTClient,
  UpdateIndexingConfigurationCommand,
} from '@aws-sdk/client-iot';
import {
  DeleteConnectionCommand,
  GetConnectionCommand,
  IoTDataPlaneClient,
  ListSubscriptionsCommand,
} from '@aws-sdk/client-iot-data-plane';
import type { MqttClient } from 'mqtt';
import { collect, createMqttThing, type MqttThing } from '../support/mqtt-thing.ts';
import { roleConfig } from '../support/role-config.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let iot: IoTClient;
let data: IoTDataPlaneClient;
let hen: MqttThing;

beforeAll(async () => {
  runtime = await startRuntime();
  iot = new IoTClient({ ...runtime.config, maxAttempts: 1 });
  data = new IoTDataPlaneClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  hen = await createMqttThing(runtime, 'hen');
});

const index = (thingConnectivityIndexingMode: 'OFF' | 'STATUS') =>
  iot.send(
    new UpdateIndexingConfigurationCommand({
      thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY', thingConnectivityIndexingMode },
    }),
  );
const connectivity = (client = iot, thingName = 'hen') =>
  client.send(new GetThingConnectivityDataCommand({ thingName }));
const closed = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', resolve));

describe('GetThingConnectivityData', () => {
  it('needs the index of connectivity', async () => {
    await expect(connectivity()).rejects.toMatchObject({ name: 'IndexNotReadyException' });
    await index('STATUS');

    const { thingIndexingConfiguration } = await iot.send(new GetIndexingConfigurationCommand({}));
    expect(thingIndexingConfiguration).toMatchObject({ thingConnectivityIndexingMode: 'STATUS' });
    expect(await connectivity()).toMatchObject({ thingName: 'hen', connected: false });
    await expect(connectivity(iot, 'cock')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('tells of a connection and of its end', async () => {
    await index('STATUS');
    const client = await hen.connect();
    const during = await connectivity();
    expect(during).toMatchObject({ thingName: 'hen', connected: true, disconnectReason: 'NONE' });
    expect(Math.abs((during.timestamp?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);

    await client.endAsync();
    await runtime.advance(0);
    expect(await connectivity()).toMatchObject({
      connected: false,
      disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
      timestamp: expect.any(Date),
    });
  });

  it('needs the permission on the thing', async () => {
    await index('STATUS');
    const Resource = `arn:aws:iot:us-east-1:${runtime.endpoints.accountId}:thing/hen`;
    const may = new IoTClient(await roleConfig(runtime, { Action: 'iot:GetThingConnectivityData', Resource }));
    expect(await connectivity(may)).toMatchObject({ connected: false });
    await createMqttThing(runtime, 'cock');
    await expect(connectivity(may, 'cock')).rejects.toThrow(/iot:GetThingConnectivityData on resource: .*thing\/cock/);
    await expect(may.send(new GetIndexingConfigurationCommand({}))).rejects.toThrow(/iot:GetIndexingConfiguration/);
  });

  it.each([
    [{ thingIndexingMode: 'OFF', thingConnectivityIndexingMode: 'STATUS' }, /needs a thingIndexingMode/],
    [{ thingIndexingMode: 'ON' }, /thingIndexingMode is ON/],
    [{ thingIndexingMode: 'REGISTRY', namedShadowIndexingMode: 'ON' }, /namedShadowIndexingMode of fleet indexing/],
  ])('is not indexed with %j', async (configuration, error) => {
    const input = { thingIndexingConfiguration: configuration as { thingIndexingMode: 'REGISTRY' } };
    await expect(iot.send(new UpdateIndexingConfigurationCommand(input))).rejects.toThrow(error);
  });
});

describe('GetConnection', () => {
  const thingOf = async (clientId: string) => (await data.send(new GetConnectionCommand({ clientId }))).thingName;

  it('names the thing called as the client id, or the one that has the certificate to itself', async () => {
    const clients = [await hen.connect(), await hen.connect({ clientId: 'another' })];
    expect([await thingOf('hen'), await thingOf('another')]).toEqual(['hen', undefined]);

    const thingPrincipalType = 'EXCLUSIVE_THING';
    const principal = hen.certificateArn;
    await iot.send(new AttachThingPrincipalCommand({ thingName: 'hen', principal, thingPrincipalType }));
    clients.push(await hen.connect({ clientId: 'another' }));
    expect(await thingOf('another')).toBe('hen');
    await Promise.all(clients.map((client) => client.endAsync(true)));
  });
});

describe('DeleteConnection', () => {
  const will = { topic: 'last/words', payload: Buffer.from('"gone"'), qos: 1 as const };
  let watcher: MqttClient;
  beforeEach(async () => {
    watcher = await (await createMqttThing(runtime, 'watcher')).connect();
  });
  afterEach(() => watcher.endAsync(true));

  it.each([
    [false, 1],
    [true, 0],
  ])('with preventWillMessage %s publishes %i wills and tells why', async (preventWillMessage, wills) => {
    const seen = await collect(watcher, 'last/words', '$aws/events/presence/disconnected/hen');
    const client = await hen.connect({ will });
    const end = closed(client);
    const event = new Promise<void>((resolve) =>
      watcher.on('message', (topic) => topic.startsWith('$aws') && resolve()),
    );

    await data.send(new DeleteConnectionCommand({ clientId: 'hen', preventWillMessage }));
    await Promise.all([end, event]);
    await runtime.advance(0);

    expect(seen.filter(({ topic }) => topic === will.topic)).toHaveLength(wills);
    expect(seen.find(({ topic }) => topic.startsWith('$aws'))?.payload).toMatchObject({
      disconnectReason: 'API_INITIATED_DISCONNECT',
      clientInitiatedDisconnect: false,
    });
    const { connected, disconnectReason } = await data.send(new GetConnectionCommand({ clientId: 'hen' }));
    expect({ connected, disconnectReason }).toEqual({
      connected: false,
      disconnectReason: 'API_INITIATED_DISCONNECT',
    });
  });

  it.each([
    [false, ['eggs']],
    [true, undefined],
  ])('with cleanSession %s leaves the subscriptions %j', async (cleanSession, left) => {
    const client = await hen.connect({ clean: false });
    await client.subscribeAsync('eggs', { qos: 1 });
    const list = new ListSubscriptionsCommand({ clientId: 'hen' });
    expect((await data.send(list)).subscriptions).toEqual([{ topicFilter: 'eggs', qos: 1 }]);
    const end = closed(client);

    await data.send(new DeleteConnectionCommand({ clientId: 'hen', cleanSession }));
    await end;

    if (left) expect((await data.send(list)).subscriptions?.map(({ topicFilter }) => topicFilter)).toEqual(left);
    else await expect(data.send(list)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('needs the permission on the client', async () => {
    const Resource = `arn:aws:iot:us-east-1:${runtime.endpoints.accountId}:client/hen`;
    const may = new IoTDataPlaneClient(await roleConfig(runtime, { Action: 'iot:GetConnection', Resource }));
    const client = await hen.connect();
    expect(await may.send(new GetConnectionCommand({ clientId: 'hen' }))).toMatchObject({ connected: true });
    await expect(may.send(new GetConnectionCommand({ clientId: 'watcher' }))).rejects.toThrow(/client\/watcher/);
    await expect(may.send(new DeleteConnectionCommand({ clientId: 'hen' }))).rejects.toThrow(/iot:DeleteConnection/);
    await client.endAsync();
  });
});
