/** AWS's device SDK for JavaScript v2, unmodified: shadows over MQTT 5 and MQTT 3.1.1, user properties, shared subscriptions. */
import { readFileSync } from 'node:fs';
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  RegisterCertificateWithoutCACommand,
} from '@aws-sdk/client-iot';
import { iot, iotshadow, mqtt, type mqtt_request_response, mqtt5 } from 'aws-iot-device-sdk-v2';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';

const OPTIONS = {
  maxRequestResponseSubscriptions: 6,
  maxStreamingSubscriptions: 6,
  operationTimeoutInSeconds: 10,
};

let platform: Platform;
let rootCa: string;
const thing = 'macdonald-barn';
let device: DeviceCertificate;
/** An application of the operator's, with a certificate and a policy that allow more than a device's do. */
let application: DeviceCertificate;

beforeAll(async () => {
  platform = await startPlatform();
  rootCa = readFileSync(platform.mqtt.rootCaFile, 'utf8');
  const ca = await createCa('device-sdk');
  await platform.registerCa(ca);
  device = await issue(ca, thing);
  await platform.join(device);
  application = await issue(await createCa('applications'), 'application');
  const { certificateArn } = await platform.iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem: application.pem, status: 'ACTIVE' }),
  );
  await platform.iot.send(new CreateThingCommand({ thingName: 'application' }));
  await platform.iot.send(
    new CreatePolicyCommand({
      policyName: 'application',
      policyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
      }),
    }),
  );
  await platform.iot.send(new AttachPolicyCommand({ policyName: 'application', target: certificateArn }));
});
afterAll(() => platform.stop());

function newMqtt5(identity: DeviceCertificate, clientId: string): mqtt5.Mqtt5Client {
  const client = new mqtt5.Mqtt5Client(
    iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
      platform.mqtt.host,
      identity.pem,
      identity.keyPem,
    )
      .withCertificateAuthority(rootCa)
      .withPort(platform.mqtt.port)
      .withConnectProperties({ clientId, keepAliveIntervalSeconds: 60 })
      .build(),
  );
  client.on('error', () => {});
  return client;
}

async function start(client: mqtt5.Mqtt5Client): Promise<mqtt5.Mqtt5Client> {
  await new Promise<void>((resolve, reject) => {
    client.once('connectionSuccess', () => resolve());
    client.once('connectionFailure', ({ error }) => reject(error));
    client.start();
  });
  return client;
}

async function stop(client: mqtt5.Mqtt5Client): Promise<void> {
  const stopped = new Promise((resolve) => client.once('stopped', resolve));
  client.stop();
  await stopped;
  client.close();
}

interface ShadowConnection {
  readonly shadows: iotshadow.IotShadowClientv2;
  close(): Promise<void>;
}

const transports: Record<string, (identity: DeviceCertificate, clientId: string) => Promise<ShadowConnection>> = {
  'MQTT 5': async (identity, clientId) => {
    const client = newMqtt5(identity, clientId);
    // The service client must exist before the connection does: the order of the SDK's own samples.
    const shadows = iotshadow.IotShadowClientv2.newFromMqtt5(client, OPTIONS);
    await start(client);
    return {
      shadows,
      close: () => {
        shadows.close();
        return stop(client);
      },
    };
  },
  'MQTT 3.1.1': async (identity, clientId) => {
    const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(identity.pem, identity.keyPem)
      .with_certificate_authority(rootCa)
      .with_endpoint(platform.mqtt.host)
      .with_port(platform.mqtt.port)
      .with_client_id(clientId)
      .with_clean_session(true)
      .build();
    const connection = new mqtt.MqttClient().new_connection(config);
    connection.on('error', () => {});
    const shadows = iotshadow.IotShadowClientv2.newFromMqtt311(connection, OPTIONS);
    await connection.connect();
    return {
      shadows,
      close: async () => {
        shadows.close();
        await connection.disconnect();
      },
    };
  },
};

