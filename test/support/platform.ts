/**
 * What features are written against: a deployed platform and devices with real certificates. By default the platform
 * is the local runtime with the synthesized templates; with TARGET=aws it is the stacks deployed in your account.
 */
import assert from 'node:assert/strict';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeCertificateCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  RegisterCACertificateCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot';
import { GetConnectionCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { manifestKey, revokedCertificateKey } from '@thingstead/contracts/registration';
import type { IClientOptions } from 'mqtt';
import { synthesize } from './assembly.ts';
import { type CertificateAuthority, type DeviceCertificate, issue } from './certificates.ts';
import { ConnectionRefused, connectDevice, type DeviceClient, publishOverHttps } from './device-client.ts';
import { type Fault, type FaultReport, getFaults, postFaults } from './faults.ts';
import { platformStores, type Row } from './platform-stores.ts';
import { type Made, onAws, type Target } from './target.ts';
import { startAwsTarget } from './target-aws.ts';
import { startKeptTarget, startLocalTarget } from './target-local.ts';
import { untilItPasses } from './until-it-passes.ts';

export type { DeviceClient } from './device-client.ts';
export type Platform = ReturnType<typeof platformOn>;

// On AWS time is real: an alarm takes ten minutes, and the archive as long as Firehose collects.
if (onAws) jest.setTimeout(20 * 60_000);

/** The platform with the default settings, or on the local runtime with this CDK context. */
export async function startPlatform(context?: Readonly<Record<string, unknown>>): Promise<Platform> {
  if (context === undefined && onAws) return platformOn(await startAwsTarget());
  return startPlatformWith(synthesize(context));
}

/** The platform from a cloud assembly. @throws Error on AWS, where features take the deployment that is there. */
export async function startPlatformWith(assembly: string): Promise<Platform> {
  if (onAws) throw new Error('a deployment of its own runs on the local runtime only: use describeLocally');
  return platformOn(await startLocalTarget(assembly));
}

/** A platform whose state outlives the local runtime: `restart` ends that and starts another one. */
export async function startKeptPlatform(): Promise<{ readonly platform: Platform; restart(): Promise<void> }> {
  const target = await startKeptTarget(synthesize());
  return { platform: platformOn(target), restart: () => target.restart() };
}

function platformOn(target: Target) {
  const { config } = target;
  const iot = new IoTClient(config);
  const data = new IoTDataPlaneClient(config);
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const lambda = new LambdaClient(config);
  const made: Made = { caIds: new Set(), rows: new Set() };

  function connect(device: DeviceCertificate, options?: IClientOptions): Promise<DeviceClient> {
    return connectDevice(target, device, options);
  }

  async function connectIsRefused(device: DeviceCertificate): Promise<boolean> {
    try {
      await (await connect(device)).endAsync();
      return false;
    } catch (error) {
      if (error instanceof ConnectionRefused) return true;
      throw error;
    }
  }

  /** What the broker says. */
  async function isConnected(clientId: string): Promise<boolean> {
    return (await data.send(new GetConnectionCommand({ clientId }))).connected === true;
  }

  async function putRow(Item: Row & { readonly pk: string }): Promise<void> {
    made.rows.add(Item.pk);
    await tables.send(new PutCommand({ TableName: TABLE_NAMES.registration, Item }));
  }

  /** @throws Error on AWS, which does harm at times of its own choosing */
  function localEndpoint(): string {
    if (onAws || config.endpoint === undefined) throw new Error('AWS takes no plan of harm: use describeLocally');
    return config.endpoint;
  }

  return {
    /** For any SDK client. */
    config,
    iot,
    mqtt: { ...target.mqtt, rootCaFile: target.rootCaFile },
    /** For the AWS CLI. */
    cliEnvironment: {
      ...process.env,
      AWS_DEFAULT_REGION: config.region,
      ...(config.endpoint === undefined ? {} : { AWS_ENDPOINT_URL: config.endpoint }),
      ...(config.credentials === undefined
        ? {}
        : {
            AWS_ACCESS_KEY_ID: config.credentials.accessKeyId,
            AWS_SECRET_ACCESS_KEY: config.credentials.secretAccessKey,
          }),
      AWS_PAGER: '',
    },
    advance: (seconds: number): Promise<void> => target.advance(seconds),
    /** Lets end what is under way. Before reading a result, `soon` is better: on AWS this one waits its full time. */
    idle: (): Promise<void> => target.idle(),
    /** The check passes when `seconds` are over: on AWS it is tried until then and a little longer. */
    soon: <T>(check: () => Promise<T>, seconds?: number): Promise<T> => target.soon(check, seconds),
    /** Replaces the plan of harm of the local runtime; an empty list ends all harm. */
    faults: (faults: readonly Fault[], seed?: number): Promise<FaultReport> =>
      postFaults(localEndpoint(), faults, seed),
    faultReport: (): Promise<FaultReport> => getFaults(localEndpoint()),
    /** Removes on AWS what this platform was asked to make, and says what it could not remove. */
    stop: (): Promise<void> => target.stop(made),
    connect,
    isConnected,
    /** Ends a connection without goodbye. Resolves when the broker has seen it. */
    async lose(client: DeviceClient): Promise<void> {
      client.stream.destroy();
      const { clientId = '' } = client.options;
      await untilItPasses(async () => assert(!(await isConnected(clientId)), `${clientId} is still connected`), 20, 10);
    },
    ...platformStores(target, tables),

    /** For a CA that was registered by other means. */
    removeAtEnd(caId: string): void {
      made.caIds.add(caId);
    },

    async registerCa(ca: CertificateAuthority, mode: 'SNI_ONLY' | 'DEFAULT' = 'SNI_ONLY'): Promise<string> {
      const proof =
        mode === 'DEFAULT'
          ? {
              verificationCertificate: (
                await issue(ca, (await iot.send(new GetRegistrationCodeCommand({}))).registrationCode ?? '')
              ).pem,
            }
          : { certificateMode: 'SNI_ONLY' as const };
      const command = { caCertificate: ca.pem, setAsActive: true, allowAutoRegistration: true, ...proof };
      const { certificateId } = await iot.send(new RegisterCACertificateCommand(command));
      if (!certificateId) throw new Error('the CA was registered without an id');
      made.caIds.add(certificateId);
      return certificateId;
    },

    async certificateStatus(device: DeviceCertificate): Promise<string | undefined> {
      try {
        const found = await iot.send(new DescribeCertificateCommand({ certificateId: device.certificateId }));
        return found.certificateDescription?.status;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },

    /** The first connection, which is refused, and a later one, which is accepted. */
    async join(device: DeviceCertificate): Promise<void> {
      if (!(await connectIsRefused(device))) return;
      const client = await target.soon(() => connect(device));
      await client.endAsync();
    },

    /** True when neither the first connection nor any of three later ones is accepted. */
    async joinFails(device: DeviceCertificate): Promise<boolean> {
      for (let attempts = 0; attempts < 4; attempts += 1) {
        if (!(await connectIsRefused(device))) return false;
        await target.idle();
      }
      return true;
    },

    async addToManifest({ thing, ...entry }: Row & { readonly thing: string }): Promise<void> {
      await putRow({ pk: manifestKey(thing), thing, addedAt: Date.now(), ...entry });
    },

    async revokeByList(device: DeviceCertificate): Promise<void> {
      await putRow({ pk: revokedCertificateKey(device.certificateId), revokedAt: Date.now() });
    },

    async invoke(capability: 'onboarding' | 'registration' | 'telemetry', event: Row): Promise<void> {
      const FunctionName = `thingstead-${capability}`;
      await lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }));
    },

    publishOverHttps: (device: DeviceCertificate, topic: string, payload: string): Promise<number> =>
      publishOverHttps(target, device, topic, payload),
  };
}
