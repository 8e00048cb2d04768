/** What a bucket tells queues, topics and functions, and what it takes as a configuration. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, ReceiveMessageCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const Bucket = 'barn';
const DAY = 86_400;

/** A policy that lets S3 in for this bucket only, as AWS's guide has it. */
function forBarn(Action: string, Resource: unknown) {
  const Condition = {
    ArnLike: { 'aws:SourceArn': `arn:aws:s3:::${Bucket}` },
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
  };
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action, Resource, Condition }],
  };
}

const filter = (rules: Readonly<Record<string, string>>) => ({
  S3Key: { Rules: Object.entries(rules).map(([Name, Value]) => ({ Name, Value })) },
});

const assembly = new Assembly()
  .add('Seen', 'AWS::SQS::Queue', { QueueName: 'seen' })
  .add('SeenPolicy', 'AWS::SQS::QueuePolicy', {
    Queues: [{ Ref: 'Seen' }],
    PolicyDocument: forBarn('sqs:SendMessage', arnOf('Seen')),
  })
  .add('Closed', 'AWS::SQS::Queue', { QueueName: 'closed' })
  .add('Topic', 'AWS::SNS::Topic', { TopicName: 'news' })
  .add('TopicPolicy', 'AWS::SNS::TopicPolicy', {
    Topics: [{ Ref: 'Topic' }],
    PolicyDocument: forBarn('sns:Publish', { Ref: 'Topic' }),
  })
  .add('Told', 'AWS::SQS::Queue', { QueueName: 'told' })
  .add('ToldPolicy', 'AWS::SQS::QueuePolicy', {
    Queues: [{ Ref: 'Told' }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: arnOf('Told'),
        },
      ],
    },
  })
  .add('Subscription', 'AWS::SNS::Subscription', {
    TopicArn: { Ref: 'Topic' },
    Protocol: 'sqs',
    Endpoint: arnOf('Told'),
  })
  .addFunction('worker', {
    code: "exports.handler = async (event) => { process.stdout.write('event ' + JSON.stringify(event) + '\\n'); };",
  })
  .addFunction('stranger', { code: 'exports.handler = async () => {};' })
  .add('Permission', 'AWS::Lambda::Permission', {
    Action: 'lambda:InvokeFunction',
    FunctionName: { Ref: 'worker' },
    Principal: 's3.amazonaws.com',
    SourceAccount: { Ref: 'AWS::AccountId' },
    SourceArn: `arn:aws:s3:::${Bucket}`,
  })
  .add(
    'Barn',
    'AWS::S3::Bucket',
    {
      BucketName: Bucket,
      NotificationConfiguration: {
        QueueConfigurations: [
          { Event: 's3:ObjectCreated:*', Queue: arnOf('Seen'), Filter: filter({ prefix: 'in/', suffix: '.csv' }) },
          { Event: 's3:ObjectRemoved:*', Queue: arnOf('Seen') },
        ],
        TopicConfigurations: [
          { Event: 's3:ObjectTagging:*', Topic: { Ref: 'Topic' } },
          { Event: 's3:LifecycleExpiration:*', Topic: { Ref: 'Topic' } },
        ],
        LambdaConfigurations: [
          { Event: 's3:ObjectCreated:Put', Function: arnOf('worker'), Filter: filter({ prefix: 'out/' }) },
          { Event: 's3:ObjectCreated:Copy', Function: arnOf('worker'), Filter: filter({ prefix: 'out/' }) },
        ],
      },
      LifecycleConfiguration: { Rules: [{ Id: 'short', Status: 'Enabled', Prefix: 'short/', ExpirationInDays: 1 }] },
    },
    ['SeenPolicy', 'TopicPolicy', 'Permission', 'Subscription', 'ToldPolicy'],
  );

let runtime: Runtime;
let s3: S3Client;
let sqs: SQSClient;

beforeAll(async () => {
  runtime = await assembly.start();
  s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
  sqs = new SQSClient(runtime.config);
});
afterAll(async () => {
  s3.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

type Message = Readonly<Record<string, unknown>>;
interface EventRecord extends Message {
  readonly eventName: string;
  readonly s3: { readonly object: Message & { readonly sequencer: string }; readonly configurationId: string };
}

async function received(QueueName: string): Promise<readonly Message[]> {
  await runtime.advance(0);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const all: Message[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return all;
    all.push(...Messages.map(({ Body = '' }) => JSON.parse(Body) as Message));
  }
}

/** The records in a queue, without test events. */
async function records(QueueName = 'seen'): Promise<readonly EventRecord[]> {
  const messages = await received(QueueName);
  return messages
    .map((each) => (typeof each.Message === 'string' ? (JSON.parse(each.Message) as Message) : each))
    .flatMap(({ Records = [] }) => Records as readonly EventRecord[])
    .toSorted((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1));
}

async function invocations(): Promise<readonly EventRecord[]> {
  await runtime.advance(0);
  const logs = new CloudWatchLogsClient(runtime.config);
  const input = { logGroupName: '/aws/lambda/worker', filterPattern: '"event "' };
  const { events = [] } = await logs.send(new FilterLogEventsCommand(input));
  return events.flatMap(({ message = '' }) => JSON.parse(message.replace('event ', '')).Records);
}

const put = (Key: string, Body = 'hay') => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const configure = (configuration: NotificationConfiguration, more: { SkipDestinationValidation?: boolean } = {}) =>
  s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: configuration, ...more }));
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:${runtime.endpoints.accountId}:${name}`;
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:${runtime.endpoints.accountId}:function:${name}`;

