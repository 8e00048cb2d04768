/** How AWS IoT reacts to what a client may not do, or does wrong. */
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ErrorWithReasonCode, IClientOptions, IDisconnectPacket } from 'mqtt';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import { issue } from '../support/certificates.ts';
import { type BrokerFixture, publish, startBroker, type TestClient } from './mqtt-fixture.ts';

let fixture: BrokerFixture;

beforeEach(async () => {
  fixture = await startBroker();
});
afterEach(() => fixture.stop());

function deny(action: string, resource: string): void {
  fixture.allow = (request) => !(request.action === action && request.resource === resource);
}

/** The reason code of the DISCONNECT that an MQTT 5 client gets. */
function disconnectCode(client: TestClient): Promise<number | undefined> {
  return new Promise((resolve) =>
    client.mqtt.once('disconnect', ({ reasonCode }: IDisconnectPacket) => resolve(reasonCode)),
  );
}

/** What a server answers on a bare connection until it closes. */
function answersOf(socket: TLSSocket): Promise<Packet[]> {
  const packets: Packet[] = [];
  const parser = createParser({ protocolVersion: 5 });
  parser.on('packet', (packet) => packets.push(packet));
  socket.on('data', (chunk) => parser.parse(chunk));
  return new Promise((resolve) => socket.on('close', () => resolve(packets)));
}

describe('a CONNECT that is not authorized', () => {
  it('closes the connection of MQTT 3.1.1 without CONNACK', async () => {
    // GIVEN
    deny('iot:Connect', 'client/denied');
    const socket = await fixture.raw();
    const answers = answersOf(socket);

    // WHEN
    socket.write(generate({ cmd: 'connect', clientId: 'denied', protocolVersion: 4, clean: true }));

    // THEN
    expect(await answers).toEqual([]);
    expect(await fixture.event('$aws/events/presence/connect_failed/denied')).toMatchObject({
      clientId: 'denied',
      eventType: 'connect_failed',
      connectFailureReason: 'AUTHORIZATION_FAILED',
      principalIdentifier: fixture.device.certificateId,
      ipAddress: '127.0.0.1',
    });
  });

  it('gets 0x87 with MQTT 5', async () => {
    // GIVEN
    deny('iot:Connect', 'client/denied');

    // WHEN
    const client = fixture.open('denied', { protocolVersion: 5 });
    const error = await new Promise<ErrorWithReasonCode>((resolve) =>
      client.mqtt.once('error', (each) => resolve(each as ErrorWithReasonCode)),
    );

    // THEN
    expect(error.code).toBe(0x87);
    await fixture.event('$aws/events/presence/connect_failed/denied');
  });

  it.each(['iot:Publish', 'iot:RetainPublish'])('also means a will without %s on its topic', async (action) => {
    // GIVEN
    deny(action, 'topic/wills/1');

    // WHEN
    const client = fixture.open('mortal', {
      will: { topic: 'wills/1', payload: Buffer.from('x'), qos: 1, retain: true },
    });
    await client.closed;

    // THEN
    await fixture.event('$aws/events/presence/connect_failed/mortal');
    expect(client.mqtt.connected).toBe(false);
  });

  it('is decided with the attributes of the connection', async () => {
    // WHEN
    await fixture.connect('plain');
    await fixture.connect('both', {
      clean: false,
      will: { topic: 'wills/1', payload: Buffer.from('x'), qos: 1, retain: false },
    });
    await fixture.connect('five', { protocolVersion: 5, properties: { sessionExpiryInterval: 60 } });

    // THEN
    const contexts = fixture.asked.filter((each) => each.action === 'iot:Connect').map((each) => each.context);
    expect(contexts).toEqual([
      { 'iot:ConnectAttributes': [] },
      {
        'iot:ConnectAttributes': ['PersistentConnect', 'LastWill'],
        'iot:LastWillTopic': 'arn:aws:iot:us-east-1:123456789012:topic/wills/1',
      },
      { 'iot:ConnectAttributes': ['PersistentConnect'] },
    ]);
  });
});

