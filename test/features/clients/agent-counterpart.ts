/** The cloud as an agent sees it, played by the test: an empty account on the local runtime, where nobody else answers. */
import { randomUUID } from 'node:crypto';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
  RegisterCertificateWithoutCACommand,
} from '@aws-sdk/client-iot';
import { GetThingShadowCommand, IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { createMqttThing } from '../../support/mqtt-thing.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { startRuntime } from '../../support/runtime.ts';

export interface Heard {
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AgentCounterpart {
  readonly agents: PlatformAgents;
  readonly data: IoTDataPlaneClient;
  readonly endpoint: { readonly host: string; readonly port: number; readonly rootCaFile: string };
  /** A thing that may do everything, with a certificate that is active. */
  newDevice(): Promise<DeviceCertificate>;
  /** Everything that devices have said below `device/`, in order. */
  readonly heard: readonly Heard[];
  /** The first message that fits, or the second, and so on; also one that has already passed. */
  hears(fits: (message: Heard) => boolean, nth?: number): Promise<Heard>;
  /** Calls this, and nobody else, for every message from now on. */
  onMessage(listener: (message: Heard) => void): void;
  /** As the cloud's functions do. */
  publish(topic: string, body: unknown): Promise<void>;
  shadow(thing: string): Promise<{ readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>> }>;
  stop(): Promise<void>;
}

export async function startCounterpart(): Promise<AgentCounterpart> {
  const runtime = await startRuntime();
  const ca = await createCa('counterpart');
  const iot = new IoTClient(runtime.config);
  const data = new IoTDataPlaneClient(runtime.config);
  const endpoint = { ...runtime.endpoints.mqtt, rootCaFile: runtime.endpoints.rootCaFile };
  const agents = platformAgents({ mqtt: endpoint });
  const ear = await (await createMqttThing(runtime)).connect();
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  let listener = (_message: Heard): void => {};
  ear.on('message', (topic, payload) => {
    const message = { topic, body: JSON.parse(payload.toString('utf8')) };
    heard.push(message);
    listener(message);
    for (const look of waiting) look();
  });
  await ear.subscribeAsync('device/#', { qos: 1 });
  return {
    agents,
    data,
    endpoint,
    heard,
    async newDevice() {
      const thingName = `thing-${randomUUID()}`;
      const device = await issue(ca, thingName);
      const certificate = { certificatePem: device.pem, status: 'ACTIVE' } as const;
      const { certificateArn = '' } = await iot.send(new RegisterCertificateWithoutCACommand(certificate));
      const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
      const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      await iot.send(new CreatePolicyCommand({ policyName: thingName, policyDocument }));
      await iot.send(new AttachPolicyCommand({ policyName: thingName, target: certificateArn }));
      await iot.send(new CreateThingCommand({ thingName }));
      await iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
      return device;
    },
    hears: (fits, nth = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          const message = heard.filter(fits)[nth - 1];
          if (!message) return;
          waiting.delete(look);
          resolve(message);
        };
        waiting.add(look);
        look();
      }),
    onMessage: (given) => {
      listener = given;
    },
    async publish(topic, body) {
      await data.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(body)) }));
    },
    async shadow(thingName) {
      const { payload } = await data.send(new GetThingShadowCommand({ thingName }));
      return JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
    },
    async stop() {
      await agents.kill();
      agents.remove();
      await ear.endAsync();
      await runtime.stop();
    },
  };
}
