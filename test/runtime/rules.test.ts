/** Rules as an application uses them: created through the SDK, reached by a message, seen in the other services. */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricStatisticsCommand,
  PutMetricAlarmCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  type Action,
  CreateThingCommand,
  CreateTopicRuleCommand,
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  IoTClient,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
  type TopicRulePayload,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ACCOUNT = '123456789012';
const RULE = `arn:aws:iot:us-east-1:${ACCOUNT}:rule/`;

let runtime: Runtime;
let iot: IoTClient;
let data: IoTDataPlaneClient;
let iam: IAMClient;
let sqs: SQSClient;
let dynamodb: DynamoDBClient;

beforeAll(async () => {
  runtime = await startRuntime();
  iot = new IoTClient(runtime.config);
  data = new IoTDataPlaneClient(runtime.config);
  iam = new IAMClient(runtime.config);
  sqs = new SQSClient(runtime.config);
  dynamodb = new DynamoDBClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

/** A role that AWS IoT may take, with these permissions. */
async function role(
  name: string,
  permissions: readonly [action: string | string[], resource: string][],
): Promise<string> {
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust(), Path: '/' }),
  );
  if (permissions.length === 0) return Role?.Arn ?? '';
  const Statement = permissions.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'rule', PolicyDocument }));
  return Role?.Arn ?? '';
}

function trust(Condition?: object): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole', Condition }],
  });
}

async function rule(ruleName: string, sql: string, actions: Action[], more: Partial<TopicRulePayload> = {}) {
  const topicRulePayload = { sql, actions, awsIotSqlVersion: '2016-03-23', ...more };
  await iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
}

/** Publishes, and waits until the rules have done their work. */
async function publish(topic: string, payload: unknown): Promise<void> {
  const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  await data.send(new PublishCommand({ topic, payload: bytes }));
  await runtime.advance(0);
}

async function queue(name: string): Promise<{ readonly url: string; readonly action: Action }> {
  const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const roleArn = await role(`${name}-role`, [['sqs:SendMessage', `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`]]);
  return { url, action: { sqs: { queueUrl: url, roleArn } } };
}

/** What is in a queue, as JSON. */
async function received(url: string): Promise<unknown[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

async function sumOf(MetricName: string, dimensions: Record<string, string>): Promise<number> {
  const now = Date.now();
  const { Datapoints = [] } = await new CloudWatchClient(runtime.config).send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/IoT',
      MetricName,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      StartTime: new Date(now - 3_600_000),
      EndTime: new Date(now + 3_600_000),
      Period: 60,
      Statistics: ['Sum'],
    }),
  );
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

