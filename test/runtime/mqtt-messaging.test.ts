import { type BrokerFixture, publish, startBroker } from './mqtt-fixture.ts';

let fixture: BrokerFixture;

beforeEach(async () => {
  fixture = await startBroker();
});
afterEach(() => fixture.stop());

describe.each([4, 5] as const)('messages between clients, protocol level %i', (protocolVersion) => {
  it('reach a subscriber with the lower QoS of publication and subscription', async () => {
    // GIVEN
    const subscriber = await fixture.connect('subscriber', { protocolVersion });
    await subscriber.mqtt.subscribeAsync({ 'a/one': { qos: 1 }, 'a/zero': { qos: 0 } });
    const publisher = await fixture.connect('publisher', { protocolVersion });

    // WHEN
    await publish(publisher, 'a/one', '1');
    await publish(publisher, 'a/zero', '2');

    // THEN
    const first = await subscriber.inbox.next();
    const second = await subscriber.inbox.next();
    expect([first.text, first.packet.qos, first.packet.dup]).toEqual(['1', 1, false]);
    expect([second.text, second.packet.qos]).toEqual(['2', 0]);
  });

  it('carry who sent them on the bus', async () => {
    // GIVEN
    const publisher = await fixture.connect('sender', { protocolVersion });

    // WHEN
    await publish(publisher, 'a/b', 'hello');

    // THEN
    const message = await fixture.passed.next((each) => each.topic === 'a/b');
    expect(message).toMatchObject({
      clientId: 'sender',
      principal: fixture.device.certificateId,
      sourceIp: '127.0.0.1',
      qos: 1,
      retain: false,
    });
    expect(message.payload.toString()).toBe('hello');
  });

  it('are shared by the members of a group, one each', async () => {
    // GIVEN
    const members = [
      await fixture.connect('member-1', { protocolVersion }),
      await fixture.connect('member-2', { protocolVersion }),
    ];
    for (const each of members) await each.mqtt.subscribeAsync(['$share/workers/jobs/+', 'stop'], { qos: 1 });
    const publisher = await fixture.connect('publisher', { protocolVersion });

    // WHEN
    for (let n = 0; n < 40; n += 1) await publish(publisher, 'jobs/x', `${n}`);
    await publish(publisher, 'stop', 'end');
    const got = await Promise.all(
      members.map(async (each) => {
        const texts: number[] = [];
        for (let text = ''; text !== 'end'; ) {
          ({ text } = await each.inbox.next());
          if (text !== 'end') texts.push(Number(text));
        }
        return texts;
      }),
    );

    // THEN
    expect(got.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect(got.every((each) => each.length > 0)).toBe(true);
  });

  it('are retained for exact subscriptions only, until an empty one deletes them', async () => {
    // GIVEN
    const publisher = await fixture.connect('publisher', { protocolVersion });
    await publish(publisher, 'config/a', 'kept', { retain: true });

    // WHEN
    const exact = await fixture.connect('exact', { protocolVersion });
    await exact.mqtt.subscribeAsync('config/a', { qos: 1 });
    const others = await fixture.connect('others', { protocolVersion });
    await others.mqtt.subscribeAsync(['config/+', 'config/#', '$share/g/config/a'], { qos: 1 });
    const kept = await exact.inbox.next();
    await publish(publisher, 'config/a', '', { retain: true });
    const deleted = await exact.inbox.next();
    const late = await fixture.connect('late', { protocolVersion });
    await late.mqtt.subscribeAsync('config/a', { qos: 1 });
    await publish(publisher, 'config/a', 'after');

    // THEN
    expect([kept.text, kept.packet.retain]).toEqual(['kept', true]);
    expect([deleted.text, deleted.packet.retain]).toEqual(['', false]);
    expect((await others.inbox.next()).text).toBe('');
    expect((await late.inbox.next()).text).toBe('after');
  });
});

it('speaks across versions: properties of MQTT 5 stay with clients of MQTT 5', async () => {
  // GIVEN
  const old = await fixture.connect('old', { protocolVersion: 4 });
  const modern = await fixture.connect('modern', { protocolVersion: 5 });
  for (const each of [old, modern]) await each.mqtt.subscribeAsync('a', { qos: 1 });

  // WHEN
  await publish(modern, 'a', '{}', {
    properties: {
      contentType: 'application/json',
      responseTopic: 'answers/1',
      correlationData: Buffer.from([1, 2]),
      payloadFormatIndicator: true,
      messageExpiryInterval: 30,
      userProperties: { color: ['red', 'green'], size: 'xl' },
    },
  });

  // THEN
  expect((await old.inbox.next()).packet.properties).toBeUndefined();
  const { properties } = (await modern.inbox.next()).packet;
  expect(properties).toMatchObject({
    contentType: 'application/json',
    responseTopic: 'answers/1',
    correlationData: Buffer.from([1, 2]),
    payloadFormatIndicator: true,
  });
  expect({ ...properties?.userProperties }).toEqual({ color: ['red', 'green'], size: 'xl' });
  expect(properties?.messageExpiryInterval).toBeGreaterThanOrEqual(29);
});

it('tells an MQTT 5 client what AWS IoT supports', async () => {
  // GIVEN
  const client = fixture.open('limits', {
    protocolVersion: 5,
    keepalive: 10,
    properties: { sessionExpiryInterval: 9e4 },
  });

  // WHEN
  const connack = await new Promise((resolve) => client.mqtt.on('connect', resolve));

  // THEN
  expect(connack).toMatchObject({
    properties: {
      maximumQoS: 1,
      receiveMaximum: 100,
      topicAliasMaximum: 8,
      maximumPacketSize: 149_504,
      serverKeepAlive: 30,
      sessionExpiryInterval: 3600,
      retainAvailable: true,
      wildcardSubscriptionAvailable: true,
      sharedSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
    },
  });
});

it('resolves topic aliases', async () => {
  // GIVEN
  const client = await fixture.connect('aliases', { protocolVersion: 5 });

  // WHEN
  await publish(client, 'long/topic', 'first', { properties: { topicAlias: 8 } });
  await publish(client, '', 'second', { properties: { topicAlias: 8 } });

  // THEN
  const passed = fixture.passed.all.filter((each) => each.topic === 'long/topic');
  expect(passed.map((each) => each.payload.toString())).toEqual(['first', 'second']);
});

it('delivers a message once to a client whose subscriptions overlap, and does not match the parent of #', async () => {
  // GIVEN
  const client = await fixture.connect('overlap');
  await client.mqtt.subscribeAsync({ 'a/#': { qos: 0 }, 'a/+': { qos: 1 } });

  // WHEN
  for (const topic of ['a', 'a/b', 'a/', 'end']) await publish(client, topic, topic);
  await client.mqtt.subscribeAsync('end', { qos: 1 });
  await publish(client, 'end', 'end');
  await client.inbox.next((each) => each.topic === 'end');

  // THEN
  expect(client.inbox.all.map((each) => [each.topic, each.packet.qos])).toEqual([
    ['a/b', 1],
    ['a/', 1],
    ['end', 1],
  ]);
});

it('keeps reserved topics from wildcards in the first level', async () => {
  // GIVEN
  const client = await fixture.connect('curious');
  await client.mqtt.subscribeAsync(['#', '+/things/t/shadow/get/accepted'], { qos: 1 });

  // WHEN
  fixture.bus.publishFromService('$aws/things/t/shadow/get/accepted', {});
  await publish(client, 'end', 'end');

  // THEN
  expect((await client.inbox.next()).topic).toBe('end');
});

it('hands Basic Ingest messages to the rules and to no subscriber', async () => {
  // GIVEN
  const client = await fixture.connect('ingest');
  await client.mqtt.subscribeAsync(['$aws/#', 'end'], { qos: 1 });

  // WHEN
  await publish(client, '$aws/rules/store/a/b/c/d/e/f/g/h', 'x');
  await publish(client, '$aws/rules/store', 'x');
  await publish(client, 'end', 'end');

  // THEN
  await client.inbox.next((each) => each.topic === 'end');
  expect(client.inbox.all.filter((each) => each.topic.startsWith('$aws/rules/'))).toEqual([]);
  const passed = fixture.passed.all.map((each) => each.topic);
  expect(passed).toEqual(expect.arrayContaining(['$aws/rules/store/a/b/c/d/e/f/g/h', '$aws/rules/store']));
});