it('closes without CONNACK when the directory refuses the certificate, as for just-in-time registration', async () => {
  // GIVEN
  const unknown = await issue(fixture.ca, 'unknown');
  const socket = connectTls({
    port: fixture.broker.port,
    host: 'localhost',
    servername: 'localhost',
    ca: fixture.ca.pem,
    cert: unknown.pem,
    key: unknown.keyPem,
  });
  socket.on('error', () => {});
  const answers = answersOf(socket);

  // WHEN
  socket.write(generate({ cmd: 'connect', clientId: 'unknown', protocolVersion: 5, clean: true }));

  // THEN
  expect(await answers).toEqual([]);
  expect(await fixture.directory.refusals.next()).toBe('unknown');
});

it('turns away a client that shows no certificate', async () => {
  // WHEN
  const client = fixture.open('nobody', { cert: undefined, key: undefined } as unknown as IClientOptions);
  await client.closed;

  // THEN
  expect(client.mqtt.connected).toBe(false);
  expect(fixture.asked).toEqual([]);
});

describe('a PUBLISH that is not authorized', () => {
  it.each([0, 1] as const)('with QoS %i closes the connection of MQTT 3.1.1', async (qos) => {
    // GIVEN
    deny('iot:Publish', 'topic/secret');
    const client = await fixture.connect('writer');

    // WHEN
    client.mqtt.publish('secret', 'x', { qos });

    // THEN
    await client.closed;
    expect(await fixture.event('$aws/events/presence/disconnected/writer')).toMatchObject({
      disconnectReason: 'AUTH_ERROR',
      clientInitiatedDisconnect: false,
    });
    expect(fixture.passed.all.map((each) => each.topic)).not.toContain('secret');
  });

  it('gets 0x87 in the PUBACK of MQTT 5, and the connection stays', async () => {
    // GIVEN
    deny('iot:Publish', 'topic/secret');
    const client = await fixture.connect('writer', { protocolVersion: 5 });

    // WHEN
    const refused = publish(client, 'secret', 'x');

    // THEN
    await expect(refused).rejects.toMatchObject({ code: 0x87 });
    await publish(client, 'open', 'y');
    expect(client.mqtt.connected).toBe(true);
  });

  it('needs iot:RetainPublish in addition when it is retained', async () => {
    // GIVEN
    deny('iot:RetainPublish', 'topic/a');
    const client = await fixture.connect('writer', { protocolVersion: 5 });

    // WHEN
    await publish(client, 'a', 'x');
    const retained = publish(client, 'a', 'x', { retain: true });

    // THEN
    await expect(retained).rejects.toMatchObject({ code: 0x87 });
  });

  it('is asked again once the policies have changed, and not before', async () => {
    // GIVEN
    const client = await fixture.connect('writer', { protocolVersion: 5 });
    await publish(client, 'a', '1');
    deny('iot:Publish', 'topic/a');

    // WHEN
    await publish(client, 'a', '2');
    fixture.revision += 1;

    // THEN
    await expect(publish(client, 'a', '3')).rejects.toMatchObject({ code: 0x87 });
    expect(fixture.asked.filter((each) => each.action === 'iot:Publish')).toHaveLength(2);
  });
});