describe('a notification', () => {
  it('says what was created, in the words of AWS', async () => {
    const { ETag, $metadata } = await put('in/red flower+(1)/ä.csv');

    const [record, ...more] = await records();

    expect(more).toEqual([]);
    expect(record).toEqual({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: expect.stringMatching(/^AWS:/) },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: { 'x-amz-request-id': $metadata.requestId, 'x-amz-id-2': $metadata.extendedRequestId },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: expect.any(String),
        bucket: {
          name: Bucket,
          ownerIdentity: { principalId: runtime.endpoints.accountId },
          arn: `arn:aws:s3:::${Bucket}`,
        },
        object: {
          key: 'in/red+flower%2B%281%29/%C3%A4.csv',
          size: 3,
          eTag: ETag?.replaceAll('"', ''),
          sequencer: expect.stringMatching(/^[0-9A-F]{16,}$/),
        },
      },
    });
  });

  it('is for the keys of its filter, and for each way to create an object', async () => {
    await put('out/a.csv');
    await put('in/a.txt');
    await put('in/a.csv');
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'in/b.csv', CopySource: `${Bucket}/in/a.csv` }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'in/c.csv' }));
    const part = { Bucket, Key: 'in/c.csv', UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...part, PartNumber: 1, Body: 'hay' }));
    const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...part, MultipartUpload }));

    const seen = await records();

    expect(seen.map(({ eventName, s3: { object } }) => [eventName, object.key])).toEqual([
      ['ObjectCreated:Put', 'in/a.csv'],
      ['ObjectCreated:Copy', 'in/b.csv'],
      ['ObjectCreated:CompleteMultipartUpload', 'in/c.csv'],
    ]);
  });

  it('tells a deletion from a delete marker', async () => {
    await put('a');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const { VersionId } = await put('b');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'b', VersionId }));

    const seen = await records();

    expect(seen.map(({ eventName, s3: { object } }) => [eventName, object.key, object.versionId])).toEqual([
      ['ObjectRemoved:Delete', 'a', undefined],
      ['ObjectRemoved:DeleteMarkerCreated', 'b', marker.VersionId],
      ['ObjectRemoved:Delete', 'b', VersionId],
    ]);
    expect(seen[0]?.s3.object).not.toHaveProperty('size');
  });

  it('reaches a topic: tags, and what expired', async () => {
    const Tagging = { TagSet: [{ Key: 'kind', Value: 'hay' }] };
    await put('short/a');
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'short/a', Tagging }));
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'short/a' }));
    await runtime.advance(3 * DAY);

    const messages = await received('told');

    expect(messages[0]).toMatchObject({ Type: 'Notification', Subject: 'Amazon S3 Notification' });
    const seen = messages
      .flatMap(({ Message }) => (JSON.parse(String(Message)) as { Records?: readonly EventRecord[] }).Records ?? [])
      .toSorted((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1));
    expect(seen.map(({ eventName, eventVersion }) => [eventName, eventVersion])).toEqual([
      ['ObjectTagging:Put', '2.3'],
      ['ObjectTagging:Delete', '2.3'],
      ['LifecycleExpiration:Delete', '2.3'],
    ]);
    expect(seen[2]).toMatchObject({ userIdentity: { principalId: 's3.amazonaws.com' } });
  });

  it('invokes a function', async () => {
    await put('out/a');

    expect(await invocations()).toMatchObject([{ eventName: 'ObjectCreated:Put', s3: { object: { key: 'out/a' } } }]);
  });

  it('that the destination does not take any more is lost, and the log says so', async () => {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'seen' }));
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } }));

    await put('in/a.csv');

    expect(await records()).toEqual([]);
    expect(runtime.output()).toContain('S3 could not deliver a notification');
  });
});

