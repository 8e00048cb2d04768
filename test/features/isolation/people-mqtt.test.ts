/**
 * Every topic, tried by everyone over MQTT: people through WebSocket with the credentials of their identity, devices with their
 * certificates. The table is the oracle, written by hand; a topic of the contracts without a row fails.
 */
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import * as topics from '@thingstead/contracts/topics';
import type { DeviceCertificate } from '../../support/certificates.ts';
import { WebSocketRefused } from '../../support/mqtt-websocket.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { pairingDevice } from '../pairing/pairing-device.ts';
import { type Cast, type Character, fixtures, PEOPLE, signIn } from './cast.ts';

type Who = Character | 'device' | 'otherDevice';
const EVERYONE: readonly Who[] = [...PEOPLE, 'device', 'otherDevice'];
const READERS = ['viewer', 'controller', 'owner'] as const;
const WRITERS = ['controller', 'owner'] as const;
const LIMIT_MS = 180_000;

interface Row {
  readonly topic: (thing: string) => string;
  readonly publish?: readonly Who[];
  /** May subscribe to it, and gets what is published there. */
  readonly receive?: readonly Who[];
}

const shadow = (rest: string) => (thing: string) => `$aws/things/${thing}/shadow/${rest}`;
const DEVICE = ['device'] as const;

/** By the name of the function in the contracts that makes the topic, or a name of its own. */
const TABLE: Readonly<Record<string, Row>> = {
  sensorTopic: {
    topic: (thing) => topics.sensorTopic(thing, 'temperature'),
    publish: DEVICE,
    receive: [...READERS, 'device'],
  },
  sensorBasicIngestTopic: { topic: (thing) => topics.sensorBasicIngestTopic(thing, 'temperature'), publish: DEVICE },
  lastWillTopic: { topic: topics.lastWillTopic, publish: DEVICE, receive: DEVICE },
  registerTopic: { topic: topics.registerTopic, publish: DEVICE, receive: DEVICE },
  'registerTopic, accepted': { topic: (thing) => `${topics.registerTopic(thing)}/accepted`, receive: DEVICE },
  pairingTopic: { topic: topics.pairingTopic, publish: DEVICE, receive: DEVICE },
  'pairingTopic, accepted': { topic: (thing) => `${topics.pairingTopic(thing)}/accepted`, receive: DEVICE },
  commandTopic: { topic: (thing) => topics.commandTopic(thing, '0'.repeat(26)), receive: DEVICE },
  'commandTopic, outcome': {
    topic: (thing) => `${topics.commandTopic(thing, '0'.repeat(26))}/outcome`,
    publish: DEVICE,
    receive: DEVICE,
  },
  filesTopic: { topic: (thing) => topics.filesTopic(thing, '0'.repeat(26)), publish: DEVICE, receive: DEVICE },
  // Keys are in the answers: nobody hears them but the device, not even its owner.
  'filesTopic, accepted': {
    topic: (thing) => `${topics.filesTopic(thing, '0'.repeat(26))}/accepted`,
    receive: DEVICE,
  },
  firmwareTopic: { topic: (thing) => topics.firmwareTopic(thing, 'f1'), publish: DEVICE, receive: DEVICE },
  certificateTopic: { topic: topics.certificateTopic, publish: DEVICE, receive: DEVICE },
  'certificateTopic, accepted': { topic: (thing) => `${topics.certificateTopic(thing)}/accepted`, receive: DEVICE },
  // All that is under its own name a device may hear.
  'shadow get': { topic: shadow('get'), publish: [...READERS, 'device'], receive: DEVICE },
  'shadow update': { topic: shadow('update'), publish: [...WRITERS, 'device'], receive: DEVICE },
  'shadow delete': { topic: shadow('delete'), receive: DEVICE },
  'shadow get/accepted': { topic: shadow('get/accepted'), receive: [...READERS, 'device'] },
  'shadow update/accepted': { topic: shadow('update/accepted'), receive: [...READERS, 'device'] },
  'shadow update/delta': { topic: shadow('update/delta'), receive: [...READERS, 'device'] },
  'shadow update/documents': { topic: shadow('update/documents'), receive: [...READERS, 'device'] },
  'named shadow update': { topic: shadow('name/firmware/update'), publish: DEVICE, receive: DEVICE },
  'named shadow get': { topic: shadow('name/firmware/get'), publish: DEVICE, receive: DEVICE },
  'named shadow delta': { topic: shadow('name/firmware/update/delta'), receive: DEVICE },
  'life-cycle events': { topic: (thing) => `$aws/events/presence/connected/${thing}` },
};

/** Filters that reach further than one topic: nobody but the device itself may have any of them. */
const WILD: Readonly<Record<string, { filter: (thing: string) => string; may: readonly Who[] }>> = {
  everything: { filter: () => '#', may: [] },
  'every device': { filter: () => 'device/#', may: [] },
  'every sensor': { filter: () => 'device/+/sensor/+/v1', may: [] },
  'all of the device': { filter: (thing) => `device/${thing}/#`, may: DEVICE },
  'all of its shadows': { filter: (thing) => `$aws/things/${thing}/shadow/#`, may: DEVICE },
  'every shadow': { filter: () => '$aws/things/+/shadow/update/documents', may: [] },
  'a shared subscription': { filter: (thing) => `$share/g/device/${thing}/command/+/v1`, may: [] },
};

