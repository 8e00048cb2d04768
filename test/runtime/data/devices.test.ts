/** `--data` and devices: they come back with the certificates they have, to their sessions and what waits in them. */
import { readFileSync } from 'node:fs';
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { KeptAccount } from './kept-account.ts';

const account = new KeptAccount();
let credentials: { readonly cert: string; readonly key: string };

/** A client, what it gets from now on, and whether its session was resumed. */
async function connect(clientId: string, options: IClientOptions = {}) {
  const { mqtt: address, rootCaFile } = account.runtime.endpoints;
  const client: MqttClient = mqtt.connect({
    protocol: 'mqtts',
    ...address,
    ca: readFileSync(rootCaFile),
    ...credentials,
    clientId,
    clean: false,
    reconnectPeriod: 0,
    ...options,
  });
  const received: string[] = [];
  const waiting: (() => void)[] = [];
  client.on('message', (topic, payload) => {
    received.push(`${topic} ${payload}`);
    for (const wake of waiting.splice(0)) wake();
  });
  const resumed = await new Promise<boolean>((resolve, reject) => {
    client.once('connect', ({ sessionPresent }) => resolve(sessionPresent));
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed before CONNACK')));
  });
  // The runtime is going to be killed under it.
  client.on('error', () => {});
  const until = async (done: (received: readonly string[]) => boolean) => {
    while (!done(received)) await new Promise<void>((resolve) => waiting.push(resolve));
    return received;
  };
  return { client, resumed, until };
}

async function publish(topic: string, text: string): Promise<void> {
  const data = new IoTDataPlaneClient(account.runtime.config);
  await data.send(new PublishCommand({ topic, payload: Buffer.from(text), qos: 1 }));
}

beforeAll(async () => {
  const { config } = await account.start();
  const iot = new IoTClient(config);
  await iot.send(new CreateThingCommand({ thingName: 'sensor1' }));
  const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iot.send(new CreatePolicyCommand({ policyName: 'device', policyDocument }));
  const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: 'device', target: made.certificateArn }));
  credentials = { cert: made.certificatePem ?? '', key: made.keyPair?.PrivateKey ?? '' };
});

afterAll(() => account.remove());

test('messages wait over restarts for a session that was away, and for one that was connected', async () => {
  const away = await connect('away');
  await away.client.subscribeAsync(['command/#', '$share/group/work/+'], { qos: 1 });
  await away.client.endAsync();
  await publish('command/1', 'first');
  await publish('work/1', 'shared');
  const here = await connect('here');
  await here.client.subscribeAsync('command/#', { qos: 1 });
  await account.restart();
  await publish('command/2', 'second');
  const back = await connect('away');
  expect(back.resumed).toBe(true);
  expect((await back.until(({ length }) => length === 3)).toSorted()).toEqual([
    'command/1 first',
    'command/2 second',
    'work/1 shared',
  ]);
  const hereAgain = await connect('here');
  expect(hereAgain.resumed).toBe(true);
  expect(await hereAgain.until(({ length }) => length === 1)).toEqual(['command/2 second']);
  await back.client.endAsync();
  await hereAgain.client.endAsync();
});

test('a session ends when its time is over, restarts included', async () => {
  const { client } = await connect('lapsing');
  await client.subscribeAsync('never/+', { qos: 1 });
  await client.endAsync();
  await account.runtime.advance(1800);
  await account.restart();
  await account.runtime.advance(1801);
  const again = await connect('lapsing');
  expect(again.resumed).toBe(false);
  await again.client.endAsync();
});

test('the end of the runtime is the end of a connection: the will and the event come at the next start', async () => {
  const watcher = await connect('watcher');
  await watcher.client.subscribeAsync(['lost', '$aws/events/presence/disconnected/+'], { qos: 1 });
  await watcher.client.endAsync();
  await connect('victim', {
    clean: true,
    will: { topic: 'lost', payload: Buffer.from('gone'), qos: 1, retain: false },
  });
  await account.restart();
  const again = await connect('watcher');
  const isEvent = (each: string) => each.startsWith('$aws/events/presence/disconnected/victim');
  const received = await again.until((all) => all.includes('lost gone') && all.some(isEvent));
  const event = received.find(isEvent);
  expect(JSON.parse(event?.slice(event.indexOf('{')) ?? '')).toMatchObject({
    clientId: 'victim',
    disconnectReason: 'SERVER_INITIATED_DISCONNECT',
    versionNumber: 0,
  });
  await again.client.endAsync();
});