describe('actions', () => {
  it('dynamoDBv2 writes one attribute for each member of the result', async () => {
    // GIVEN
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'Readings',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'thing', AttributeType: 'S' },
          { AttributeName: 'at', AttributeType: 'N' },
        ],
        KeySchema: [
          { AttributeName: 'thing', KeyType: 'HASH' },
          { AttributeName: 'at', KeyType: 'RANGE' },
        ],
      }),
    );
    const roleArn = await role('writer', [
      ['dynamodb:PutItem', `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/Readings`],
    ]);
    const sql = "SELECT *, topic(2) AS thing FROM 'device/+/readings'";
    await rule('store', sql, [{ dynamoDBv2: { putItem: { tableName: 'Readings' }, roleArn } }]);

    // WHEN
    await publish('device/sensor7/readings', {
      at: 1700000000000,
      value: 21.5,
      ok: true,
      none: null,
      empty: '',
      nested: { list: [1, 'a'] },
    });

    // THEN
    const { Items } = await dynamodb.send(new ScanCommand({ TableName: 'Readings' }));
    expect(Items).toEqual([
      {
        thing: { S: 'sensor7' },
        at: { N: '1700000000000' },
        value: { N: '21.5' },
        ok: { BOOL: true },
        none: { NULL: true },
        empty: { S: '' },
        nested: { M: { list: { L: [{ N: '1' }, { S: 'a' }] } } },
      },
    ]);
  });

  it('dynamoDB writes the payload beside the keys, and binary as binary', async () => {
    // GIVEN
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'Raw',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'topic', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'topic', KeyType: 'HASH' }],
      }),
    );
    const roleArn = await role('writer', [['dynamodb:PutItem', '*']]);
    const key = { hashKeyField: 'topic', hashKeyValue: `\${topic()}` };
    await rule('store', "SELECT * FROM 'raw/#'", [{ dynamoDB: { tableName: 'Raw', ...key, roleArn } }]);

    // WHEN
    await publish('raw/json', { a: 1 });
    await publish('raw/binary', Buffer.from([0xff, 0x00]));

    // THEN
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: 'Raw' }));
    expect(Items).toContainEqual({ topic: { S: 'raw/json' }, payload: { M: { a: { N: '1' } } } });
    expect(Items).toContainEqual({ topic: { S: 'raw/binary' }, payload: { B: new Uint8Array([0xff, 0x00]) } });
  });

  it('kinesis and s3 get the result as minified JSON', async () => {
    // GIVEN
    const kinesis = new KinesisClient(runtime.config);
    const s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
    await kinesis.send(new CreateStreamCommand({ StreamName: 'readings', ShardCount: 1 }));
    await s3.send(new CreateBucketCommand({ Bucket: 'archive' }));
    await runtime.advance(60);
    const roleArn = await role('writer', [
      ['kinesis:PutRecord', `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/readings`],
      ['s3:PutObject', 'arn:aws:s3:::archive/*'],
    ]);
    await rule('copy', "SET @site = get(site, 0) SELECT a FROM 'copy/#'", [
      { kinesis: { streamName: 'readings', partitionKey: `\${topic(2)}`, roleArn } },
      { s3: { bucketName: 'archive', key: `\${@site}/\${a + 1}.json`, roleArn } },
    ]);

    // WHEN
    await publish('copy/x', { a: 1, site: ['north'] });

    // THEN
    const { ShardIterator } = await kinesis.send(
      new GetShardIteratorCommand({
        StreamName: 'readings',
        ShardId: 'shardId-000000000000',
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    );
    const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
    expect(Records.map(({ Data, PartitionKey }) => [PartitionKey, Buffer.from(Data ?? []).toString()])).toEqual([
      ['x', '{"a":1}'],
    ]);
    const object = await s3.send(new GetObjectCommand({ Bucket: 'archive', Key: 'north/2.json' }));
    expect(await object.Body?.transformToString()).toBe('{"a":1}');
  });

  it('republish reaches other rules, with headers and reserved topics', async () => {
    // GIVEN
    const roleArn = await role('publisher', [['iot:Publish', `arn:aws:iot:us-east-1:${ACCOUNT}:topic/*`]]);
    const { url, action } = await queue('seen');
    const userProperties = [{ key: 'from', value: `\${topic()}` }];
    await rule('forward', "SELECT * FROM 'in/#'", [
      { republish: { topic: `out/\${topic(2)}`, qos: 1, roleArn, headers: { contentType: 'text/x', userProperties } } },
      { republish: { topic: '$$aws/rules/direct/a/b', roleArn } },
    ]);
    const seen = "topic() AS topic, get_mqtt_property('content_type') AS type, get_user_properties('from') AS from";
    await rule('out', `SELECT ${seen} FROM 'out/+'`, [action]);
    await rule('direct', 'SELECT topic() AS topic', [action]);

    // WHEN
    await publish('in/one', {});

    // THEN
    const messages = await received(url);
    expect(messages).toHaveLength(2);
    expect(messages).toContainEqual({ topic: 'out/one', type: 'text/x', from: ['in/one'] });
    expect(messages).toContainEqual({ topic: 'a/b' });
  });

  it('cloudwatchMetric and cloudwatchLogs take their values from templates and payload', async () => {
    // GIVEN
    const logs = new CloudWatchLogsClient(runtime.config);
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/devices' }));
    const roleArn = await role('observer', [
      [['cloudwatch:PutMetricData', 'logs:CreateLogStream', 'logs:PutLogEvents'], '*'],
    ]);
    await rule('observe', "SELECT * FROM 'observe'", [
      {
        cloudwatchMetric: {
          metricNamespace: 'Field',
          metricName: `\${name}`,
          metricValue: `\${value}`,
          metricUnit: 'None',
          roleArn,
        },
      },
      { cloudwatchLogs: { logGroupName: '/devices', roleArn } },
    ]);

    // WHEN
    await publish('observe', { name: 'Moisture', value: 0.25 });

    // THEN
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/devices' }));
    expect(events.map(({ message }) => message)).toEqual(['{"name":"Moisture","value":0.25}']);
    const { Datapoints = [] } = await new CloudWatchClient(runtime.config).send(
      new GetMetricStatisticsCommand({
        Namespace: 'Field',
        MetricName: 'Moisture',
        StartTime: new Date(Date.now() - 3_600_000),
        EndTime: new Date(Date.now() + 3_600_000),
        Period: 60,
        Statistics: ['Maximum'],
      }),
    );
    expect(Datapoints.map(({ Maximum }) => Maximum)).toEqual([0.25]);
  });
});