describe('a SUBSCRIBE that is not authorized', () => {
  it('closes the connection of MQTT 3.1.1, also for one filter of two', async () => {
    // GIVEN
    deny('iot:Subscribe', 'topicfilter/secret/#');
    const client = await fixture.connect('reader');

    // WHEN
    client.mqtt.subscribe(['open', 'secret/#']);

    // THEN
    await client.closed;
    expect(await fixture.event('$aws/events/presence/disconnected/reader')).toMatchObject({
      disconnectReason: 'AUTH_ERROR',
    });
  });

  it('gets 0x87 in the SUBACK of MQTT 5', async () => {
    // GIVEN
    deny('iot:Subscribe', 'topicfilter/secret/#');
    const client = await fixture.connect('reader', { protocolVersion: 5 });
    const suback = new Promise<Packet>((resolve) =>
      client.mqtt.on('packetreceive', (packet) => packet.cmd === 'suback' && resolve(packet)),
    );

    // WHEN
    client.mqtt.subscribe(['open', 'secret/#'], { qos: 1 });

    // THEN
    expect(await suback).toMatchObject({ granted: [1, 0x87] });
    expect(client.mqtt.connected).toBe(true);
  });
});

it('drops what a client may not receive, without a word', async () => {
  // GIVEN
  deny('iot:Receive', 'topic/a/secret');
  const client = await fixture.connect('reader');
  await client.mqtt.subscribeAsync('a/#', { qos: 1 });

  // WHEN
  await publish(client, 'a/secret', 'x');
  await publish(client, 'a/open', 'y');

  // THEN
  expect((await client.inbox.next()).topic).toBe('a/open');
});

const DEEP = 'a/b/c/d/e/f/g/h/i';

describe('what AWS IoT does not take ends the connection with CLIENT_ERROR', () => {
  const cases: [name: string, act: (client: TestClient) => void, code: number][] = [
    ['a QoS 2 PUBLISH', ({ mqtt }) => mqtt.publish('a', 'x', { qos: 2 }), 0x9b],
    ['a QoS 2 SUBSCRIBE', ({ mqtt }) => mqtt.subscribe('a', { qos: 2 }), 0x9b],
    ['a payload over 128 KB', ({ mqtt }) => mqtt.publish('a', Buffer.alloc(128 * 1024 + 1)), 0x95],
    ['a topic with 8 slashes', ({ mqtt }) => mqtt.publish(DEEP, 'x'), 0x90],
    ['a topic over 256 bytes', ({ mqtt }) => mqtt.publish('x'.repeat(257), 'x'), 0x90],
    ['an event topic', ({ mqtt }) => mqtt.publish('$aws/events/presence/connected/x', 'x', { qos: 1 }), 0x90],
    ['a reserved topic that is not emulated', ({ mqtt }) => mqtt.publish('$aws/things/t/jobs/get', 'x'), 0x90],
    ['a shadow answer', ({ mqtt }) => mqtt.publish('$aws/things/t/shadow/get/accepted', 'x'), 0x90],
    ['retain on a reserved topic', ({ mqtt }) => mqtt.publish('$aws/rules/r/a', 'x', { retain: true }), 0x90],
    [
      'a second CONNECT',
      ({ mqtt }) =>
        mqtt.stream.write(
          generate({ cmd: 'connect', clientId: 'x', clean: true, protocolId: 'MQTT', protocolVersion: 4 }),
        ),
      0x82,
    ],
    ['a packet that is no MQTT', ({ mqtt }) => mqtt.stream.write(Buffer.from([0xf0, 0xff, 0xff, 0xff, 0xff])), 0x81],
  ];

  it.each(cases)('%s, MQTT 3.1.1', async (_name, act) => {
    // GIVEN
    const client = await fixture.connect('wrong');

    // WHEN
    act(client);

    // THEN
    await client.closed;
    expect(await fixture.event('$aws/events/presence/disconnected/wrong')).toMatchObject({
      disconnectReason: 'CLIENT_ERROR',
    });
    expect(fixture.passed.all.filter((each) => each.clientId === 'wrong')).toEqual([]);
  });

  it.each(cases)('%s, MQTT 5', async (_name, act, code) => {
    // GIVEN
    const client = await fixture.connect('wrong', { protocolVersion: 5 });

    // WHEN
    const reasonCode = disconnectCode(client);
    act(client);

    // THEN
    expect(await reasonCode).toBe(code);
    expect(await fixture.event('$aws/events/presence/disconnected/wrong')).toMatchObject({
      disconnectReason: 'CLIENT_ERROR',
    });
  });
});