interface Connection {
  publish(topic: string): Promise<string>;
  subscribe(filter: string): Promise<string>;
  /** Resolves when this text has come on the topic. */
  got(topic: string, text: string): Promise<unknown>;
  end(): Promise<void>;
}

let platform: Platform;
let cast: Cast;
let device: DeviceCertificate;
let otherDevice: DeviceCertificate;
let data: IoTDataPlaneClient;

beforeAll(async () => {
  platform = await startPlatform();
  data = new IoTDataPlaneClient(platform.config);
  cast = await signIn(platform);
  const make = await fixtures(platform, cast);
  for (const who of PEOPLE) await cast[who].identify();
  device = await make.thing();
  otherDevice = await make.device();
  const pairing = await pairingDevice(platform, otherDevice);
  // Whoever has nothing at all has no policy: the stranger has a thing, another one.
  await make.pair(pairing, cast.stranger);
  await pairing.client.endAsync();
  await platform.idle();
}, LIMIT_MS);
afterAll(() => platform.stop());

/** With MQTT 5, which says why something is refused, and stays connected. */
async function connect(who: Who): Promise<Connection | undefined> {
  if (who === 'device' || who === 'otherDevice') {
    const client = await platform.connect(who === 'device' ? device : otherDevice, { protocolVersion: 5 });
    const messages: { topic: string; text: string }[] = [];
    client.on('message', (topic, payload) => messages.push({ topic, text: payload.toString() }));
    return {
      publish: (topic) => client.tryPublish(topic, '{}'),
      subscribe: (filter) => client.trySubscribe(filter),
      got: (topic, text) => platform.soon(async () => expect(messages).toContainEqual({ topic, text })),
      end: () => client.endAsync(true),
    };
  }
  try {
    const client = await cast[who].connect('tab1', { version: 5 });
    return {
      publish: (topic) => client.publish(topic, '{}'),
      subscribe: (filter) => client.subscribe(filter),
      got: (topic, text) => client.next((message) => message.topic === topic && message.text === text),
      end: () => client.end(),
    };
  } catch (error) {
    if (error instanceof WebSocketRefused) return undefined;
    throw error;
  }
}

it('has a row for every topic of the contracts', () => {
  const named = Object.entries(topics).filter(([, value]) => typeof value === 'function');
  expect(Object.keys(TABLE)).toEqual(expect.arrayContaining(named.map(([name]) => name)));
});

describe.each(EVERYONE)('%s', (who) => {
  let connection: Connection | undefined;

  beforeAll(async () => {
    connection = await connect(who);
  });
  afterAll(() => connection?.end());

  it.each(Object.entries(TABLE))('publishes to %s, or does not', async (_name, { topic, publish = [] }) => {
    const answer = (await connection?.publish(topic(device.thing))) ?? 'not-authorized';

    expect(answer).toBe(publish.includes(who) ? 'accepted' : 'not-authorized');
  });

  // Basic Ingest has no subscribers: the filter is not valid, whoever asks.
  const heard = Object.entries(TABLE).filter(([name]) => name !== 'sensorBasicIngestTopic');
  it.each(heard)('hears %s, or does not', async (name, { topic, receive = [] }) => {
    const filter = topic(device.thing);
    const answer = (await connection?.subscribe(filter)) ?? 'not-authorized';

    expect(answer).toBe(receive.includes(who) ? 'accepted' : 'not-authorized');
    // Reserved topics are the broker's own to publish to.
    if (answer !== 'accepted' || filter.startsWith('$')) return;
    const text = JSON.stringify({ about: `${name} for ${who}` });
    await data.send(new PublishCommand({ topic: filter, qos: 1, payload: Buffer.from(text) }));
    await connection?.got(filter, text);
  });

  it.each(Object.entries(WILD))('subscribes to %s, or does not', async (_name, { filter, may }) => {
    const answer = (await connection?.subscribe(filter(device.thing))) ?? 'not-authorized';

    expect(answer).toBe(may.includes(who) ? 'accepted' : 'not-authorized');
  });
});

describe('nobody connects', () => {
  it.each(PEOPLE)('as the device, or as somebody else: %s', async (who) => {
    const other = await cast[who === 'owner' ? 'viewer' : 'owner'].identityId();
    for (const clientId of [device.thing, `${other}-tab1`, `${device.thing}-tab1`]) {
      await expect(cast[who].connect('tab1', { clientId })).rejects.toThrow(WebSocketRefused);
    }
    expect(await platform.isConnected(device.thing)).toBe(false);
  });

  it('with the certificate of another device', async () => {
    await expect(platform.connect(otherDevice, { clientId: device.thing })).rejects.toThrow();
    const identity = await cast.owner.identityId();
    await expect(platform.connect(otherDevice, { clientId: `${identity}-tab1` })).rejects.toThrow();
  });
});
