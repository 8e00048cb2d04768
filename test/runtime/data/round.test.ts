/** `--data`: what is there before a restart is there after it, for every service, as its own clients see it. */
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as eventbridge from '@aws-sdk/client-eventbridge';
import * as firehose from '@aws-sdk/client-firehose';
import * as iam from '@aws-sdk/client-iam';
import * as iot from '@aws-sdk/client-iot';
import * as iotData from '@aws-sdk/client-iot-data-plane';
import * as kinesis from '@aws-sdk/client-kinesis';
import * as s3 from '@aws-sdk/client-s3';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import { type Answer, awsJsonClient } from '../../support/aws-json.ts';
import { createCa } from '../../support/certificates.ts';
import { bytes, kmsClient } from '../../support/kms.ts';
import type { Runtime } from '../../support/runtime.ts';
import { KeptAccount } from './kept-account.ts';

const ACCOUNT = '123456789012';
const trust = (Service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
  });

function clientsOf({ config }: Runtime) {
  return {
    cloudwatch: new cloudwatch.CloudWatchClient(config),
    logs: new logs.CloudWatchLogsClient(config),
    dynamodb: new dynamodb.DynamoDBClient(config),
    events: new eventbridge.EventBridgeClient(config),
    firehose: new firehose.FirehoseClient(config),
    iam: new iam.IAMClient(config),
    iot: new iot.IoTClient(config),
    iotData: new iotData.IoTDataPlaneClient(config),
    kinesis: new kinesis.KinesisClient(config),
    s3: new s3.S3Client({ ...config, forcePathStyle: true }),
    sns: new sns.SNSClient(config),
    sqs: new sqs.SQSClient(config),
  };
}

type Clients = ReturnType<typeof clientsOf>;

/** An answer without what differs from call to call. */
function answer(given: object): unknown {
  const { $metadata: _, ...rest } = given as Record<string, unknown>;
  return JSON.parse(JSON.stringify(rest));
}

const account = new KeptAccount();
let clients: Clients;

beforeAll(async () => {
  clients = clientsOf(await account.start());
});

afterAll(() => account.remove());

async function restart(): Promise<void> {
  clients = clientsOf(await account.restart());
}

/** Does `view` see the same after a restart? */
async function staysTheSame(view: () => Promise<unknown>): Promise<void> {
  const before = await view();
  await restart();
  expect(await view()).toEqual(before);
}