describe('subscriptions', () => {
  it('that nobody can have close MQTT 3.1.1 and get 0x8F from MQTT 5', async () => {
    for (const filter of ['$aws/rules/#', '$SYS/#', DEEP]) {
      // GIVEN
      const old = await fixture.connect('old');
      const modern = await fixture.connect('modern', { protocolVersion: 5 });

      // WHEN
      old.mqtt.subscribe(filter);
      const refused = expect(modern.mqtt.subscribeAsync(filter)).rejects.toThrow('Topic Filter invalid');

      // THEN
      await old.closed;
      await refused;
      modern.mqtt.end(true);
    }
  });

  it('end at 50 per connection', async () => {
    // GIVEN
    const client = await fixture.connect('many', { protocolVersion: 5 });
    for (let n = 0; n < 50; n += 1) await client.mqtt.subscribeAsync(`topic/${n}`, { qos: 1 });

    // WHEN
    const again = client.mqtt.subscribeAsync('topic/49', { qos: 1 });
    const oneMore = expect(client.mqtt.subscribeAsync('topic/50', { qos: 1 })).rejects.toThrow('Quota exceeded');

    // THEN
    await again;
    await oneMore;
  });

  it('are at most 8 in one request', async () => {
    // GIVEN
    const old = await fixture.connect('old');
    const modern = await fixture.connect('modern', { protocolVersion: 5 });
    const nine = Array.from({ length: 9 }, (_, n) => `topic/${n}`);

    // WHEN
    old.mqtt.subscribe(nine);
    const refused = expect(modern.mqtt.subscribeAsync(nine)).rejects.toThrow('Quota exceeded');

    // THEN
    await old.closed;
    await refused;
  });
});

describe('client ids and versions', () => {
  it('gives an id to a client without one', async () => {
    // GIVEN
    const socket = await fixture.raw();
    const answers = answersOf(socket);

    // WHEN
    socket.write(generate({ cmd: 'connect', clientId: '', protocolVersion: 5, clean: true, protocolId: 'MQTT' }));
    const event = await fixture.passed.next((each) => each.topic.startsWith('$aws/events/presence/connected/'));
    socket.end();

    // THEN
    const [connack] = await answers;
    const assigned = event.topic.slice('$aws/events/presence/connected/'.length);
    expect(connack).toMatchObject({ cmd: 'connack', properties: { assignedClientIdentifier: assigned } });
  });

  it('refuses MQTT 3.1, and an id over 128 bytes', async () => {
    for (const packet of [
      { protocolId: 'MQIsdp', protocolVersion: 3, clientId: 'old' },
      { protocolId: 'MQTT', protocolVersion: 4, clientId: 'x'.repeat(129) },
    ] as const) {
      // GIVEN
      const socket = await fixture.raw();
      const bytes: Buffer[] = [];
      socket.on('data', (chunk) => bytes.push(chunk));

      // WHEN
      socket.write(generate({ cmd: 'connect', clean: true, ...packet }));
      await new Promise((resolve) => socket.on('close', resolve));

      // THEN
      expect([...Buffer.concat(bytes)]).toEqual([0x20, 2, 0, packet.protocolVersion === 3 ? 1 : 2]);
    }
  });
});

it('says goodbye to MQTT 5 clients when it shuts down, without events or wills', async () => {
  // GIVEN
  const will = { topic: 'will', payload: Buffer.from('x'), qos: 1 as const, retain: false };
  const client = await fixture.connect('device', { protocolVersion: 5, will });
  const before = fixture.passed.all.length;
  const code = disconnectCode(client);

  // WHEN
  await fixture.broker.close();

  // THEN
  expect(await code).toBe(0x8b);
  await client.closed;
  expect(fixture.passed.all).toHaveLength(before);
});
