/**
 * Reads back from the stores what things have sent: history, latest values, roll-ups and archive.
 * `node scripts/read-back.ts ENDPOINTS_FILE THING...` prints one JSON object, a member per thing.
 * `npm start -- --once` compares it with what the devices say they sent.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';

interface Endpoints {
  readonly region: string;
  readonly awsEndpoint: string;
  readonly operator: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const [file = '.thingstead/endpoints.json', ...things] = process.argv.slice(2);
const endpoints: Endpoints = JSON.parse(readFileSync(file, 'utf8'));
const config = { endpoint: endpoints.awsEndpoint, region: endpoints.region, credentials: endpoints.operator };
const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
const s3 = new S3Client({ ...config, forcePathStyle: true });

function output(key: string): string {
  const value = Object.values(endpoints.outputs).flatMap((each) => each[key] ?? [])[0];
  if (!value) throw new Error(`no stack has an output ${key}`);
  return value;
}

async function query(TableName: string, pk: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  const pages = paginateQuery(
    { client: tables },
    { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk }, ConsistentRead: true },
  );
  for await (const page of pages) items.push(...(page.Items ?? []));
  return items;
}

async function archived(): Promise<Record<string, unknown>[]> {
  const Bucket = output('ArchiveBucketName');
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'telemetry/' }));
  const rows: Record<string, unknown>[] = [];
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const lines = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
    rows.push(
      ...lines
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    );
  }
  return rows;
}

function readingsIn(messages: readonly Record<string, unknown>[]): number {
  return messages.reduce((sum, each) => sum + (Array.isArray(each.readings) ? each.readings.length : 1), 0);
}

async function readBack(thing: string, archive: readonly Record<string, unknown>[]): Promise<unknown> {
  const aggregates = output('TelemetryAggregatesTableName');
  const latest = await query(aggregates, thing);
  const sensors = latest
    .filter((each) => String(each.sk).startsWith('latest#'))
    .map((each) => String(each.sk).slice(7));
  const history = await Promise.all(
    sensors.map((each) => query(output('TelemetryHistoryTableName'), `${thing}#${each}`)),
  );
  const hours = await Promise.all(sensors.map((each) => query(aggregates, `${thing}#${each}`)));
  const rows = archive.filter((each) => each.thing === thing);
  return {
    sensors,
    history: { messages: history.flat().length, readings: readingsIn(history.flat()) },
    rollUps: { readings: hours.flat().reduce((sum, each) => sum + Number(each.count), 0) },
    archive: { messages: rows.length, readings: readingsIn(rows) },
  };
}

const archive = await archived();
const result = Object.fromEntries(
  await Promise.all(things.map(async (thing) => [thing, await readBack(thing, archive)])),
);
process.stdout.write(`${JSON.stringify(result)}\n`);
