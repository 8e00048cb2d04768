/** Life-cycle events, last wills, takeover and keep-alive. */
import { type BrokerFixture, publish, startBroker, type TestClient } from './mqtt-fixture.ts';

const WILL = { topic: 'wills/device', payload: Buffer.from('gone'), qos: 1 as const, retain: false };

let fixture: BrokerFixture;

beforeEach(async () => {
  fixture = await startBroker();
});
afterEach(() => fixture.stop());

function connected(clientId: string): Promise<Record<string, unknown>> {
  return fixture.event(`$aws/events/presence/connected/${clientId}`);
}

function disconnected(clientId: string): Promise<Record<string, unknown>> {
  return fixture.event(`$aws/events/presence/disconnected/${clientId}`);
}

/** True when the will has passed before the disconnection event, false when it has not. */
function willPassed(): boolean {
  return fixture.passed.all.some((each) => each.topic === WILL.topic);
}

it('documents a connection and its end exactly', async () => {
  // GIVEN
  const client = await fixture.connect('device');
  const first = await connected('device');

  // WHEN
  await client.mqtt.endAsync();
  const last = await disconnected('device');

  // THEN
  expect(first).toEqual({
    clientId: 'device',
    timestamp: expect.any(Number),
    eventType: 'connected',
    sessionIdentifier: expect.stringMatching(/^[0-9a-f-]{36}$/),
    principalIdentifier: fixture.device.certificateId,
    ipAddress: '127.0.0.1',
    versionNumber: 0,
  });
  expect(last).toEqual({
    clientId: 'device',
    timestamp: expect.any(Number),
    eventType: 'disconnected',
    sessionIdentifier: first.sessionIdentifier,
    principalIdentifier: fixture.device.certificateId,
    clientInitiatedDisconnect: true,
    disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    versionNumber: 0,
  });
});

it.each([
  ['one of its own', true, 'lamp'],
  ['one that shares its certificate', false, undefined],
])('events of a thing, %s', async (_whose, isExclusive, thingName) => {
  // GIVEN
  fixture.directory.thing = { name: 'lamp', isExclusive };
  const named = async (topic: string) => (await fixture.event(`$aws/events/${topic}/device`)).thingName;

  // WHEN
  const client = await fixture.connect('device');
  await client.mqtt.subscribeAsync('a', { qos: 1 });
  await client.mqtt.endAsync();

  // THEN
  expect(await named('presence/connected')).toBe(thingName);
  expect(await named('subscriptions/subscribed')).toBe(thingName);
  expect(await named('presence/disconnected')).toBe(thingName);
  fixture.allow = () => false;
  await fixture.open('device').closed;
  expect(await named('presence/connect_failed')).toBe(thingName);
});

it('counts the connections of a client id and starts again after an hour without one', async () => {
  // GIVEN
  const versions: unknown[] = [];
  const identifiers = new Set<unknown>();
  const connectOnce = async (): Promise<void> => {
    const client = await fixture.connect('device');
    const event = await connected('device');
    versions.push(event.versionNumber);
    identifiers.add(event.sessionIdentifier);
    await client.mqtt.endAsync();
    await disconnected('device');
  };

  // WHEN
  await connectOnce();
  await connectOnce();
  await fixture.kernel.clock.advance(59 * 60_000);
  await connectOnce();
  await fixture.kernel.clock.advance(61 * 60_000);
  // Nothing is left of a client that may never come back.
  expect([...fixture.broker.messages.presence.save()]).toEqual([]);
  await connectOnce();

  // THEN
  expect(versions).toEqual([0, 1, 2, 0]);
  expect(identifiers.size).toBe(4);
});

it('tells of subscriptions', async () => {
  // GIVEN
  const client = await fixture.connect('device');

  // WHEN
  await client.mqtt.subscribeAsync(['a/+', '$share/g/b'], { qos: 1 });
  await client.mqtt.unsubscribeAsync('a/+');

  // THEN
  const subscribed = await fixture.event('$aws/events/subscriptions/subscribed/device');
  expect(subscribed).toEqual({
    clientId: 'device',
    timestamp: expect.any(Number),
    eventType: 'subscribed',
    sessionIdentifier: expect.any(String),
    principalIdentifier: fixture.device.certificateId,
    topics: ['a/+', '$share/g/b'],
  });
  expect(await fixture.event('$aws/events/subscriptions/unsubscribed/device')).toMatchObject({
    eventType: 'unsubscribed',
    topics: ['a/+'],
  });
});

it('has no events about client ids with wildcards', async () => {
  // GIVEN
  await fixture.connect('a#b');

  // WHEN
  await fixture.connect('after');
  await connected('after');

  // THEN
  expect(fixture.passed.all.map((each) => each.topic)).toEqual(['$aws/events/presence/connected/after']);
});

