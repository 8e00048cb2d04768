/** A thing with a certificate of AWS IoT's own and a policy, and its MQTT client. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Runtime } from './runtime.ts';

export interface MqttThing {
  readonly thingName: string;
  readonly certificateArn: string;
  connect(options?: IClientOptions): Promise<MqttClient>;
}

/** Creates a thing that may do everything over MQTT. */
export async function createMqttThing(
  { config, endpoints }: Runtime,
  thingName = `thing-${randomUUID()}`,
): Promise<MqttThing> {
  const iot = new IoTClient(config);
  const created = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const { certificateArn = '', certificatePem = '', keyPair } = created;
  const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  const policyName = `policy-${randomUUID()}`;
  await iot.send(new CreatePolicyCommand({ policyName, policyDocument }));
  await iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
  await iot.send(new CreateThingCommand({ thingName }));
  await iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
  const connect = (options: IClientOptions = {}) =>
    mqtt.connectAsync({
      protocol: 'mqtts',
      ...endpoints.mqtt,
      ca: readFileSync(endpoints.rootCaFile),
      cert: certificatePem,
      key: keyPair?.PrivateKey ?? '',
      clientId: thingName,
      reconnectPeriod: 0,
      ...options,
    });
  return { thingName, certificateArn, connect };
}

/** Collects the JSON messages of these topics from now on. */
export async function collect(
  client: MqttClient,
  ...filters: readonly string[]
): Promise<{ readonly topic: string; readonly payload: Record<string, unknown> }[]> {
  const messages: { topic: string; payload: Record<string, unknown> }[] = [];
  client.on('message', (topic, payload) => {
    messages.push({ topic, payload: JSON.parse(payload.toString('utf8')) });
  });
  await client.subscribeAsync([...filters], { qos: 1 });
  return messages;
}