/** Opens a stream; resolves once it is subscribed, with a function that waits for the next event. */
async function listen<Event>(
  stream: mqtt_request_response.StreamingOperation<Event>,
): Promise<{ next(): Promise<Event>; close(): void }> {
  const waiting: ((event: Event) => void)[] = [];
  const arrived: Event[] = [];
  stream.on('incomingPublish', ({ message }) => {
    const waiter = waiting.shift();
    if (waiter) waiter(message);
    else arrived.push(message);
  });
  const subscribed = new Promise<void>((resolve, reject) =>
    stream.on('subscriptionStatus', ({ error }) => (error ? reject(error) : resolve())),
  );
  stream.open();
  await subscribed;
  return {
    next: () => {
      const event = arrived.shift();
      return event ? Promise.resolve(event) : new Promise((resolve) => waiting.push(resolve));
    },
    close: () => stream.close(),
  };
}

describe.each(Object.entries(transports))('the shadow client over %s', (name, connect) => {
  let ours: ShadowConnection;
  const shadowName = name === 'MQTT 5' ? 'config5' : 'config311';

  beforeEach(async () => {
    ours = await connect(device, thing);
  });
  afterEach(() => ours.close());

  it('updates and gets the classic shadow; delta and documents arrive', async () => {
    // GIVEN a device that listens
    const { shadows } = ours;
    const deltas = await listen(shadows.createShadowDeltaUpdatedStream({ thingName: thing }));
    const documents = await listen(shadows.createShadowUpdatedStream({ thingName: thing }));

    // WHEN it reports one state and another is desired
    const { version = 0 } = await shadows.updateShadow({
      thingName: thing,
      state: { reported: { lamp: `off-${name}` }, desired: { lamp: `on-${name}` } },
    });

    // THEN it is told the difference, what was and what is, and reads the same
    expect(await deltas.next()).toMatchObject({ version, state: { lamp: `on-${name}` } });
    expect(await documents.next()).toMatchObject({
      current: { version, state: { reported: { lamp: `off-${name}` }, desired: { lamp: `on-${name}` } } },
    });
    expect(await shadows.getShadow({ thingName: thing })).toMatchObject({
      version,
      state: { delta: { lamp: `on-${name}` } },
    });
    deltas.close();
    documents.close();
  });

  it('answers an update with an old version by the service error that says so', async () => {
    const { shadows } = ours;
    await shadows.updateShadow({ thingName: thing, state: { reported: { n: 1 } } });

    const late = shadows.updateShadow({ thingName: thing, state: { reported: { n: 2 } }, version: 1_000_000 });

    await expect(late).rejects.toMatchObject({ modeledError: { code: 409, message: 'Version conflict' } });
  });

  it('works on a named shadow: none, made, its delta, read', async () => {
    const { shadows } = ours;
    await expect(shadows.getNamedShadow({ thingName: thing, shadowName })).rejects.toMatchObject({
      modeledError: { code: 404 },
    });
    const deltas = await listen(shadows.createNamedShadowDeltaUpdatedStream({ thingName: thing, shadowName }));

    await shadows.updateNamedShadow({ thingName: thing, shadowName, state: { desired: { seconds: 5 } } });

    expect(await deltas.next()).toMatchObject({ state: { seconds: 5 } });
    expect(await shadows.getNamedShadow({ thingName: thing, shadowName })).toMatchObject({
      version: 1,
      state: { desired: { seconds: 5 } },
    });
    deltas.close();
  });

  it('deletes shadows where its policy allows, and then there is none', async () => {
    const { shadows, close } = await connect(application, `application-${shadowName}`);
    try {
      await shadows.updateNamedShadow({ thingName: 'application', shadowName, state: { reported: { a: 1 } } });
      await shadows.updateShadow({ thingName: 'application', state: { reported: { a: 1 } } });

      await shadows.deleteNamedShadow({ thingName: 'application', shadowName });
      await shadows.deleteShadow({ thingName: 'application' });

      const absent = { modeledError: { code: 404 } };
      await expect(shadows.getNamedShadow({ thingName: 'application', shadowName })).rejects.toMatchObject(absent);
      await expect(shadows.getShadow({ thingName: 'application' })).rejects.toMatchObject(absent);
    } finally {
      await close();
    }
  });
});