describe('a configuration', () => {
  it('is answered as it was put, and tells its destinations that it is there', async () => {
    const configuration: NotificationConfiguration = {
      QueueConfigurations: [
        {
          Id: 'csv',
          QueueArn: queueArn('seen'),
          Events: ['s3:ObjectCreated:Put' as const, 's3:ObjectCreated:Copy' as const],
          Filter: {
            Key: {
              // S3 answers names with a capital, which the SDK's type does not have.
              FilterRules: [
                { Name: 'Prefix' as 'prefix', Value: 'in/' },
                { Name: 'Suffix' as 'suffix', Value: '.csv' },
              ],
            },
          },
        },
      ],
      LambdaFunctionConfigurations: [
        { Id: 'removed', LambdaFunctionArn: functionArn('worker'), Events: ['s3:ObjectRemoved:*' as const] },
      ],
    };
    await received('seen');
    const { $metadata } = await configure(configuration);

    const { $metadata: _, ...answer } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));

    expect(answer).toEqual(configuration);
    expect(await received('seen')).toEqual([
      {
        Service: 'Amazon S3',
        Event: 's3:TestEvent',
        Time: expect.any(String),
        Bucket,
        RequestId: $metadata.requestId,
        HostId: $metadata.extendedRequestId,
      },
    ]);
    await configure({});
    await put('in/a.csv');
    expect(await records()).toEqual([]);
  });

  const rule = (Events: readonly string[], prefix?: string, suffix?: string): NotificationConfiguration => ({
    QueueConfigurations: [
      {
        QueueArn: queueArn('seen'),
        // A list that is not S3's own, too: what is refused is told by the runtime.
        Events: Events as ['s3:ObjectCreated:*'],
        Filter: {
          Key: {
            FilterRules: [
              ...(prefix === undefined ? [] : [{ Name: 'prefix' as const, Value: prefix }]),
              ...(suffix === undefined ? [] : [{ Name: 'suffix' as const, Value: suffix }]),
            ],
          },
        },
      },
    ],
  });
  const both = (a: NotificationConfiguration, b: NotificationConfiguration): NotificationConfiguration => ({
    QueueConfigurations: [...(a.QueueConfigurations ?? []), ...(b.QueueConfigurations ?? [])],
  });
  const created = ['s3:ObjectCreated:*'];

  it('may not have two rules for the same event of the same key', async () => {
    await expect(configure(both(rule(created), rule(['s3:ObjectCreated:Put'])))).rejects.toThrow(
      'cannot share a common event type',
    );
    const ambiguous = 'Cannot have overlapping suffixes in two rules if the prefixes are overlapping';
    await expect(configure(both(rule(created, 'in/'), rule(created, 'in/deep/')))).rejects.toThrow(ambiguous);
    await expect(configure(both(rule(created, 'in/', '.jpg'), rule(created, '', 'pg')))).rejects.toThrow(ambiguous);
    await expect(configure(both(rule(created, 'in/'), rule(created, undefined, '.jpg')))).rejects.toThrow(ambiguous);

    await configure(both(rule(created, 'in/', '.jpg'), rule(created, 'in/', '.png')));
    await configure(both(rule(created, 'in/'), rule(created, 'out/')));
    await configure(both(rule(created), rule(['s3:ObjectRemoved:*'])));
  });

  it('is refused for events that are none, and by name for those that are not emulated', async () => {
    await expect(configure(rule(['s3:ObjectEaten:*']))).rejects.toThrow(
      "The event 's3:ObjectEaten:*' is not supported",
    );
    await expect(configure(rule(['s3:ObjectRestore:*']))).rejects.toThrow(
      'does not emulate notifications of s3:ObjectRestore:*',
    );
    await expect(configure(rule([]))).rejects.toMatchObject({ name: 'MalformedXML' });
    const twice = {
      Key: {
        FilterRules: [
          { Name: 'prefix' as const, Value: 'a' },
          { Name: 'prefix' as const, Value: 'b' },
        ],
      },
    };
    await expect(
      configure({
        QueueConfigurations: [{ QueueArn: queueArn('seen'), Events: ['s3:ObjectCreated:*'], Filter: twice }],
      }),
    ).rejects.toThrow('more than one prefix rule');
  });

  it.each([
    ['closed', 'Permissions on the destination queue do not allow S3 to publish notifications from this bucket'],
    ['missing', 'The destination queue does not exist'],
  ])('is refused for the queue %s, and changes nothing', async (name, reason) => {
    const before = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    const Events = ['s3:ObjectCreated:*' as const];
    const configuration = { QueueConfigurations: [{ QueueArn: queueArn(name), Events }] };

    await expect(configure(configuration)).rejects.toMatchObject({
      name: 'InvalidArgument',
      message: 'Unable to validate the following destination configurations',
      ArgumentName1: queueArn(name),
      ArgumentValue1: expect.stringContaining(reason),
    });

    const after = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(after.QueueConfigurations).toEqual(before.QueueConfigurations);
    await configure(configuration, { SkipDestinationValidation: true });
  });

  it('is refused for a function that S3 may not invoke, and for an ARN of another kind or Region', async () => {
    const Events = ['s3:ObjectCreated:*' as const];
    const fn = (LambdaFunctionArn: string) =>
      configure({ LambdaFunctionConfigurations: [{ LambdaFunctionArn, Events }] });

    await expect(fn(functionArn('stranger'))).rejects.toMatchObject({
      ArgumentValue1: `Not authorized to invoke function [${functionArn('stranger')}]`,
    });
    await expect(fn(queueArn('seen'))).rejects.toThrow('The ARN could not be parsed');
    await expect(fn(functionArn('worker').replace('us-east-1', 'eu-west-1'))).rejects.toThrow(
      'region is not valid for the bucket location constraint',
    );
  });
});
