/** What the message broker counts of real MQTT clients. */
import { meterReport } from '../../local/src/meter/report.ts';
import { type BrokerFixture, publish, startBroker } from './mqtt-fixture.ts';

let fixture: BrokerFixture;

beforeEach(async () => {
  fixture = await startBroker();
});
afterEach(() => fixture.stop());

function counted(item: 'iotMessage' | 'iotConnection' | 'iotOperation'): Record<string, number> {
  const uses = fixture.kernel.meter.uses.filter((each) => each.item === item);
  return Object.fromEntries(uses.map(({ resource, quantity }) => [resource, quantity]));
}

describe.each([4, 5] as const)('messages, protocol level %i', (protocolVersion) => {
  it('are counted on their way in, on their way out and with the PUBACK of the receiver, by 5 KB', async () => {
    // GIVEN
    const subscriber = await fixture.connect('subscriber', { protocolVersion });
    await subscriber.mqtt.subscribeAsync(['a/#', 'b'], { qos: 1 });
    const publisher = await fixture.connect('publisher', { protocolVersion });

    // WHEN
    await publish(publisher, 'a/small', 'x');
    await publish(publisher, 'a/large', 'x'.repeat(5 * 1024));
    await publish(publisher, 'nobody', 'x');
    await subscriber.inbox.next((each) => each.topic === 'a/large');
    // What comes after the two PUBACKs has been read after them.
    await subscriber.mqtt.unsubscribeAsync('b');

    // THEN
    expect(counted('iotMessage')).toEqual({
      CONNECT: 2,
      SUBSCRIBE: 1,
      'PUBLISH received': 1 + 2 + 1,
      'PUBLISH sent': 1 + 2,
      'PUBACK received': 2,
    });
  });

  it('are not counted through Basic Ingest, nor when they are refused; pings are free', async () => {
    // GIVEN
    fixture.allow = ({ resource }) => resource !== 'topic/forbidden';
    const client = await fixture.connect('publisher', { protocolVersion });

    // WHEN
    await publish(client, '$aws/rules/telemetry/device/a/sensor/b/v1', 'x');
    client.mqtt.sendPing();
    // MQTT 5 answers with a reason code, 3.1.1 closes the connection.
    await Promise.race([publish(client, 'forbidden', 'x').catch(() => undefined), client.closed]);

    // THEN
    expect(counted('iotMessage')).toEqual({ CONNECT: 1 });
  });

  it('are counted again for being retained', async () => {
    const client = await fixture.connect('publisher', { protocolVersion });

    await publish(client, 'a/b', 'x', { retain: true });

    expect(counted('iotMessage')).toEqual({ CONNECT: 1, 'PUBLISH received': 1, RETAINED: 1 });
  });
});

describe('MQTT 5', () => {
  it('counts user properties, response topic, correlation data and content type with the payload', async () => {
    // GIVEN
    const client = await fixture.connect('publisher', { protocolVersion: 5 });
    const payload = 'x'.repeat(5 * 1024 - 100);

    // WHEN
    await publish(client, 'a', payload);
    await publish(client, 'a', payload, { properties: { userProperties: { key: 'v'.repeat(100) } } });
    await publish(client, 'a', payload, { properties: { correlationData: Buffer.alloc(100) } });
    await publish(client, 'a', payload, { properties: { responseTopic: 'r'.repeat(100), contentType: 'text' } });

    // THEN
    expect(counted('iotMessage')['PUBLISH received']).toBe(1 + 2 + 2 + 2);
  });
});

describe('shadows over MQTT', () => {
  it('cost the message and the operation, and each answer that somebody receives', async () => {
    // GIVEN
    const client = await fixture.connect('thing');
    await client.mqtt.subscribeAsync('$aws/things/thing/shadow/update/accepted', { qos: 0 });

    // WHEN
    await publish(client, '$aws/things/thing/shadow/update', JSON.stringify({ state: { reported: { on: true } } }));
    await client.inbox.next();

    // THEN
    expect(counted('iotOperation')).toEqual({ UpdateThingShadow: 1 });
    expect(counted('iotMessage')).toEqual({ CONNECT: 1, SUBSCRIBE: 1, 'PUBLISH received': 1, 'PUBLISH sent': 1 });
  });
});

describe('connectivity', () => {
  it('is counted by the minute of virtual time that has begun, until the client goes', async () => {
    // GIVEN
    const one = await fixture.connect('one');
    await fixture.connect('two');

    // WHEN
    await fixture.kernel.clock.advance(10 * 60_000 - 5000);
    await one.mqtt.endAsync();
    await fixture.event('$aws/events/presence/disconnected/one');
    await fixture.kernel.clock.advance(10 * 60_000);

    // THEN
    expect(counted('iotConnection')).toEqual({ devices: 10 + 20 });
    const { deviceMinutes } = meterReport(fixture.kernel.meter).deviceMonth;
    expect(deviceMinutes).toBeGreaterThan(29.8);
    expect(deviceMinutes).toBeLessThan(30);
  });
});