describe.each([4, 5] as const)('the end of a connection, protocol level %i', (protocolVersion) => {
  const ends: [reason: string, end: (client: TestClient) => unknown, will: boolean][] = [
    ['CLIENT_INITIATED_DISCONNECT', ({ mqtt }) => mqtt.end(), false],
    ['CONNECTION_LOST', ({ mqtt }) => mqtt.stream.destroy(), true],
    ['CLIENT_ERROR', ({ mqtt }) => mqtt.publish('a', 'x', { qos: 2 }), true],
    ['DUPLICATE_CLIENTID', () => fixture.connect('device', { protocolVersion }), true],
    ['AUTH_ERROR', () => fixture.directory.deactivate(fixture.device), true],
    ['MQTT_KEEP_ALIVE_TIMEOUT', () => fixture.kernel.clock.advance(90_001), true],
  ];

  it.each(ends)('%s', async (disconnectReason, end, sendsWill) => {
    // GIVEN
    const client = await fixture.connect('device', { protocolVersion, will: WILL, keepalive: 60 });
    await connected('device');

    // WHEN
    await end(client);
    await client.closed;

    // THEN
    expect(await disconnected('device')).toMatchObject({
      disconnectReason,
      clientInitiatedDisconnect: !sendsWill,
      versionNumber: 0,
    });
    expect(willPassed()).toBe(sendsWill);
  });
});

it('tells an MQTT 5 client that it was taken over, and gives the new connection the next version', async () => {
  // GIVEN
  const older = await fixture.connect('device', { protocolVersion: 5 });
  const code = new Promise((resolve) => older.mqtt.on('disconnect', ({ reasonCode }) => resolve(reasonCode)));

  // WHEN
  const newer = await fixture.connect('device', { protocolVersion: 5 });

  // THEN
  expect(await code).toBe(0x8e);
  expect((await disconnected('device')).versionNumber).toBe(0);
  expect((await connected('device')).versionNumber).toBe(1);
  await publish(newer, 'still', 'here');
});

it('publishes a will with its sender, retained if asked, unless the policy has changed', async () => {
  // GIVEN
  const watcher = await fixture.connect('watcher');
  await watcher.mqtt.subscribeAsync(['wills/#', 'end'], { qos: 1 });
  const first = await fixture.connect('first', { will: { ...WILL, retain: true } });
  const second = await fixture.connect('second', { will: { ...WILL, topic: 'wills/second' } });

  // WHEN
  first.mqtt.stream.destroy();
  const will = await fixture.passed.next((each) => each.topic === WILL.topic);
  fixture.allow = (request) => request.resource !== 'topic/wills/second';
  fixture.revision += 1;
  second.mqtt.stream.destroy();
  await disconnected('second');
  await publish(watcher, 'end', '');

  // THEN
  expect(will).toMatchObject({ clientId: 'first', principal: fixture.device.certificateId, qos: 1, retain: true });
  await watcher.inbox.next((each) => each.topic === 'end');
  expect(watcher.inbox.all.map((each) => each.topic)).toEqual([WILL.topic, 'end']);
  const late = await fixture.connect('late');
  await late.mqtt.subscribeAsync(WILL.topic, { qos: 1 });
  expect((await late.inbox.next()).text).toBe('gone');
});

it('does not act on a will on a reserved topic', async () => {
  // GIVEN
  const client = await fixture.connect('device', {
    will: { ...WILL, topic: '$aws/things/thing/shadow/update', payload: Buffer.from('{"state":{"reported":{"a":1}}}') },
  });

  // WHEN
  client.mqtt.stream.destroy();
  await disconnected('device');

  // THEN
  expect(fixture.passed.all.filter((each) => each.topic.startsWith('$aws/things/'))).toEqual([]);
});

describe('keep-alive', () => {
  it.each([
    [0, 1200],
    [1300, 1200],
    [10, 30],
    [100, 100],
  ])('asked for %i s, lasts one and a half times %i s', async (keepalive, effective) => {
    // GIVEN
    const client = await fixture.connect('device', { keepalive, reschedulePings: false });

    // WHEN
    await fixture.kernel.clock.advance(effective * 1500 - 2000);
    await publish(client, 'alive', 'x');
    await fixture.kernel.clock.advance(effective * 1500 - 2000);
    const before = client.mqtt.connected;
    await fixture.kernel.clock.advance(2001);

    // THEN
    expect(before).toBe(true);
    await client.closed;
    expect((await disconnected('device')).disconnectReason).toBe('MQTT_KEEP_ALIVE_TIMEOUT');
  });
});