describe('actions with consequences of their own', () => {
  it('sns reaches the subscribers, and cloudwatchAlarm sets the state', async () => {
    // GIVEN
    const sns = new SNSClient(runtime.config);
    const cloudwatch = new CloudWatchClient(runtime.config);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'notices' }));
    const { url } = await queue('notified');
    const queueArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:notified`;
    const allow = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...allow, Resource: queueArn }] });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
    const Attributes = { RawMessageDelivery: 'true' };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes }));
    await cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName: 'frost',
        Namespace: 'Field',
        MetricName: 'Temperature',
        Statistic: 'Minimum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 0,
        ComparisonOperator: 'LessThanThreshold',
      }),
    );
    const roleArn = await role('notifier', [
      ['sns:Publish', TopicArn ?? ''],
      ['cloudwatch:SetAlarmState', `arn:aws:cloudwatch:us-east-1:${ACCOUNT}:alarm:frost`],
    ]);
    const alarm = { alarmName: 'frost', stateReason: `\${t} degrees`, stateValue: 'ALARM', roleArn };
    await rule('frost', "SELECT t FROM 'field' WHERE t < 0", [
      { sns: { targetArn: TopicArn, roleArn } },
      { cloudwatchAlarm: alarm },
    ]);

    // WHEN
    await publish('field', { t: -3 });

    // THEN
    expect(await received(url)).toEqual([{ t: -3 }]);
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: ['frost'] }));
    expect(MetricAlarms).toMatchObject([{ StateValue: 'ALARM', StateReason: '-3 degrees' }]);
  });

  it('firehose in batch mode writes one record for each element', async () => {
    // GIVEN
    const s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
    const firehose = new FirehoseClient(runtime.config);
    await s3.send(new CreateBucketCommand({ Bucket: 'archive' }));
    const AssumeRolePolicyDocument = trust().replace('iot.amazonaws.com', 'firehose.amazonaws.com');
    const delivery = await iam.send(new CreateRoleCommand({ RoleName: 'delivery', AssumeRolePolicyDocument }));
    const Statement = [{ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutRolePolicyCommand({ RoleName: 'delivery', PolicyName: 's3', PolicyDocument }));
    await firehose.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: 'lines',
        ExtendedS3DestinationConfiguration: {
          BucketARN: 'arn:aws:s3:::archive',
          RoleARN: delivery.Role?.Arn,
          BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 1 },
        },
      }),
    );
    const roleArn = await role('writer', [[['firehose:PutRecord', 'firehose:PutRecordBatch'], '*']]);
    const action = { deliveryStreamName: 'lines', separator: '\n', roleArn };
    await rule('batch', "SELECT VALUE readings FROM 'b'", [{ firehose: { ...action, batchMode: true } }]);
    await rule('whole', "SELECT VALUE readings FROM 'b'", [{ firehose: action }]);

    // WHEN
    await publish('b', { readings: [{ v: 1 }, { v: 2 }] });
    await runtime.advance(61);

    // THEN
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'archive' }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'archive', Key: Contents[0]?.Key }));
    const lines = (await Body?.transformToString())?.trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines).toEqual(expect.arrayContaining(['{"v":1}', '{"v":2}', '[{"v":1},{"v":2}]']));
  });
});

describe('matching', () => {
  it('runs actions only where WHERE is true, and counts the topic match anyway', async () => {
    // GIVEN
    const { url, action } = await queue('hot');
    await rule('hot', "SELECT t FROM 'room/+' WHERE t > 30", [action]);

    // WHEN
    for (const payload of [{ t: 31 }, { t: 30 }, { other: 1 }]) await publish('room/a', payload);

    // THEN
    expect(await received(url)).toEqual([{ t: 31 }]);
    expect(await sumOf('TopicMatch', { RuleName: 'hot' })).toBe(3);
    expect(await sumOf('Success', { RuleName: 'hot', ActionType: 'SQS' })).toBe(1);
  });

  it('a/# does not match a, and # matches nothing that begins with $', async () => {
    // GIVEN
    const { url, action } = await queue('all');
    await rule('below', "SELECT topic() AS t, 'below' AS r FROM 'a/#'", [action]);
    await rule('everything', "SELECT topic() AS t, 'everything' AS r FROM '#'", [action]);
    await iot.send(new CreateThingCommand({ thingName: 'x' }));

    // WHEN
    await publish('a', {});
    await publish('a/b', {});
    await publish('$aws/things/x/shadow/get', {});

    // THEN
    expect(await received(url)).toEqual(
      expect.arrayContaining([
        { t: 'a', r: 'everything' },
        { t: 'a/b', r: 'everything' },
        { t: 'a/b', r: 'below' },
      ]),
    );
    expect(await received(url)).toEqual([]);
  });

  it('rules see the events of the service itself', async () => {
    // GIVEN
    const { url, action } = await queue('shadows');
    await rule('accepted', "SELECT state FROM '$aws/things/+/shadow/update/accepted'", [action]);
    await iot.send(new CreateThingCommand({ thingName: 'lamp' }));

    // WHEN
    const payload = JSON.stringify({ state: { reported: { on: true } } });
    await data.send(new UpdateThingShadowCommand({ thingName: 'lamp', payload: Buffer.from(payload) }));
    await runtime.advance(0);

    // THEN
    expect(await received(url)).toEqual([{ state: { reported: { on: true } } }]);
  });

  it('Basic Ingest reaches the named rule only, without its prefix', async () => {
    // GIVEN
    const { url, action } = await queue('basic');
    await rule('named', "SELECT topic() AS t, topic(2) AS second FROM 'elsewhere'", [action]);
    await rule('other', "SELECT topic() AS t FROM 'a/b'", [action]);

    // WHEN
    await publish('$aws/rules/named/a/b', {});
    await publish('$aws/rules/named', {});
    await publish('$aws/rules/missing/a/b', {});

    // THEN
    const messages = await received(url);
    expect(messages).toHaveLength(2);
    expect(messages).toEqual(expect.arrayContaining([{ t: 'a/b', second: 'b' }, { t: '' }]));
    expect(await sumOf('RuleNotFound', { RuleName: 'missing' })).toBe(1);
    expect(runtime.output()).toContain('there is no such rule');
  });

  it('a disabled rule rests until it is enabled, for Basic Ingest too', async () => {
    // GIVEN
    const { url, action } = await queue('resting');
    await rule('resting', "SELECT n FROM 'a'", [action]);

    // WHEN
    await iot.send(new DisableTopicRuleCommand({ ruleName: 'resting' }));
    await publish('a', { n: 1 });
    await publish('$aws/rules/resting/a', { n: 2 });
    await iot.send(new EnableTopicRuleCommand({ ruleName: 'resting' }));
    await publish('a', { n: 3 });

    // THEN
    expect(await received(url)).toEqual([{ n: 3 }]);
    expect(await sumOf('RuleNotFound', { RuleName: 'resting' })).toBe(1);
  });
});

describe('failures', () => {
  it('come as one document to the error action, with the original payload', async () => {
    // GIVEN
    const { url, action: errorAction } = await queue('errors');
    const roleArn = await role('archivist', [['s3:*', '*']]);
    await rule(
      'failing',
      "SELECT a AS changed FROM 'fail/#'",
      [
        { s3: { bucketName: 'no-such-bucket', key: 'x', roleArn } },
        { dynamoDBv2: { putItem: { tableName: 'Missing' }, roleArn } },
      ],
      { errorAction },
    );

    // WHEN
    await publish('fail/now', { a: 1 });

    // THEN
    const base64OriginalPayload = Buffer.from('{"a":1}').toString('base64');
    expect(await received(url)).toEqual([
      {
        ruleName: 'failing',
        topic: 'fail/now',
        cloudwatchTraceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        clientId: 'n/a',
        base64OriginalPayload,
        failures: [
          {
            failedAction: 'S3Action',
            failedResource: 'no-such-bucket',
            errorMessage: expect.stringMatching(/^Failed to put S3 object\. The error received was .*NoSuchBucket/),
          },
          {
            failedAction: 'DynamoDBv2Action',
            failedResource: 'Missing',
            errorMessage: expect.stringContaining('is not authorized to perform: dynamodb:PutItem'),
          },
        ],
      },
    ]);
    expect(await sumOf('Failure', { RuleName: 'failing', ActionType: 'S3' })).toBe(1);
    expect(await sumOf('ErrorActionSuccess', { RuleName: 'failing', ActionType: 'SQS' })).toBe(1);
  });

  it('do not keep the other actions from their work', async () => {
    // GIVEN
    const { url, action } = await queue('works');
    const roleArn = await role('powerless', []);
    await rule('half', "SELECT * FROM 'half'", [{ s3: { bucketName: 'no', key: 'x', roleArn } }, action]);

    // WHEN
    await publish('half', { a: 1 });

    // THEN
    expect(await received(url)).toEqual([{ a: 1 }]);
    expect(runtime.output()).toContain('rule action failed');
  });

  it('of SQL count as ParseError and reach no error action', async () => {
    // GIVEN
    const { url, action } = await queue('never');
    await rule('strict', "SELECT a FROM 'strict'", [action], { errorAction: action });

    // WHEN
    await publish('strict', Buffer.from('{"a":'));

    // THEN
    expect(await received(url)).toEqual([]);
    expect(await sumOf('ParseError', { RuleName: 'strict' })).toBe(1);
  });

  it('a lambda action refuses binary, and a queue takes it as base64', async () => {
    // GIVEN
    const { url, action } = await queue('binary');
    const roleArn = action.sqs?.roleArn;
    const functionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:none`;
    await rule('bytes', "SELECT * FROM 'bytes'", [{ lambda: { functionArn } }], {
      errorAction: { sqs: { queueUrl: url, roleArn } },
    });
    await rule('base64', "SELECT * FROM 'bytes'", [{ sqs: { queueUrl: url, roleArn, useBase64: true } }]);

    // WHEN
    await publish('bytes', Buffer.from([0x80, 0x81]));

    // THEN
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }));
    const bodies = Messages.map(({ Body }) => Body);
    expect(bodies).toContain('gIE=');
    expect(bodies.join()).toContain('the payload is not JSON; encode it in the SQL statement');
  });
});