test('tables with their items, indexes, tags, streams and time to live', async () => {
  const TableName = 'readings';
  const { TableDescription } = await clients.dynamodb.send(
    new dynamodb.CreateTableCommand({
      TableName,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'B' },
        { AttributeName: 'other', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-other',
          KeySchema: [{ AttributeName: 'other', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      Tags: [{ Key: 'team', Value: 'greenhouse' }],
    }),
  );
  const ResourceArn = TableDescription?.TableArn;
  const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expiresAt' };
  await clients.dynamodb.send(new dynamodb.UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  for (const [at, pk] of ['a', 'a', 'b\u0000c', 'ü/"'].entries()) {
    const Item = {
      pk: { S: pk },
      sk: { B: Buffer.of(at, 0, 255) },
      other: { N: '1.50' },
      list: { L: [{ NULL: true }] },
    };
    await clients.dynamodb.send(new dynamodb.PutItemCommand({ TableName, Item }));
  }
  await staysTheSame(async () => [
    answer(await clients.dynamodb.send(new dynamodb.DescribeTableCommand({ TableName }))),
    answer(await clients.dynamodb.send(new dynamodb.ScanCommand({ TableName }))),
    answer(await clients.dynamodb.send(new dynamodb.ScanCommand({ TableName, IndexName: 'by-other' }))),
    answer(await clients.dynamodb.send(new dynamodb.DescribeTimeToLiveCommand({ TableName }))),
    answer(await clients.dynamodb.send(new dynamodb.ListTagsOfResourceCommand({ ResourceArn }))),
  ]);
  const Item = { pk: { S: 'old' }, sk: { B: Buffer.of(9) }, expiresAt: { N: String(Math.floor(Date.now() / 1000)) } };
  await clients.dynamodb.send(new dynamodb.PutItemCommand({ TableName, Item }));
  await restart();
  await account.runtime.advance(2 * 3600);
  const { Items = [] } = await clients.dynamodb.send(new dynamodb.ScanCommand({ TableName }));
  expect(Items.map(({ pk }) => pk?.S).sort()).toEqual(['a', 'a', 'b\u0000c', 'ü/"'].sort());
});

test('objects in all versions, uploads under way, and settings of buckets', async () => {
  const Bucket = 'archive-of-a-farm';
  const body = Buffer.alloc(5 * 1024 ** 2, 'x');
  await clients.s3.send(new s3.CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await clients.s3.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  for (const Body of ['one', 'two']) {
    await clients.s3.send(new s3.PutObjectCommand({ Bucket, Key: 'a/b', Body, Metadata: { m: Body } }));
  }
  await clients.s3.send(new s3.DeleteObjectCommand({ Bucket, Key: 'a/b' }));
  await clients.s3.send(new s3.PutObjectCommand({ Bucket, Key: 'c', Body: Buffer.of(0, 1, 255) }));
  const upload = { Bucket, Key: 'big' };
  const { UploadId } = await clients.s3.send(new s3.CreateMultipartUploadCommand(upload));
  const first = { ...upload, UploadId, PartNumber: 1, Body: body };
  const one = await clients.s3.send(new s3.UploadPartCommand(first));
  await staysTheSame(async () => {
    const versions = await clients.s3.send(new s3.ListObjectVersionsCommand({ Bucket }));
    const contents = (versions.Versions ?? []).map(async ({ Key, VersionId }) => {
      const found = await clients.s3.send(new s3.GetObjectCommand({ Bucket, Key, VersionId }));
      return [found.Metadata, found.ETag, await found.Body?.transformToString('base64')];
    });
    return [
      answer(versions),
      await Promise.all(contents),
      answer(await clients.s3.send(new s3.GetBucketVersioningCommand({ Bucket }))),
      answer(await clients.s3.send(new s3.ListPartsCommand({ ...upload, UploadId }))),
    ];
  });
  const two = await clients.s3.send(
    new s3.UploadPartCommand({ ...upload, UploadId, PartNumber: 2, Body: Buffer.from('end') }),
  );
  const Parts = [one, two].map(({ ETag }, at) => ({ ETag, PartNumber: at + 1 }));
  await clients.s3.send(new s3.CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
  await restart();
  const { ContentLength } = await clients.s3.send(new s3.HeadObjectCommand(upload));
  expect(ContentLength).toBe(body.length + 3);
});

test('messages: visible, delayed, in flight with their receipt, and in the order in which they came', async () => {
  const { QueueUrl } = await clients.sqs.send(
    new sqs.CreateQueueCommand({ QueueName: 'jobs', Attributes: { VisibilityTimeout: '600' }, tags: { team: 'barn' } }),
  );
  await clients.sqs.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: 'in flight' }));
  const received = await clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl }));
  for (const MessageBody of ['1', '2', '3']) {
    const MessageAttributes = { n: { DataType: 'Binary', BinaryValue: Buffer.from(MessageBody) } };
    await clients.sqs.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }));
  }
  await clients.sqs.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: 'later', DelaySeconds: 900 }));
  await staysTheSame(async () =>
    answer(await clients.sqs.send(new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))),
  );
  const receive = async () => {
    const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
    const { Messages = [] } = await clients.sqs.send(new sqs.ReceiveMessageCommand(input));
    return Messages;
  };
  const visible = await receive();
  expect(visible.map(({ Body }) => Body)).toEqual(['1', '2', '3']);
  expect(Buffer.from(visible[0]?.MessageAttributes?.n?.BinaryValue ?? []).toString()).toBe('1');
  await account.runtime.advance(601);
  expect((await receive()).map(({ Body }) => Body).sort()).toEqual(['1', '2', '3', 'in flight']);
  await restart();
  await account.runtime.advance(300);
  expect((await receive()).map(({ Body }) => Body)).toEqual(['later']);
  expect(received.Messages).toHaveLength(1);
});

