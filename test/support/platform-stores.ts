/** What features read back: tables, archive, queues of failures, alarms and the functions' logs. */
import { gunzipSync } from 'node:zlib';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetThingShadowCommand, IoTDataPlaneClient, ResourceNotFoundException } from '@aws-sdk/client-iot-data-plane';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type DynamoDBDocumentClient, GetCommand, paginateQuery, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { heldKey } from '@thingstead/contracts/registration';
import { decodeHourItem, type HourItem, hourKey, hourOf, StoredHourItem } from '@thingstead/contracts/telemetry-store';
import { thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { DeviceCertificate } from './certificates.ts';
import type { Target } from './target.ts';
import { isOfThisRun } from './unique-name.ts';

export type Row = Record<string, unknown>;

const DAY_MS = 86_400_000;
const QUEUES = {
  telemetryErrors: 'thingstead-telemetry-errors',
  telemetryQuarantine: 'thingstead-telemetry-quarantine',
} as const;

/** Readers of one platform. */
export function platformStores(
  { config, outputs }: Pick<Target, 'config' | 'outputs'>,
  tables: DynamoDBDocumentClient,
  /** When what is read back began, epoch milliseconds. */
  startedAt = Date.now(),
) {
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  const cloudwatch = new CloudWatchClient(config);
  const logs = new CloudWatchLogsClient(config);
  const iotData = new IoTDataPlaneClient(config);
  const received: Record<keyof typeof QUEUES, Row[]> = { telemetryErrors: [], telemetryQuarantine: [] };

  function output(key: string): string {
    const value = outputs[key];
    if (!value) throw new Error(`no stack has an output ${key}; there are ${Object.keys(outputs).join(', ')}`);
    return value;
  }

  async function get(TableName: string, Key: Row): Promise<Row | undefined> {
    return (await tables.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  async function query(TableName: string, pk: string): Promise<Row[]> {
    const pages = paginateQuery(
      { client: tables },
      {
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        ConsistentRead: true,
      },
    );
    const rows: Row[] = [];
    for await (const { Items = [] } of pages) rows.push(...Items);
    return rows;
  }

  return {
    output,

    async heldReason(device: DeviceCertificate): Promise<unknown> {
      return (await get(TABLE_NAMES.registration, { pk: heldKey(device.certificateId) }))?.reason;
    },

    registrationRow: (pk: string): Promise<Row | undefined> => get(TABLE_NAMES.registration, { pk }),

    /** The row of a thing, with what presence and on-boarding wrote into it. */
    thingRow: (thing: string): Promise<Row | undefined> => get(TABLE_NAMES.things, thingKey(thing)),

    /** The classic shadow's document; undefined when there is none. */
    async shadow(thingName: string): Promise<Row | undefined> {
      try {
        const { payload } = await iotData.send(new GetThingShadowCommand({ thingName }));
        return JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },

    /** All lines, or those that hold a text. */
    async functionLog(
      capability:
        | 'command-deliveries'
        | 'commands'
        | 'file-transfers'
        | 'files'
        | 'firmware'
        | 'firmware-devices'
        | 'onboarding'
        | 'presence'
        | 'registration'
        | 'telemetry'
        | 'voice'
        | 'voice-reports',
      text?: string,
    ): Promise<string> {
      const logGroupName = `/aws/lambda/thingstead-${capability}`;
      const filterPattern = text === undefined ? undefined : `"${text}"`;
      const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
      return (events ?? []).map((each) => each.message).join('\n');
    },

    history: (thing: string, sensor: string): Promise<Row[]> =>
      query(TABLE_NAMES.telemetryHistory, `${thing}#${sensor}`),

    latest: (thing: string, sensor: string): Promise<Row | undefined> =>
      get(TABLE_NAMES.telemetryAggregates, { pk: thing, sk: `latest#${sensor}` }),

    /** Every roll-up of a sensor. */
    async hours(thing: string, sensor: string): Promise<HourItem[]> {
      const rows = await query(TABLE_NAMES.telemetryAggregates, `${thing}#${sensor}`);
      return rows.map((row) => hourItem(row));
    },

    async hour(thing: string, sensor: string, time: number): Promise<HourItem | undefined> {
      const row = await get(TABLE_NAMES.telemetryAggregates, hourKey(thing, sensor, hourOf(time)));
      return row && hourItem(row);
    },

    /** Message counts of a thing, by hour of arrival. */
    async rates(thing: string): Promise<Row[]> {
      const { Items } = await tables.send(
        new QueryCommand({
          TableName: TABLE_NAMES.telemetryAggregates,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :rate)',
          ExpressionAttributeValues: { ':pk': thing, ':rate': 'rate#' },
          ConsistentRead: true,
        }),
      );
      return Items ?? [];
    },

    /** How many messages wait in these queues, all together. */
    async messagesIn(...names: readonly string[]): Promise<number> {
      const counts = await Promise.all(
        names.map(async (QueueName) => {
          const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
          const AttributeNames = ['ApproximateNumberOfMessages' as const];
          const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
          return Number(Attributes?.ApproximateNumberOfMessages);
        }),
      );
      return counts.reduce((sum, each) => sum + each, 0);
    },

    /** What has arrived in the archive since the start, under the date of its arrival. */
    async archive(): Promise<Row[]> {
      const Bucket = output('ArchiveBucketName');
      const rows: Row[] = [];
      for (const day of [startedAt, startedAt + DAY_MS]) {
        const Prefix = `telemetry/date=${new Date(day).toISOString().slice(0, 10)}/`;
        for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
          for (const { Key, LastModified } of Contents) {
            // The archive of an account may be large; S3 keeps whole seconds.
            if (LastModified && LastModified.getTime() < startedAt - 1000) continue;
            const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
            const lines = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
            for (const line of lines.split('\n').filter(Boolean)) rows.push(JSON.parse(line));
          }
        }
      }
      return rows;
    },

    /** What this run has left in a queue of failures so far. Messages of others stay in the queue. */
    async receive(queue: keyof typeof QUEUES): Promise<readonly Row[]> {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: QUEUES[queue] }));
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return received[queue];
        for (const { Body = '', ReceiptHandle } of Messages) {
          if (!isOfThisRun(Body)) continue;
          received[queue].push(JSON.parse(Body));
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },

    async alarmsInAlarm(): Promise<string[]> {
      const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
      return MetricAlarms.map((each) => each.AlarmName ?? '');
    },
  };
}

function hourItem(row: Row): HourItem {
  return decodeHourItem(parseRow(StoredHourItem, row, String(row.sk)));
}