describe('the MQTT 5 client', () => {
  it('hands user properties, content type, response topic and correlation data to the receiver', async () => {
    const receiver = await start(newMqtt5(device, thing));
    const sender = await start(newMqtt5(application, 'sender'));
    try {
      const received = new Promise<mqtt5.PublishPacket>((resolve) =>
        receiver.once('messageReceived', ({ message }) => resolve(message)),
      );
      const topicName = `device/${thing}/command/42/v1`;
      await receiver.subscribe({ subscriptions: [{ topicFilter: topicName, qos: mqtt5.QoS.AtLeastOnce }] });

      await sender.publish({
        topicName,
        qos: mqtt5.QoS.AtLeastOnce,
        payload: '{"open":true}',
        contentType: 'application/json',
        responseTopic: `${topicName}/outcome`,
        correlationData: Buffer.from([0, 255, 7]),
        userProperties: [
          { name: 'trace', value: 'one' },
          { name: 'trace', value: 'two' },
        ],
      });

      const message = await received;
      expect(message).toMatchObject({
        topicName,
        contentType: 'application/json',
        responseTopic: `${topicName}/outcome`,
        userProperties: [
          { name: 'trace', value: 'one' },
          { name: 'trace', value: 'two' },
        ],
      });
      expect(Buffer.from(message.correlationData as ArrayBuffer)).toEqual(Buffer.from([0, 255, 7]));
      expect(Buffer.from(message.payload as ArrayBuffer).toString()).toBe('{"open":true}');
    } finally {
      await stop(receiver);
      await stop(sender);
    }
  });

  it('shares a subscription: each message goes to one of the group', async () => {
    const members = await Promise.all(
      ['worker-1', 'worker-2', 'worker-3'].map((id) => start(newMqtt5(application, id))),
    );
    const sender = await start(newMqtt5(device, thing));
    try {
      const total = 30;
      const received: number[][] = members.map(() => []);
      const all = new Promise<void>((resolve) => {
        members.forEach((member, index) => {
          member.on('messageReceived', ({ message }) => {
            received[index]?.push(JSON.parse(Buffer.from(message.payload as ArrayBuffer).toString()).value);
            if (received.flat().length === total) resolve();
          });
        });
      });
      for (const member of members) {
        await member.subscribe({
          subscriptions: [{ topicFilter: '$share/workers/device/+/sensor/shared/v1', qos: mqtt5.QoS.AtLeastOnce }],
        });
      }

      for (let value = 0; value < total; value += 1) {
        await sender.publish({
          topicName: `device/${thing}/sensor/shared/v1`,
          qos: mqtt5.QoS.AtLeastOnce,
          payload: JSON.stringify({ id: `shared-${value}`, value }),
        });
      }

      await all;
      expect(received.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, n) => n));
      expect(received.filter((each) => each.length > 0).length).toBeGreaterThan(1);
    } finally {
      await Promise.all([...members, sender].map(stop));
    }
  });

  it('learns from the reason code that a topic is not its own', async () => {
    const client = await start(newMqtt5(device, thing));
    try {
      const answer = await client.publish({
        topicName: 'device/someone-else/sensor/x/v1',
        qos: mqtt5.QoS.AtLeastOnce,
        payload: '{"value":1}',
      });

      expect(answer?.reasonCode).toBe(mqtt5.PubackReasonCode.NotAuthorized);
    } finally {
      await stop(client);
    }
  });
});
