/** Persistent sessions: what a client finds again, for how long. */
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import { issue } from '../support/certificates.ts';
import { type BrokerFixture, Inbox, publish, startBroker, type TestClient } from './mqtt-fixture.ts';

const KEPT = {
  4: { protocolVersion: 4, clean: false },
  5: { protocolVersion: 5, clean: false, properties: { sessionExpiryInterval: 3600 } },
} as const;
const HOUR_MS = 3_600_000;

let fixture: BrokerFixture;

beforeEach(async () => {
  fixture = await startBroker();
});
afterEach(() => fixture.stop());

async function leave(client: TestClient): Promise<void> {
  client.mqtt.stream.destroy();
  await client.closed;
  await fixture.event(`$aws/events/presence/disconnected/${client.mqtt.options.clientId}`);
}

/** Connects and tells whether the broker has resumed a session. */
async function come(clientId: string, options: object): Promise<{ client: TestClient; present: boolean }> {
  const client = fixture.open(clientId, options);
  const present = await new Promise<boolean>((resolve) =>
    client.mqtt.once('connect', (connack) => resolve(connack.sessionPresent)),
  );
  return { client, present };
}

describe.each([4, 5] as const)('a persistent session, protocol level %i', (version) => {
  it('keeps subscriptions and QoS 1 messages for an hour', async () => {
    // GIVEN
    const { client } = await come('device', KEPT[version]);
    await client.mqtt.subscribeAsync({ 'a/one': { qos: 1 }, 'a/zero': { qos: 0 } });
    await leave(client);
    const publisher = await fixture.connect('publisher');
    await publish(publisher, 'a/one', '1');
    await publish(publisher, 'a/zero', 'lost');
    await publish(publisher, 'a/one', 'lost', { qos: 0 });
    await publish(publisher, 'a/one', '2');
    await fixture.kernel.clock.advance(HOUR_MS - 60_000);

    // WHEN
    const again = await come('device', KEPT[version]);
    const live = await fixture.connect('live');
    await publish(live, 'a/one', '3');

    // THEN
    expect(again.present).toBe(true);
    const texts = [await again.client.inbox.next(), await again.client.inbox.next(), await again.client.inbox.next()];
    expect(texts.map((each) => each.text)).toEqual(['1', '2', '3']);
  });

  it('is gone after an hour', async () => {
    // GIVEN
    const { client } = await come('device', KEPT[version]);
    await client.mqtt.subscribeAsync('a', { qos: 1 });
    await leave(client);

    // WHEN
    await fixture.kernel.clock.advance(HOUR_MS + 1);

    // THEN
    expect((await come('device', KEPT[version])).present).toBe(false);
  });

  it('is ended by a clean one', async () => {
    // GIVEN
    const { client } = await come('device', KEPT[version]);
    await client.mqtt.subscribeAsync('a', { qos: 1 });
    await leave(client);

    // WHEN
    const clean = await come('device', { protocolVersion: version, clean: true });
    await leave(clean.client);

    // THEN
    expect(clean.present).toBe(false);
    expect((await come('device', KEPT[version])).present).toBe(false);
  });

  it('sends again what was not acknowledged, without DUP', async () => {
    // GIVEN
    const { client } = await come('device', KEPT[version]);
    await client.mqtt.subscribeAsync('a', { qos: 1 });
    // This client never acknowledges.
    client.mqtt.handleMessage = () => {};
    const publisher = await fixture.connect('publisher');
    await publish(publisher, 'a', 'once more');
    await client.inbox.next();
    await leave(client);

    // WHEN
    const again = await come('device', KEPT[version]);

    // THEN
    const { text, packet } = await again.client.inbox.next();
    expect([text, packet.dup]).toEqual(['once more', false]);
  });

  it('survives a takeover', async () => {
    // GIVEN
    const { client } = await come('device', KEPT[version]);
    await client.mqtt.subscribeAsync('a', { qos: 1 });

    // WHEN
    const again = await come('device', KEPT[version]);
    await publish(again.client, 'a', 'x');

    // THEN
    expect(again.present).toBe(true);
    expect((await again.client.inbox.next()).text).toBe('x');
  });
});

it('is not resumed with the other version', async () => {
  // GIVEN
  const { client } = await come('device', KEPT[4]);
  await leave(client);

  // WHEN
  const { present } = await come('device', KEPT[5]);

  // THEN
  expect(present).toBe(false);
});

it('gives another certificate only the subscriptions that its policies allow', async () => {
  // GIVEN
  const { client } = await come('device', KEPT[4]);
  await client.mqtt.subscribeAsync(['old/secret', 'end'], { qos: 1 });
  await leave(client);
  const publisher = await fixture.connect('publisher');
  await publish(publisher, 'old/secret', 'for the old one only');
  const other = await issue(fixture.ca, 'other');
  fixture.directory.add(other);
  fixture.allow = ({ principal, resource }) =>
    principal.kind === 'certificate' &&
    (principal.certificate.certificateId !== other.certificateId || !resource.endsWith('old/secret'));

  // WHEN
  const again = await come('device', { ...KEPT[4], cert: other.pem, key: other.keyPem });
  await publish(publisher, 'old/secret', 'x');
  await publish(publisher, 'end', 'x');

  // THEN
  expect((await again.client.inbox.next()).topic).toBe('end');
});

