/** GET /_local/meter after real calls through the SDKs: what they were, what they would have cost. */
import { CloudWatchClient, PutMetricAlarmCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateThingCommand, CreateTopicRuleCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { CreateStreamCommand, DeleteStreamCommand, KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { MeterReport } from '../../local/src/meter/report.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

let runtime: Runtime;

beforeAll(async () => {
  runtime = await new Assembly()
    .addFunction('echo', {
      code: 'exports.handler = async (event) => event;',
      properties: { MemorySize: 512, Architectures: ['arm64'] },
    })
    .start();
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

async function meter(query = ''): Promise<MeterReport> {
  await runtime.advance(0);
  const response = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as MeterReport;
}

/** Quantities by item and resource. */
async function quantities(item: string): Promise<Record<string, number>> {
  const { services } = await meter();
  return Object.fromEntries(
    services.filter((line) => line.item === item).map(({ resource, quantity }) => [resource, quantity]),
  );
}

describe('DynamoDB', () => {
  const TableName = 'readings';
  const item = (kb: number) => ({ pk: { S: 'a' }, sk: { S: 'b' }, data: { S: 'x'.repeat(kb * 1024 - 16) } });
  let client: DynamoDBClient;
  beforeEach(async () => {
    client = new DynamoDBClient(runtime.config);
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
  });
  afterEach(() => client.destroy());

  it('writes by 1 KB, twice in a transaction, and also where a condition fails', async () => {
    // GIVEN
    await client.send(new PutItemCommand({ TableName, Item: item(3) }));

    // WHEN
    const ConditionExpression = 'attribute_not_exists(pk)';
    const refused = client.send(new PutItemCommand({ TableName, Item: item(3), ConditionExpression }));
    await expect(refused).rejects.toThrow(ConditionalCheckFailedException);
    const Key = { pk: { S: 'new' }, sk: { S: 'b' } };
    await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: Key } }] }));

    // THEN
    expect(await quantities('on-demand writes')).toEqual({ readings: 3 + 3 + 2 });
  });

  it('writes of a global index by what it holds: nothing where an entry stays, two where it moves', async () => {
    // GIVEN
    const name = 'indexed';
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'owner'].map((each) => ({ AttributeName: each, AttributeType: 'S' as const })),
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by-owner',
            KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
      }),
    );
    const write = async (kb: number, owner?: string): Promise<number> => {
      const before = (await quantities('on-demand writes'))[name] ?? 0;
      const Item = { pk: { S: 'a' }, data: { S: 'x'.repeat(kb * 1024 - 32) }, ...(owner && { owner: { S: owner } }) };
      await client.send(new PutItemCommand({ TableName: name, Item }));
      return ((await quantities('on-demand writes'))[name] ?? 0) - before;
    };

    // THEN
    expect(await write(3)).toBe(3);
    expect(await write(3, 'mary')).toBe(3 + 1);
    expect(await write(2, 'mary')).toBe(3);
    expect(await write(2, 'eve')).toBe(2 + 2);
    expect(await write(2)).toBe(2 + 1);
  });

  it('reads by 4 KB, half of it when they need not be consistent', async () => {
    // GIVEN
    await client.send(new PutItemCommand({ TableName, Item: item(6) }));
    const { pk, sk } = item(6);

    // WHEN
    await client.send(new GetItemCommand({ TableName, Key: { pk, sk }, ConsistentRead: true }));
    await client.send(new GetItemCommand({ TableName, Key: { pk, sk } }));
    await client.send(
      new QueryCommand({ TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } }),
    );

    // THEN
    expect(await quantities('on-demand reads')).toEqual({ readings: 2 + 1 + 1 });
  });

  it('nothing for a call that IAM or DynamoDB refuses', async () => {
    await expect(client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' } } }))).rejects.toThrow();

    expect(await quantities('on-demand writes')).toEqual({});
  });
});

describe('Kinesis', () => {
  it('counts shards by the hour of virtual time until the stream is deleted, and payload by 25 KB', async () => {
    // GIVEN
    const client = new KinesisClient(runtime.config);
    await client.send(new CreateStreamCommand({ StreamName: 'telemetry', ShardCount: 2 }));

    // WHEN
    const Data = Buffer.alloc(26 * 1024);
    await client.send(new PutRecordCommand({ StreamName: 'telemetry', PartitionKey: 'device', Data }));
    await runtime.advance(3 * 3600 - 60);
    await client.send(new DeleteStreamCommand({ StreamName: 'telemetry' }));
    await runtime.advance(10 * 3600);
    client.destroy();

    // THEN
    expect(await quantities('provisioned shards')).toEqual({ telemetry: 6 });
    expect(await quantities('provisioned PUT payload')).toEqual({ telemetry: 2 });
  });

  it('counts on demand the hours of the stream and what goes in, by 1 KB', async () => {
    const client = new KinesisClient(runtime.config);
    await client.send(
      new CreateStreamCommand({ StreamName: 'telemetry', StreamModeDetails: { StreamMode: 'ON_DEMAND' } }),
    );
    const put = new PutRecordCommand({ StreamName: 'telemetry', PartitionKey: 'device', Data: Buffer.alloc(100) });
    await client.send(put);
    client.destroy();

    expect(await quantities('on-demand streams')).toEqual({ telemetry: 1 });
    expect(await quantities('on-demand data in')).toEqual({ telemetry: 1 / 1024 / 1024 });
    expect(await quantities('provisioned PUT payload')).toEqual({});
  });
});

