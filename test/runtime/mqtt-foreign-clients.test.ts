/** Clients that others have written: the AWS IoT Device SDK, mosquitto, openssl. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { iot, mqtt, mqtt5 } from 'aws-iot-device-sdk-v2';
import { writeFiles } from '../support/certificates.ts';
import { describeWithTools } from '../support/tools.ts';
import { type BrokerFixture, Inbox, publish, startBroker } from './mqtt-fixture.ts';

const run = promisify(execFile);

let fixture: BrokerFixture;

beforeEach(async () => {
  fixture = await startBroker();
});
afterEach(() => fixture.stop());

describe('the AWS IoT Device SDK', () => {
  it('speaks MQTT 5: connects, subscribes, publishes, updates its shadow, leaves', async () => {
    // GIVEN
    const { pem, keyPem } = fixture.device;
    const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory('localhost', pem, keyPem)
      .withPort(fixture.broker.port)
      .withCertificateAuthority(fixture.ca.pem)
      .withConnectProperties({ clientId: 'thing', keepAliveIntervalSeconds: 60, sessionExpiryIntervalSeconds: 120 })
      .build();
    const client = new mqtt5.Mqtt5Client(config);
    const received = new Inbox<mqtt5.PublishPacket>();
    client.on('messageReceived', ({ message }) => received.push(message));

    // WHEN
    const connected = once(client, 'connectionSuccess');
    client.start();
    const [{ settings, connack }] = await connected;
    await client.subscribe({
      subscriptions: ['a/+', '$aws/things/thing/shadow/update/accepted'].map((topicFilter) => ({
        topicFilter,
        qos: mqtt5.QoS.AtLeastOnce,
      })),
    });
    await client.publish({
      topicName: 'a/b',
      qos: mqtt5.QoS.AtLeastOnce,
      payload: 'hello',
      userProperties: [{ name: 'color', value: 'red' }],
    });
    const echo = await received.next((each) => each.topicName === 'a/b');
    await client.publish({
      topicName: '$aws/things/thing/shadow/update',
      qos: mqtt5.QoS.AtLeastOnce,
      payload: '{"state":{"reported":{"on":true}}}',
    });
    const accepted = await received.next((each) => each.topicName.endsWith('/accepted'));
    const stopped = once(client, 'stopped');
    client.stop({ reasonCode: mqtt5.DisconnectReasonCode.NormalDisconnection });
    await stopped;
    client.close();

    // THEN
    expect(settings).toMatchObject({ serverKeepAlive: 60, sessionExpiryInterval: 120, maximumQos: 1 });
    expect(connack.sessionPresent).toBe(false);
    expect(Buffer.from(echo.payload as ArrayBuffer).toString()).toBe('hello');
    expect(echo.userProperties).toEqual([{ name: 'color', value: 'red' }]);
    expect(JSON.parse(Buffer.from(accepted.payload as ArrayBuffer).toString())).toMatchObject({ version: 1 });
    expect(await fixture.event('$aws/events/presence/disconnected/thing')).toMatchObject({
      disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    });
  });

  it('speaks MQTT 3.1.1: connects, subscribes, publishes, leaves', async () => {
    // GIVEN
    const { pem, keyPem } = fixture.device;
    const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(pem, keyPem)
      .with_certificate_authority(fixture.ca.pem)
      .with_endpoint('localhost')
      .with_port(fixture.broker.port)
      .with_client_id('thing')
      .with_clean_session(true)
      .build();
    const connection = new mqtt.MqttClient().new_connection(config);
    const received = new Inbox<string>();

    // WHEN
    await connection.connect();
    await connection.subscribe('a/+', mqtt.QoS.AtLeastOnce, (_topic, payload) =>
      received.push(Buffer.from(payload).toString()),
    );
    await connection.publish('a/b', 'hello', mqtt.QoS.AtLeastOnce);
    const text = await received.next();
    await connection.disconnect();

    // THEN
    expect(text).toBe('hello');
    expect(await fixture.event('$aws/events/presence/disconnected/thing')).toMatchObject({
      disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    });
  });
});

function files(): { readonly cert: string; readonly key: string; readonly ca: string } {
  const ca = path.join(mkdtempSync(path.join(tmpdir(), 'thingstead-ca-')), 'ca.pem');
  writeFileSync(ca, fixture.ca.pem);
  return { ...writeFiles(fixture.device), ca };
}

describeWithTools(['mosquitto_pub', 'mosquitto_sub'], 'mosquitto', () => {
  it.each(['311', '5'])('publishes and subscribes with -V %s', async (version) => {
    // GIVEN
    const { cert, key, ca } = files();
    const common = [
      '-h',
      'localhost',
      '-p',
      `${fixture.broker.port}`,
      '-V',
      version,
      '--cafile',
      ca,
      '--cert',
      cert,
      '--key',
      key,
    ];
    const client = await fixture.connect('writer');
    await publish(client, 'config', 'kept', { retain: true });

    // WHEN
    await run('mosquitto_pub', [...common, '-q', '1', '-t', 'a/b', '-m', '{"value":1}']);
    const { stdout } = await run('mosquitto_sub', [...common, '-q', '1', '-t', 'config', '-C', '1', '-W', '10']);

    // THEN
    expect((await fixture.passed.next((each) => each.topic === 'a/b')).payload.toString()).toBe('{"value":1}');
    expect(stdout).toBe('kept\n');
  });
});

describeWithTools(['openssl'], 'openssl', () => {
  const handshake = async (...options: string[]): Promise<string> => {
    const { cert, key, ca } = files();
    const target = ['-connect', `localhost:${fixture.broker.port}`, '-servername', 'localhost'];
    const all = ['s_client', ...target, '-CAfile', ca, '-cert', cert, '-key', key, ...options];
    const child = run('openssl', all);
    child.child.stdin?.end();
    const { stdout } = await child.catch((error: { stdout: string; stderr: string }) => error);
    return stdout;
  };

  it('agrees on TLS 1.2 and 1.3 and on the ALPN name of AWS', async () => {
    expect(await handshake('-tls1_2', '-alpn', 'x-amzn-mqtt-ca')).toContain('ALPN protocol: x-amzn-mqtt-ca');
    expect(await handshake('-tls1_3')).toContain('TLSv1.3');
  });

  it('gets no TLS 1.1 and no other ALPN name', async () => {
    expect(await handshake('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')).toContain('Cipher is (NONE)');
    expect(await handshake('-alpn', 'mqtt')).toContain('Cipher is (NONE)');
  });
});
