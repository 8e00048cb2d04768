/**
 * What features are written against: a deployed platform and devices with real certificates. By default the platform
 * is the local runtime with the synthesized templates; with TARGET=aws it is the stacks deployed in your account.
 */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeCertificateCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  RegisterCACertificateCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { heldKey, manifestKey, revokedCertificateKey } from '@thingstead/contracts/registration';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { synthesize } from './assembly.ts';
import { type CertificateAuthority, type DeviceCertificate, issue } from './certificates.ts';
import { startRuntime } from './runtime.ts';

/** How long a client waits for an answer before the test fails. */
const ANSWER_TIMEOUT_MS = 10_000;

type Row = Record<string, unknown>;
type Answer = 'accepted' | 'not-authorized' | 'closed';

/** An MQTT client of a device, with the broker's reactions as values. */
export interface DeviceClient extends MqttClient {
  tryPublish(topic: string, payload: string): Promise<Answer>;
  trySubscribe(filter: string): Promise<Answer>;
}

export type Platform = Awaited<ReturnType<typeof startPlatformWith>>;

/** Synthesizes with this CDK context and starts the platform. */
export function startPlatform(context: Readonly<Record<string, unknown>> = {}): Promise<Platform> {
  return startPlatformWith(synthesize(context));
}

/** Starts the platform from a cloud assembly. */
export async function startPlatformWith(assembly: string) {
  const runtime = await startRuntime({ assembly });
  const { endpoints } = runtime;
  const { config } = runtime;
  const iot = new IoTClient(config);
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  const lambda = new LambdaClient(config);
  const cloudwatch = new CloudWatchClient(config);
  const logs = new CloudWatchLogsClient(config);
  const outputs = Object.assign({}, ...Object.values(endpoints.outputs)) as Record<string, string>;
  const rootCa = readFileSync(endpoints.rootCaFile);

  function output(key: string): string {
    const value = outputs[key];
    if (!value) throw new Error(`no stack has an output ${key}; there are ${Object.keys(outputs).join(', ')}`);
    return value;
  }

  /** Waits until nothing is under way in the runtime. */
  const idle = (): Promise<void> => runtime.advance(0);

  async function connect(device: DeviceCertificate, options: IClientOptions = {}): Promise<DeviceClient> {
    const client = mqtt.connect({
      protocol: 'mqtts',
      host: endpoints.mqtt.host,
      port: endpoints.mqtt.port,
      ca: rootCa,
      cert: device.pem,
      key: device.keyPem,
      clientId: device.thing,
      reconnectPeriod: 0,
      connectTimeout: ANSWER_TIMEOUT_MS,
      ...options,
    });
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed before CONNACK')));
    });
    client.on('error', () => {});
    return Object.assign(client, {
      tryPublish: (topic: string, payload: string) =>
        attempt(client, (done) => client.publish(topic, payload, { qos: 1 }, (error) => done(error))),
      trySubscribe: (filter: string) =>
        attempt(client, (done) =>
          client.subscribe(filter, { qos: 1 }, (error, granted) => {
            const refused = granted?.some((each) => each.qos >= 128);
            done(refused ? new Error('Not authorized') : error);
          }),
        ),
    });
  }

  /** The reaction to one packet: acknowledged, refused with a reason code, or the connection closed. */
  function attempt(client: MqttClient, send: (done: (error?: Error | null) => void) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer')), ANSWER_TIMEOUT_MS);
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        client.off('close', closed);
        resolve(answer);
      };
      const closed = (): void => settle('closed');
      client.once('close', closed);
      send((error) => {
        if (!error) settle('accepted');
        else if (/not authorized/i.test(error.message)) settle('not-authorized');
        // Anything else is the closing of the connection, which 'close' reports.
      });
    });
  }

  async function registerCa(ca: CertificateAuthority, mode: 'SNI_ONLY' | 'DEFAULT' = 'SNI_ONLY'): Promise<string> {
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
    return certificateId;
  }

  async function certificateStatus(device: DeviceCertificate): Promise<string | undefined> {
    try {
      const found = await iot.send(new DescribeCertificateCommand({ certificateId: device.certificateId }));
      return found.certificateDescription?.status;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async function connectIsRefused(device: DeviceCertificate): Promise<boolean> {
    return connect(device).then(
      (client) => client.endAsync().then(() => false),
      () => true,
    );
  }

  async function get(TableName: string, Key: Row): Promise<Row | undefined> {
    return (await tables.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  return {
    iot,
    mqtt: { ...endpoints.mqtt, rootCaFile: endpoints.rootCaFile },
    /** For the AWS CLI. */
    cliEnvironment: {
      ...process.env,
      AWS_ENDPOINT_URL: endpoints.awsEndpoint,
      AWS_DEFAULT_REGION: endpoints.region,
      AWS_ACCESS_KEY_ID: endpoints.operator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: endpoints.operator.secretAccessKey,
      AWS_PAGER: '',
    },
    idle,
    advance: (seconds: number): Promise<void> => runtime.advance(seconds),
    stop: async (): Promise<void> => {
      await runtime.stop();
    },
    connect,
    registerCa,
    certificateStatus,

    /** The first connection, which is refused, and the second, which is accepted. */
    async join(device: DeviceCertificate): Promise<void> {
      if (!(await connectIsRefused(device))) return;
      await idle();
      await (await connect(device)).endAsync();
    },

    /** True when neither the first connection nor any of three later ones is accepted. */
    async joinFails(device: DeviceCertificate): Promise<boolean> {
      for (let attempts = 0; attempts < 4; attempts += 1) {
        if (!(await connectIsRefused(device))) return false;
        await idle();
      }
      return true;
    },

    async heldReason(device: DeviceCertificate): Promise<unknown> {
      return (await get(TABLE_NAMES.registration, { pk: heldKey(device.certificateId) }))?.reason;
    },

    async addToManifest({ thing, ...entry }: Row & { readonly thing: string }): Promise<void> {
      const Item = { pk: manifestKey(thing), thing, addedAt: Date.now(), ...entry };
      await tables.send(new PutCommand({ TableName: TABLE_NAMES.registration, Item }));
    },

    async revokeByList(device: DeviceCertificate): Promise<void> {
      const Item = { pk: revokedCertificateKey(device.certificateId), revokedAt: Date.now() };
      await tables.send(new PutCommand({ TableName: TABLE_NAMES.registration, Item }));
    },

    async invoke(capability: 'registration' | 'telemetry', event: Row): Promise<void> {
      const FunctionName = `thingstead-${capability}`;
      await lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }));
    },

    async functionLog(capability: 'registration' | 'telemetry'): Promise<string> {
      const { events } = await logs.send(
        new FilterLogEventsCommand({ logGroupName: `/aws/lambda/thingstead-${capability}` }),
      );
      return (events ?? []).map((each) => each.message).join('\n');
    },

    async history(thing: string, sensor: string): Promise<Row[]> {
      const { Items } = await tables.send(
        new QueryCommand({
          TableName: TABLE_NAMES.telemetryHistory,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': `${thing}#${sensor}` },
          ConsistentRead: true,
        }),
      );
      return Items ?? [];
    },

    latest: (thing: string, sensor: string): Promise<Row | undefined> =>
      get(TABLE_NAMES.telemetryAggregates, { pk: thing, sk: `latest#${sensor}` }),

    hour: (thing: string, sensor: string, time: number): Promise<Row | undefined> =>
      get(TABLE_NAMES.telemetryAggregates, {
        pk: `${thing}#${sensor}`,
        sk: `hour#${new Date(time).toISOString().slice(0, 13)}`,
      }),

    async archive(): Promise<Row[]> {
      const Bucket = output('ArchiveBucketName');
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'telemetry/' }));
      const rows: Row[] = [];
      for (const { Key } of Contents) {
        expect(Key).toMatch(/^telemetry\/date=\d{4}-\d\d-\d\d\//);
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        const lines = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
        rows.push(
          ...lines
            .split('\n')
            .filter(Boolean)
            .map((line): Row => JSON.parse(line)),
        );
      }
      return rows;
    },

    /** Takes everything out of a queue of failures. */
    async receive(queue: 'telemetryErrors' | 'telemetryQuarantine' | 'registrationErrors'): Promise<Row[]> {
      const names = {
        telemetryErrors: 'thingstead-telemetry-errors',
        telemetryQuarantine: 'thingstead-telemetry-quarantine',
        registrationErrors: 'thingstead-registration-errors',
      };
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names[queue] }));
      const bodies: Row[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return bodies;
        for (const { Body, ReceiptHandle } of Messages) {
          bodies.push(JSON.parse(Body ?? 'null'));
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },

    async alarmsInAlarm(): Promise<string[]> {
      const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
      return MetricAlarms.map((each) => each.AlarmName ?? '');
    },

    /** Publishes as a device without MQTT; gives the HTTP status. */
    publishOverHttps(device: DeviceCertificate, topic: string, payload: string): Promise<number> {
      return new Promise((resolve, reject) => {
        const request = https.request(
          {
            method: 'POST',
            host: endpoints.deviceHttps.host,
            port: endpoints.deviceHttps.port,
            path: `/topics/${topic.split('/').map(encodeURIComponent).join('/')}?qos=1`,
            ca: rootCa,
            cert: device.pem,
            key: device.keyPem,
            agent: false,
          },
          (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode ?? 0));
          },
        );
        request.on('error', reject);
        request.end(payload);
      });
    },
  };
}