it('sends at most as much as the client takes unacknowledged, and the rest as it acknowledges', async () => {
  // GIVEN
  const socket = await fixture.raw();
  const received = new Inbox<Packet>();
  const parser = createParser({ protocolVersion: 5 });
  parser.on('packet', (packet) => received.push(packet));
  socket.on('data', (chunk) => parser.parse(chunk));
  const send = (packet: Packet): unknown => socket.write(generate(packet, { protocolVersion: 5 }));
  send({ cmd: 'connect', clientId: 'slow', protocolVersion: 5, clean: true, properties: { receiveMaximum: 3 } });
  send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 1 }] });
  await received.next((each) => each.cmd === 'suback');
  const publisher = await fixture.connect('publisher');
  for (let n = 0; n < 10; n += 1) await publish(publisher, 'a', `${n}`);

  // WHEN
  const texts: string[] = [];
  let unacknowledged: (number | undefined)[] = [];
  let most = 0;
  while (texts.length < 10) {
    const packet = await received.next((each) => each.cmd === 'publish' || each.cmd === 'pingresp');
    if (packet.cmd === 'publish') {
      texts.push(String(packet.payload));
      unacknowledged.push(packet.messageId);
      most = Math.max(most, unacknowledged.length);
      // Everything that was sent before the answer to this has come before it.
      if (unacknowledged.length === 3) send({ cmd: 'pingreq' });
    } else {
      for (const messageId of unacknowledged) send({ cmd: 'puback', messageId: messageId ?? 0, reasonCode: 0 });
      unacknowledged = [];
    }
  }

  // THEN
  expect(most).toBe(3);
  expect(texts).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

it('leaves out messages that have expired meanwhile, and tells what is left of the others', async () => {
  // GIVEN
  const { client } = await come('device', KEPT[5]);
  await client.mqtt.subscribeAsync('a', { qos: 1 });
  await leave(client);
  const publisher = await fixture.connect('publisher', { protocolVersion: 5 });
  await publish(publisher, 'a', 'short', { properties: { messageExpiryInterval: 10 } });
  await publish(publisher, 'a', 'long', { properties: { messageExpiryInterval: 100 } });

  // WHEN
  await fixture.kernel.clock.advance(60_000);
  const again = await come('device', KEPT[5]);

  // THEN
  const { text, packet } = await again.client.inbox.next();
  expect(text).toBe('long');
  expect(packet.properties?.messageExpiryInterval).toBeLessThanOrEqual(40);
  expect(packet.properties?.messageExpiryInterval).toBeGreaterThanOrEqual(38);
});

it('lets an expired retained message go', async () => {
  // GIVEN
  const publisher = await fixture.connect('publisher', { protocolVersion: 5 });
  await publish(publisher, 'a', 'old', { retain: true, properties: { messageExpiryInterval: 10 } });

  // WHEN
  await fixture.kernel.clock.advance(10_001);
  const late = await fixture.connect('late');
  await late.mqtt.subscribeAsync('a', { qos: 1 });
  await publish(late, 'a', 'new');

  // THEN
  expect((await late.inbox.next()).text).toBe('new');
});

it('queues for a shared subscription while no member is online, if one has a persistent session', async () => {
  // GIVEN
  const { client } = await come('worker', KEPT[4]);
  await client.mqtt.subscribeAsync('$share/g/jobs', { qos: 1 });
  await leave(client);
  const publisher = await fixture.connect('publisher');
  await publish(publisher, 'jobs', 'waits');

  // WHEN
  const other = await fixture.connect('other');
  await other.mqtt.subscribeAsync('$share/g/jobs', { qos: 1 });

  // THEN
  expect((await other.inbox.next()).text).toBe('waits');
});

it('gives a shared message that a member did not acknowledge to another', async () => {
  // GIVEN
  const lazy = await fixture.connect('lazy');
  lazy.mqtt.handleMessage = () => {};
  await lazy.mqtt.subscribeAsync('$share/g/jobs', { qos: 1 });
  const publisher = await fixture.connect('publisher');
  await publish(publisher, 'jobs', 'job');
  await lazy.inbox.next();
  const other = await fixture.connect('other');
  await other.mqtt.subscribeAsync('$share/g/jobs', { qos: 1 });

  // WHEN
  await leave(lazy);

  // THEN
  expect((await other.inbox.next()).text).toBe('job');
});

it('lets MQTT 5 end or shorten a session with the DISCONNECT, but not create one', async () => {
  // GIVEN
  const { client: ending } = await come('ending', KEPT[5]);
  const { client: clean } = await come('clean', { protocolVersion: 5 });

  // WHEN
  await ending.mqtt.endAsync(false, { properties: { sessionExpiryInterval: 0 } });
  clean.mqtt.stream.write(
    generate({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 60 } }, { protocolVersion: 5 }),
  );
  await clean.closed;

  // THEN
  expect(await fixture.event('$aws/events/presence/disconnected/clean')).toMatchObject({
    disconnectReason: 'CLIENT_ERROR',
  });
  expect((await come('ending', KEPT[5])).present).toBe(false);
});