test('keys: what was encrypted before decrypts after, and signatures are of the same key', async () => {
  const call = (operation: string, input: Answer) => kmsClient(account.runtime)(operation, input);
  const { KeyMetadata } = await call('CreateKey', { Description: 'files' });
  const { KeyId } = KeyMetadata as { readonly KeyId: string };
  await call('CreateAlias', { AliasName: 'alias/files', TargetKeyId: KeyId });
  const signing = await call('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  const signer = (signing.KeyMetadata as { readonly KeyId: string }).KeyId;
  const EncryptionContext = { thing: 'sensor1' };
  const Plaintext = Buffer.from('secret').toString('base64');
  const { CiphertextBlob } = await call('Encrypt', { KeyId: 'alias/files', Plaintext, EncryptionContext });
  await staysTheSame(async () => [
    await call('DescribeKey', { KeyId: 'alias/files' }),
    await call('GetPublicKey', { KeyId: signer }),
    await call('GetKeyPolicy', { KeyId, PolicyName: 'default' }),
  ]);
  const decrypted = await call('Decrypt', { CiphertextBlob, EncryptionContext });
  expect(bytes(decrypted.Plaintext).toString()).toBe('secret');
});

test('streams, delivery streams with what they buffer, roles and their ids', async () => {
  await clients.kinesis.send(new kinesis.CreateStreamCommand({ StreamName: 'telemetry', ShardCount: 2 }));
  const Records = ['a', 'b', 'c', 'd'].map((PartitionKey) => ({ PartitionKey, Data: Buffer.from(PartitionKey) }));
  await clients.kinesis.send(new kinesis.PutRecordsCommand({ StreamName: 'telemetry', Records }));
  await clients.s3.send(new s3.CreateBucketCommand({ Bucket: 'deliveries' }));
  await clients.iam.send(
    new iam.CreateRoleCommand({ RoleName: 'delivery', AssumeRolePolicyDocument: trust('firehose.amazonaws.com') }),
  );
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::deliveries/*' },
  });
  const inline = { RoleName: 'delivery', PolicyName: 'write' };
  await clients.iam.send(new iam.PutRolePolicyCommand({ ...inline, PolicyDocument }));
  const DeliveryStreamName = 'archive';
  await clients.firehose.send(
    new firehose.CreateDeliveryStreamCommand({
      DeliveryStreamName,
      ExtendedS3DestinationConfiguration: {
        RoleARN: `arn:aws:iam::${ACCOUNT}:role/delivery`,
        BucketARN: 'arn:aws:s3:::deliveries',
        BufferingHints: { IntervalInSeconds: 300 },
        CompressionFormat: 'UNCOMPRESSED',
      },
    }),
  );
  const Record = { Data: Buffer.from('buffered\n') };
  await clients.firehose.send(new firehose.PutRecordCommand({ DeliveryStreamName, Record }));
  const records = async (ShardId: string) => {
    const start = { StreamName: 'telemetry', ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    const { ShardIterator } = await clients.kinesis.send(new kinesis.GetShardIteratorCommand(start));
    const found = await clients.kinesis.send(new kinesis.GetRecordsCommand({ ShardIterator }));
    return answer({ Records: found.Records });
  };
  await staysTheSame(async () => [
    answer(await clients.kinesis.send(new kinesis.DescribeStreamCommand({ StreamName: 'telemetry' }))),
    await records('shardId-000000000000'),
    await records('shardId-000000000001'),
    answer(await clients.iam.send(new iam.GetRoleCommand({ RoleName: 'delivery' }))),
    answer(await clients.iam.send(new iam.GetRolePolicyCommand(inline))),
    answer(await clients.firehose.send(new firehose.DescribeDeliveryStreamCommand({ DeliveryStreamName }))),
  ]);
  await clients.firehose.send(
    new firehose.PutRecordCommand({ DeliveryStreamName, Record: { Data: Buffer.from('after\n') } }),
  );
  await account.runtime.advance(300);
  const { Contents = [] } = await clients.s3.send(new s3.ListObjectsV2Command({ Bucket: 'deliveries' }));
  expect(Contents).toHaveLength(1);
  const Key = Contents[0]?.Key ?? '';
  const object = await clients.s3.send(new s3.GetObjectCommand({ Bucket: 'deliveries', Key }));
  expect(await object.Body?.transformToString()).toBe('buffered\nafter\n');
});

test('topics, subscriptions with filters, push endpoints and the settings of text messages', async () => {
  const { TopicArn } = await clients.sns.send(new sns.CreateTopicCommand({ Name: 'notices' }));
  const Endpoint = `arn:aws:sqs:us-east-1:${ACCOUNT}:notices`;
  const { QueueUrl } = await clients.sqs.send(new sqs.CreateQueueCommand({ QueueName: 'notices' }));
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:*', Resource: Endpoint },
  });
  await clients.sqs.send(new sqs.SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const Attributes = { FilterPolicy: '{"kind":["frost"]}', RawMessageDelivery: 'true' };
  const subscription = { TopicArn, Protocol: 'sqs', Endpoint, Attributes, ReturnSubscriptionArn: true };
  const { SubscriptionArn } = await clients.sns.send(new sns.SubscribeCommand(subscription));
  await clients.sns.send(new sns.SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint: 'farmer@example.com' }));
  const { PlatformApplicationArn } = await clients.sns.send(
    new sns.CreatePlatformApplicationCommand({
      Name: 'app',
      Platform: 'GCM',
      Attributes: { PlatformCredential: 'key' },
    }),
  );
  await clients.sns.send(new sns.CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: 'telephone' }));
  await clients.sns.send(new sns.SetSMSAttributesCommand({ attributes: { DefaultSenderID: 'farm' } }));
  // The mail that asks for a confirmation is on its way.
  await account.runtime.advance(0);
  await staysTheSame(async () => [
    answer(await clients.sns.send(new sns.ListSubscriptionsByTopicCommand({ TopicArn }))),
    answer(await clients.sns.send(new sns.GetSubscriptionAttributesCommand({ SubscriptionArn }))),
    answer(await clients.sns.send(new sns.ListEndpointsByPlatformApplicationCommand({ PlatformApplicationArn }))),
    answer(await clients.sns.send(new sns.GetSMSAttributesCommand({}))),
    await (await fetch(`${account.runtime.endpoints.awsEndpoint}/_local/outbox`)).json(),
  ]);
  for (const kind of ['frost', 'rain']) {
    const MessageAttributes = { kind: { DataType: 'String', StringValue: kind } };
    await clients.sns.send(new sns.PublishCommand({ TopicArn, Message: kind, MessageAttributes }));
  }
  await account.runtime.advance(0);
  const { Messages = [] } = await clients.sqs.send(
    new sqs.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
  );
  expect(Messages.map(({ Body }) => Body)).toEqual(['frost']);
});

test('metrics, states of alarms, logs, rules and schedules of events', async () => {
  const metric = { Namespace: 'Farm', MetricName: 'Frost', Dimensions: [{ Name: 'barn', Value: 'north' }] };
  const { Dimensions } = metric;
  const MetricData = [{ MetricName: 'Frost', Dimensions, Value: 3 }];
  await clients.cloudwatch.send(new cloudwatch.PutMetricDataCommand({ Namespace: 'Farm', MetricData }));
  await clients.cloudwatch.send(
    new cloudwatch.PutMetricAlarmCommand({
      AlarmName: 'frost',
      ...metric,
      Period: 60,
      Statistic: 'Sum',
      Threshold: 1,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'ignore',
    }),
  );
  await account.runtime.advance(120);
  const [logGroupName, logStreamName] = ['farm', 'barn'];
  await clients.logs.send(new logs.CreateLogGroupCommand({ logGroupName }));
  await clients.logs.send(new logs.PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }));
  await clients.logs.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName }));
  const line = async (count: number) => {
    const now = Date.now();
    const logEvents = Array.from({ length: count }, (_, at) => ({ timestamp: now, message: `line ${at}` }));
    await clients.logs.send(new logs.PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
  };
  await line(1200);
  const { QueueUrl } = await clients.sqs.send(new sqs.CreateQueueCommand({ QueueName: 'ticks' }));
  const Arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:ticks`;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:*', Resource: Arn },
  });
  await clients.sqs.send(new sqs.SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const rule = { Name: 'tick', ScheduleExpression: 'rate(1 hour)' };
  await clients.events.send(new eventbridge.PutRuleCommand(rule));
  await clients.events.send(new eventbridge.PutTargetsCommand({ Rule: 'tick', Targets: [{ Id: 'q', Arn }] }));
  const range = { StartTime: new Date(Date.now() - 3_600_000), EndTime: new Date(Date.now() + 7_200_000) };
  await staysTheSame(async () => {
    const statistics = { ...metric, ...range, Period: 60, Statistics: ['Sum' as const], ExtendedStatistics: [] };
    const found = await clients.logs.send(
      new logs.GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }),
    );
    return [
      answer(await clients.cloudwatch.send(new cloudwatch.GetMetricStatisticsCommand(statistics))),
      answer(await clients.cloudwatch.send(new cloudwatch.DescribeAlarmsCommand({}))),
      answer(await clients.logs.send(new logs.DescribeLogGroupsCommand({}))),
      found.events?.map(({ message, timestamp }) => [message, timestamp]),
      answer(await clients.events.send(new eventbridge.DescribeRuleCommand({ Name: 'tick' }))),
      answer(await clients.events.send(new eventbridge.ListTargetsByRuleCommand({ Rule: 'tick' }))),
    ];
  });
  await line(3);
  await restart();
  const { events = [] } = await clients.logs.send(new logs.FilterLogEventsCommand({ logGroupName, limit: 10_000 }));
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(1203);
  await account.runtime.advance(3600);
  const { Messages = [] } = await clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl }));
  expect(Messages).toHaveLength(1);
});

test('the registry of AWS IoT, policies, authorities, shadows and rules', async () => {
  const thingName = 'macdonald-sensor1';
  await clients.iot.send(new iot.CreateThingTypeCommand({ thingTypeName: 'sensor' }));
  const attributePayload = { attributes: { room: 'north' } };
  await clients.iot.send(new iot.CreateThingCommand({ thingName, thingTypeName: 'sensor', attributePayload }));
  for (const [thingGroupName, parentGroupName] of [['farm'], ['barn', 'farm']] as const) {
    await clients.iot.send(new iot.CreateThingGroupCommand({ thingGroupName, parentGroupName }));
  }
  await clients.iot.send(new iot.AddThingToThingGroupCommand({ thingGroupName: 'barn', thingName }));
  const policyName = 'device';
  const document = (Action: string) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
  await clients.iot.send(new iot.CreatePolicyCommand({ policyName, policyDocument: document('iot:Connect') }));
  await clients.iot.send(
    new iot.CreatePolicyVersionCommand({ policyName, policyDocument: document('iot:*'), setAsDefault: true }),
  );
  const made = await clients.iot.send(new iot.CreateKeysAndCertificateCommand({ setAsActive: true }));
  const { certificateArn: principal, certificateId } = made;
  await clients.iot.send(new iot.AttachPolicyCommand({ policyName, target: principal }));
  await clients.iot.send(new iot.AttachThingPrincipalCommand({ thingName, principal }));
  const { pem } = await createCa('factory');
  const ca = { caCertificate: pem, certificateMode: 'SNI_ONLY', setAsActive: true } as const;
  const registered = await clients.iot.send(new iot.RegisterCACertificateCommand(ca));
  const payload = Buffer.from('{"state":{"desired":{"__proto__":{"x":1},"on":true},"reported":{"on":false}}}');
  await clients.iotData.send(new iotData.UpdateThingShadowCommand({ thingName, payload }));
  await clients.iotData.send(
    new iotData.PublishCommand({ topic: 'a/b', payload: Buffer.from('kept'), retain: true, qos: 1 }),
  );
  await clients.iam.send(
    new iam.CreateRoleCommand({ RoleName: 'rule', AssumeRolePolicyDocument: trust('iot.amazonaws.com') }),
  );
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/rule`;
  await clients.iot.send(new iot.CreateRoleAliasCommand({ roleAlias: 'device', roleArn }));
  const modes = { thingIndexingMode: 'REGISTRY', thingConnectivityIndexingMode: 'STATUS' } as const;
  await clients.iot.send(new iot.UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: modes }));
  await clients.iot.send(
    new iot.CreateTopicRuleCommand({
      ruleName: 'telemetry',
      topicRulePayload: {
        sql: "SELECT * FROM 'a/+'",
        awsIotSqlVersion: '2016-03-23',
        actions: [{ republish: { roleArn, topic: 'b' } }],
      },
    }),
  );
  await staysTheSame(async () => {
    const shadow = await clients.iotData.send(new iotData.GetThingShadowCommand({ thingName }));
    const { timestamp: _, ...document } = JSON.parse(Buffer.from(shadow.payload ?? []).toString());
    return [
      answer(await clients.iot.send(new iot.DescribeThingCommand({ thingName }))),
      answer(await clients.iot.send(new iot.ListThingGroupsForThingCommand({ thingName }))),
      answer(await clients.iot.send(new iot.DescribeThingGroupCommand({ thingGroupName: 'barn' }))),
      answer(await clients.iot.send(new iot.GetPolicyCommand({ policyName }))),
      answer(await clients.iot.send(new iot.ListPolicyVersionsCommand({ policyName }))),
      answer(await clients.iot.send(new iot.ListAttachedPoliciesCommand({ target: principal }))),
      answer(await clients.iot.send(new iot.ListThingPrincipalsCommand({ thingName }))),
      answer(await clients.iot.send(new iot.DescribeCertificateCommand({ certificateId }))),
      answer(await clients.iot.send(new iot.DescribeCACertificateCommand({ certificateId: registered.certificateId }))),
      answer(await clients.iot.send(new iot.GetTopicRuleCommand({ ruleName: 'telemetry' }))),
      answer(await clients.iot.send(new iot.DescribeRoleAliasCommand({ roleAlias: 'device' }))),
      answer(await clients.iot.send(new iot.GetRegistrationCodeCommand({}))),
      answer(await clients.iot.send(new iot.GetIndexingConfigurationCommand({}))),
      answer(await clients.iotData.send(new iotData.GetRetainedMessageCommand({ topic: 'a/b' }))),
      JSON.stringify(document),
    ];
  });
});

test("the operator's keys, sessions of roles and virtual time", async () => {
  const { accessKeyId, secretAccessKey } = account.runtime.endpoints.operator;
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
  });
  await clients.iam.send(new iam.CreateRoleCommand({ RoleName: 'guest', AssumeRolePolicyDocument }));
  const session = await new sts.STSClient(account.runtime.config).send(
    new sts.AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/guest`, RoleSessionName: 'me' }),
  );
  const now = async () => {
    const health = await fetch(`${account.runtime.endpoints.awsEndpoint}/_local/health`);
    return Date.parse(((await health.json()) as { readonly now: string }).now);
  };
  await account.runtime.advance(1800);
  const earlier = await now();
  await restart();
  expect(account.runtime.endpoints.operator).toMatchObject({ accessKeyId, secretAccessKey });
  expect(await now()).toBeGreaterThanOrEqual(earlier);
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = session.Credentials ?? {};
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  const guest = new sts.STSClient({ ...account.runtime.config, credentials });
  const { Arn } = await guest.send(new sts.GetCallerIdentityCommand({}));
  expect(Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/guest/me`);
});

test('secrets with their versions, and the time of a deletion', async () => {
  const call = (operation: string, input: Answer) =>
    awsJsonClient(account.runtime, { service: 'secretsmanager', prefix: 'secretsmanager', version: '1.1' })(
      operation,
      input,
    );
  const token = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
  await call('CreateSecret', { Name: 'gateway', SecretString: 'first', ClientRequestToken: token(1) });
  await call('PutSecretValue', { SecretId: 'gateway', SecretString: 'second', ClientRequestToken: token(2) });
  await call('CreateSecret', { Name: 'old', SecretString: 'x', ClientRequestToken: token(3) });
  await call('DeleteSecret', { SecretId: 'old', RecoveryWindowInDays: 7 });
  await staysTheSame(async () => [
    await call('GetSecretValue', { SecretId: 'gateway' }),
    await call('GetSecretValue', { SecretId: 'gateway', VersionStage: 'AWSPREVIOUS' }),
    await call('DescribeSecret', { SecretId: 'old' }),
  ]);
  await account.runtime.advance(7 * 86_400 + 1);
  await expect(call('DescribeSecret', { SecretId: 'old' })).rejects.toThrow("can't find");
});

test('what was deleted after it was saved stays deleted', async () => {
  const { QueueUrl } = await clients.sqs.send(new sqs.CreateQueueCommand({ QueueName: 'short' }));
  await clients.sqs.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: 'done' }));
  const thing = { thingName: 'short-lived' };
  await clients.iot.send(new iot.CreateThingCommand(thing));
  const object = { Bucket: 'deliveries', Key: 'short' };
  await clients.s3.send(new s3.PutObjectCommand({ ...object, Body: 'x' }));
  await restart();
  const { Messages: [message] = [] } = await clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl }));
  const ReceiptHandle = message?.ReceiptHandle;
  await clients.sqs.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  await clients.iot.send(new iot.DeleteThingCommand(thing));
  await clients.s3.send(new s3.DeleteObjectCommand(object));
  await restart();
  const { Attributes } = await clients.sqs.send(
    new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  expect(Attributes).toMatchObject({
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesNotVisible: '0',
  });
  await expect(clients.iot.send(new iot.DescribeThingCommand(thing))).rejects.toThrow(/not found/);
  await expect(clients.s3.send(new s3.HeadObjectCommand(object))).rejects.toThrow();
});

test('a reset gives the state of the first start, and that is what is kept', async () => {
  await clients.sqs.send(new sqs.CreateQueueCommand({ QueueName: 'forgotten' }));
  await restart();
  await account.runtime.reset();
  expect((await clients.sqs.send(new sqs.ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
  await restart();
  expect((await clients.sqs.send(new sqs.ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
});
