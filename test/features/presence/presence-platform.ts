/**
 * The platform as features of presence need it: devices that are registered and have never connected, notices that stay in
 * their queue, and every write of a row on record.
 */
import { DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { DisableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import type { Notice } from '@thingstead/contracts/notices';
import type { PresenceState } from '@thingstead/contracts/presence';
import { thingKey } from '@thingstead/contracts/things';
import { activate } from '../../../bench/support/fleet.ts';
import { synthesize, withEditedTemplate } from '../../support/assembly.ts';
import { awsJsonClient } from '../../support/aws-json.ts';
import { createCa, createKeys, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type DeviceClient, type Platform, startPlatformWith } from '../../support/platform.ts';
import type { Runtime } from '../../support/runtime.ts';
import { unique } from '../../support/unique-name.ts';

const NOTICES_QUEUE = 'thingstead-notices';
const PATIENCE_MS = 20_000;

export type PresencePlatform = Platform & Extras;

interface Extras {
  /** Certificates of things that are registered: none of them has ever connected. */
  devices(...things: readonly string[]): Promise<DeviceCertificate[]>;
  /** Connects as the agent does: with a last will that names the session, and a report of it. */
  connectAs(device: DeviceCertificate, session: string): Promise<DeviceClient>;
  report(client: DeviceClient, thing: string, connected: boolean, session: string): Promise<void>;
  presence(thing: string): Promise<PresenceState | undefined>;
  /** What the row of a thing has said of its connection, write by write. */
  written(thing: string): Promise<boolean[]>;
  /** Puts members into a thing's row, as other capabilities do. */
  describeThing(thing: string, members: Readonly<Record<string, unknown>>): Promise<void>;
  /** What has arrived on the queue of notices since the last call. */
  notices(): Promise<Notice[]>;
  /** Waits until it passes. What a socket does is seen by the runtime a little later. */
  until(check: () => Promise<void>): Promise<void>;
  /** Waits until the row says so, and nothing is left to do. */
  untilRow(thing: string, presence: Readonly<Record<string, unknown>>): Promise<void>;
}

interface Options {
  readonly context?: Readonly<Record<string, unknown>>;
  /** Things that sleep are looked for every minute, which is seen in the calls of the function. */
  readonly sweep?: boolean;
}

export async function startPresence({ context, sweep = true }: Options = {}): Promise<PresencePlatform> {
  const platform = await startPlatformWith(withoutConsumerOfNotices(synthesize(context)));
  const ca = await createCa(unique('presence'));
  const keys = await createKeys();
  const config = platform.config as Runtime['config'];
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const sqs = new SQSClient(config);
  const streamArn = await recordWrites(tables);
  if (!sweep) await new EventBridgeClient(config).send(new DisableRuleCommand({ Name: 'thingstead-presence-sweep' }));
  const streams = awsJsonClient(
    { config },
    { service: 'dynamodb', prefix: 'DynamoDBStreams_20120810', version: '1.0' },
  );

  async function until(check: () => Promise<void>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await check();
      } catch (error) {
        if (performance.now() > end) throw error;
      }
      await platform.idle();
    }
  }

  async function presence(thing: string): Promise<PresenceState | undefined> {
    return (await platform.thingRow(thing))?.presence as PresenceState | undefined;
  }

  const extras: Extras = {
    async devices(...things) {
      const devices = await Promise.all(things.map((thing) => issue(ca, thing, { keys })));
      await activate({ ca, devices }, { config });
      return devices;
    },
    async connectAs(device, session) {
      const will = {
        topic: `device/${device.thing}/lwt/v1`,
        payload: Buffer.from(JSON.stringify({ session })),
        qos: 1 as const,
      };
      const client = await platform.connect(device, { will, keepalive: 1200 });
      await extras.report(client, device.thing, true, session);
      return client;
    },
    async report(client, thing, connected, session) {
      const document = { state: { reported: { connected, session } } };
      await client.publishAsync(`$aws/things/${thing}/shadow/update`, JSON.stringify(document), { qos: 1 });
    },
    presence,
    async written(thing) {
      const { StreamDescription } = await streams('DescribeStream', { StreamArn: streamArn });
      const { Shards } = StreamDescription as { readonly Shards: readonly { readonly ShardId: string }[] };
      const [{ ShardId } = { ShardId: '' }] = Shards;
      const input = { StreamArn: streamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      let { ShardIterator } = await streams('GetShardIterator', input);
      const said: boolean[] = [];
      for (;;) {
        const { Records, NextShardIterator } = await streams('GetRecords', { ShardIterator });
        const images = (Records as readonly WriteRecord[]).map(({ dynamodb }) => dynamodb.NewImage);
        const own = images.filter((image) => image?.pk?.S === thing);
        said.push(...own.map((image) => image?.presence?.M?.connected?.BOOL === true));
        if (images.length === 0) return said;
        ShardIterator = NextShardIterator;
      }
    },
    async describeThing(thing, members) {
      const names = Object.keys(members);
      await tables.send(
        new UpdateCommand({
          TableName: TABLE_NAMES.things,
          Key: thingKey(thing),
          UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
          ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, members[name]])),
        }),
      );
    },
    async notices() {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: NOTICES_QUEUE }));
      const found: Notice[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return found;
        for (const { Body = '', ReceiptHandle } of Messages) {
          found.push(JSON.parse(Body));
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },
    until,
    async untilRow(thing, expected) {
      await until(async () => expect(await presence(thing)).toMatchObject(expected));
      await platform.idle();
    },
  };
  return Object.assign(platform, extras);
}

interface WriteRecord {
  readonly dynamodb: { readonly NewImage?: Readonly<Record<string, Attribute>> };
}
interface Attribute {
  readonly S?: string;
  readonly BOOL?: boolean;
  readonly M?: Readonly<Record<string, Attribute>>;
}

/** Notices stay in the queue, so that a test sees each of them, and each repetition. */
function withoutConsumerOfNotices(assembly: string): string {
  return withEditedTemplate(assembly, 'ThingsteadPlatform', ({ Resources }) => {
    const queue = Object.entries(Resources).find(([, each]) => each.Properties?.QueueName === NOTICES_QUEUE)?.[0];
    if (!queue) throw new Error(`the template has no queue ${NOTICES_QUEUE}`);
    for (const [id, { Type, Properties }] of Object.entries(Resources)) {
      const source = JSON.stringify(Properties?.EventSourceArn ?? null);
      if (Type === 'AWS::Lambda::EventSourceMapping' && source.includes(`"${queue}"`)) delete Resources[id];
    }
  });
}

async function recordWrites(tables: DynamoDBDocumentClient): Promise<string> {
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' as const };
  const command = new UpdateTableCommand({ TableName: TABLE_NAMES.things, StreamSpecification });
  const { TableDescription } = await tables.send(command);
  return TableDescription?.LatestStreamArn ?? '';
}