describe('roles', () => {
  it('a trust policy may name the rule and the account', async () => {
    // GIVEN
    const { url, action } = await queue('trusted');
    const Condition = {
      ArnEquals: { 'aws:SourceArn': `${RULE}allowed` },
      StringEquals: { 'aws:SourceAccount': ACCOUNT },
    };
    const PolicyDocument = trust(Condition);
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'trusted-role', PolicyDocument }));
    await rule('allowed', "SELECT 'allowed' AS by FROM 'x'", [action]);
    await rule('refused', "SELECT 'refused' AS by FROM 'x'", [action]);

    // WHEN
    await publish('x', {});

    // THEN
    expect(await received(url)).toEqual([{ by: 'allowed' }]);
  });

  it('external functions use the role that they name', async () => {
    // GIVEN
    const { url, action } = await queue('enriched');
    await iot.send(new CreateThingCommand({ thingName: 'lamp', attributePayload: { attributes: { room: 'attic' } } }));
    const payload = Buffer.from(JSON.stringify({ state: { desired: { on: true } } }));
    await data.send(new UpdateThingShadowCommand({ thingName: 'lamp', payload }));
    const reader = await role('reader', [[['iot:GetThingShadow', 'iot:DescribeThing'], '*']]);
    const powerless = await role('powerless', []);
    await rule(
      'enrich',
      `SELECT get_thing_shadow(topic(2), '${reader}').state.desired.on AS wanted,
              get_registry_data('DescribeThing', topic(2), '${reader}').attributes.room AS room,
              get_or_default(get_thing_shadow(topic(2), '${powerless}'), 'unknown') AS refused
       FROM 'enrich/+'`,
      [action],
    );
    await rule('broken', `SELECT get_thing_shadow(topic(2), '${powerless}') AS shadow FROM 'enrich/+'`, [action]);

    // WHEN
    await publish('enrich/lamp', {});

    // THEN
    expect(await received(url)).toEqual([{ wanted: true, room: 'attic', refused: 'unknown' }]);
  });
});