describe('AWS IoT', () => {
  it('counts a rule and its actions by 5 KB; Basic Ingest is free of messaging', async () => {
    // GIVEN
    const iot = new IoTClient(runtime.config);
    const iam = new IAMClient(runtime.config);
    const sqs = new SQSClient(runtime.config);
    const data = new IoTDataPlaneClient(runtime.config);
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'readings' }));
    const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'iot.amazonaws.com' } };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'rule', AssumeRolePolicyDocument }));
    const send = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [send] });
    await iam.send(new PutRolePolicyCommand({ RoleName: 'rule', PolicyName: 'send', PolicyDocument }));
    const action = { sqs: { roleArn: Role?.Arn, queueUrl: QueueUrl } };
    const rule = { sql: "SELECT * FROM 'in/+'", awsIotSqlVersion: '2016-03-23', actions: [action, action] };
    await iot.send(new CreateTopicRuleCommand({ ruleName: 'telemetry', topicRulePayload: rule }));

    // WHEN
    const payload = Buffer.from(JSON.stringify({ text: 'x'.repeat(6 * 1024) }));
    await data.send(new PublishCommand({ topic: 'in/a', payload }));
    await data.send(new PublishCommand({ topic: '$aws/rules/telemetry/in/a', payload }));

    // THEN
    expect(await quantities('messaging')).toEqual({ 'PUBLISH over HTTPS': 2 });
    expect(await quantities('rules triggered')).toEqual({ telemetry: 4 });
    expect(await quantities('rule actions')).toEqual({ telemetry: 8 });
    expect((await quantities('standard requests')).readings).toBe(4);
    for (const client of [iot, iam, sqs, data]) client.destroy();
  });

  it('counts shadows by the kilobyte of their state, and the registry', async () => {
    const iot = new IoTClient(runtime.config);
    const data = new IoTDataPlaneClient(runtime.config);
    await iot.send(new CreateThingCommand({ thingName: 'lamp' }));
    const payload = Buffer.from(JSON.stringify({ state: { desired: { text: 'x'.repeat(1500) } } }));
    await data.send(new UpdateThingShadowCommand({ thingName: 'lamp', payload }));
    iot.destroy();
    data.destroy();

    expect(await quantities('device shadow and registry')).toEqual({ CreateThing: 1, UpdateThingShadow: 2 });
  });
});

describe('other services', () => {
  it('count requests, GB-seconds and logs of a function', async () => {
    const lambda = new LambdaClient(runtime.config);
    await lambda.send(new InvokeCommand({ FunctionName: 'echo' }));
    lambda.destroy();

    expect(await quantities('requests')).toEqual({ echo: 1 });
    const duration = (await quantities('duration, arm64')).echo ?? 0;
    // Half a gigabyte for at least a millisecond, and for less than ten seconds.
    expect(duration).toBeGreaterThanOrEqual(0.0005);
    expect(duration).toBeLessThan(5);
    const logged = await quantities('data in');
    expect(logged['/aws/lambda/echo']).toBeGreaterThan(0);
  });

  it('count objects, queues, alarms and custom metrics', async () => {
    // GIVEN
    const s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
    const sqs = new SQSClient(runtime.config);
    const cloudwatch = new CloudWatchClient(runtime.config);

    // WHEN
    await s3.send(new CreateBucketCommand({ Bucket: 'archive' }));
    await s3.send(new PutObjectCommand({ Bucket: 'archive', Key: 'a', Body: 'text' }));
    await s3.send(new GetObjectCommand({ Bucket: 'archive', Key: 'a' }));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'queue' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(65 * 1024) }));
    const alarm = { EvaluationPeriods: 1, Period: 60, Threshold: 1, Statistic: 'Sum' as const };
    const metric = { Namespace: 'AWS/SQS', MetricName: 'NumberOfMessagesSent' };
    await cloudwatch.send(
      new PutMetricAlarmCommand({ AlarmName: 'a', ComparisonOperator: 'GreaterThanThreshold', ...alarm, ...metric }),
    );
    const MetricData = [{ MetricName: 'Temperature', Value: 1 }];
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Farm', MetricData }));
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Farm', MetricData }));
    await runtime.advance(7200 - 600);

    // THEN
    expect(await quantities('PUT, COPY and LIST requests')).toEqual({ archive: 2 });
    expect(await quantities('GET and other requests')).toEqual({ archive: 1 });
    expect(await quantities('standard requests')).toEqual({ queue: 2 });
    expect(await quantities('alarms')).toEqual({ alarms: 2 });
    expect(await quantities('custom metrics')).toEqual({ Farm: 2 });
    for (const client of [s3, sqs, cloudwatch]) client.destroy();
  });
});

describe('the answer', () => {
  it('adds up, begins anew with a reset, and shares what is fixed among the fleet', async () => {
    // GIVEN
    const client = new KinesisClient(runtime.config);
    await client.send(new CreateStreamCommand({ StreamName: 'telemetry', ShardCount: 1 }));
    client.destroy();
    await runtime.advance(86_400 - 600);

    // WHEN
    const report = await meter('?fleet=500');
    await runtime.reset();
    const after = await meter();

    // THEN
    expect(report.virtualHours).toBeGreaterThan(23.8);
    expect(report.virtualHours).toBeLessThan(24);
    expect(Date.parse(report.to) - Date.parse(report.from)).toBe(Math.round(report.virtualHours * 3_600_000));
    expect(report.totalUsd).toBeCloseTo(24 * 0.015, 10);
    expect(report.totalUsd).toBeCloseTo(
      report.services.reduce((sum, { usd }) => sum + usd, 0),
      12,
    );
    expect(report.deviceMonth).toEqual({
      usageUsd: 0,
      fixedUsd: expect.closeTo(10.8, 10),
      fleet: 500,
      deviceMinutes: 0,
    });
    expect(report.deviceMonthUsd).toBeNull();
    expect(after.services).toEqual([]);
    expect(after.deviceMonth.fleet).toBe(10_000);
  });
});