describe('administration', () => {
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/r`;

  it('gives a rule back as it was created, and lists by topic', async () => {
    // GIVEN
    const actions: Action[] = [{ kinesis: { streamName: 's', partitionKey: `\${topic()}`, roleArn } }];
    await rule('one', "SELECT * FROM 'a/+'", actions, { description: 'first' });
    await rule('two', "SELECT * FROM 'b'", [], { ruleDisabled: true });

    // WHEN
    const { ruleArn, rule: found } = await iot.send(new GetTopicRuleCommand({ ruleName: 'one' }));
    const byTopic = await iot.send(new ListTopicRulesCommand({ topic: 'a/x' }));
    const disabled = await iot.send(new ListTopicRulesCommand({ ruleDisabled: true }));

    // THEN
    expect(ruleArn).toBe(`${RULE}one`);
    expect(found).toMatchObject({ ruleName: 'one', sql: "SELECT * FROM 'a/+'", actions, description: 'first' });
    expect(found?.createdAt).toBeInstanceOf(Date);
    expect(byTopic.rules?.map(({ ruleName, topicPattern }) => [ruleName, topicPattern])).toEqual([['one', 'a/+']]);
    expect(disabled.rules?.map(({ ruleName }) => ruleName)).toEqual(['two']);
  });

  it('replaces and deletes', async () => {
    // GIVEN
    const { url, action } = await queue('changing');
    await rule('changing', "SELECT 1 AS version FROM 'old'", [action]);

    // WHEN
    const topicRulePayload = {
      sql: "SELECT 2 AS version FROM 'new'",
      actions: [action],
      awsIotSqlVersion: '2016-03-23',
    };
    await iot.send(new ReplaceTopicRuleCommand({ ruleName: 'changing', topicRulePayload }));
    await publish('old', {});
    await publish('new', {});
    await iot.send(new DeleteTopicRuleCommand({ ruleName: 'changing' }));
    await publish('new', {});

    // THEN
    expect(await received(url)).toEqual([{ version: 2 }]);
    await expect(iot.send(new GetTopicRuleCommand({ ruleName: 'changing' }))).rejects.toMatchObject({
      name: 'UnauthorizedException',
    });
  });

  it.each<[string, string, Partial<TopicRulePayload>, RegExp]>([
    ['SQL that cannot be read', 'SqlParseException', { sql: "SELECT a\nFROM 'x' WHER" }, /line 2, column 10.*WHERE/],
    ['an unknown function', 'SqlParseException', { sql: "SELECT nope(a) FROM 'x'" }, /no function nope/],
    ['a template', 'SqlParseException', { actions: [{ s3: { bucketName: 'b', key: `\${a +}`, roleArn } }] }, /s3\.key/],
    ['another version', 'NotEmulated', { awsIotSqlVersion: '2015-10-08' }, /2015-10-08/],
    ['no version', 'NotEmulated', { awsIotSqlVersion: undefined }, /awsIotSqlVersion/],
    [
      'an action that is not emulated',
      'NotEmulated',
      { actions: [{ stepFunctions: { stateMachineName: 's', roleArn } }] },
      /stepFunctions/,
    ],
    [
      'eleven actions',
      'InvalidRequestException',
      { actions: Array.from({ length: 11 }, () => ({ lambda: { functionArn: 'f' } })) },
      /at most 10/,
    ],
    [
      'a reserved topic without escape',
      'InvalidRequestException',
      { actions: [{ republish: { topic: '$aws/things/x/shadow/get', roleArn } }] },
      /\$\$/,
    ],
    [
      'a parameter that is missing',
      'InvalidRequestException',
      { actions: [{ s3: { bucketName: 'b', key: undefined, roleArn } }] },
      /s3\.key/,
    ],
  ])('refuses %s', async (_what, name, change, message) => {
    const topicRulePayload = { sql: "SELECT * FROM 'x'", actions: [], awsIotSqlVersion: '2016-03-23', ...change };

    const created = iot.send(new CreateTopicRuleCommand({ ruleName: 'bad', topicRulePayload }));

    await expect(created).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  it('refuses names with a hyphen, and a second rule of a name', async () => {
    await rule('taken', "SELECT * FROM 'x'", []);

    await expect(rule('taken', "SELECT * FROM 'x'", [])).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
    });
    await expect(rule('no-hyphen', "SELECT * FROM 'x'", [])).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});
