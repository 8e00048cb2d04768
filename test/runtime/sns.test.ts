/** Amazon SNS through the SDK: to queues, to functions, and into the outbox. */

import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  NotFoundException,
  PublishBatchCommand,
  PublishCommand,
  type PublishCommandInput,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const letIn = (queue: string) => ({
  Queues: [{ Ref: queue }],
  PolicyDocument: {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: arnOf(queue),
        Condition: { ArnEquals: { 'aws:SourceArn': { Ref: 'News' } } },
      },
    ],
  },
});

const subscription = (Protocol: string, Endpoint: unknown, more: object = {}) => ({
  TopicArn: { Ref: 'News' },
  Protocol,
  Endpoint,
  ...more,
});

const assembly = new Assembly()
  .add('News', 'AWS::SNS::Topic', { TopicName: 'news' })
  .add('Wrapped', 'AWS::SQS::Queue', { QueueName: 'wrapped' })
  .add('WrappedPolicy', 'AWS::SQS::QueuePolicy', letIn('Wrapped'))
  .add('Raw', 'AWS::SQS::Queue', { QueueName: 'raw' })
  .add('RawPolicy', 'AWS::SQS::QueuePolicy', letIn('Raw'))
  .add('Closed', 'AWS::SQS::Queue', { QueueName: 'closed' })
  .add('Dead', 'AWS::SQS::Queue', { QueueName: 'dead' })
  .add('DeadPolicy', 'AWS::SQS::QueuePolicy', letIn('Dead'))
  .addFunction('reader', {
    code: `exports.handler = async (event) => { process.stdout.write('got ' + JSON.stringify(event) + '\\n'); };`,
  })
  .add('Permission', 'AWS::Lambda::Permission', {
    FunctionName: { Ref: 'reader' },
    Action: 'lambda:InvokeFunction',
    Principal: 'sns.amazonaws.com',
    SourceArn: { Ref: 'News' },
  })
  .add('ToWrapped', 'AWS::SNS::Subscription', subscription('sqs', arnOf('Wrapped')))
  .add('ToRaw', 'AWS::SNS::Subscription', subscription('sqs', arnOf('Raw'), { RawMessageDelivery: true }))
  .add(
    'ToClosed',
    'AWS::SNS::Subscription',
    subscription('sqs', arnOf('Closed'), { RedrivePolicy: { deadLetterTargetArn: arnOf('Dead') } }),
  )
  .add('ToReader', 'AWS::SNS::Subscription', subscription('lambda', arnOf('reader')))
  .add('ToFarmer', 'AWS::SNS::Subscription', subscription('email', 'farmer@example.org'));

let runtime: Runtime;
let sns: SNSClient;
let sqs: SQSClient;
let TopicArn: string;

beforeAll(async () => {
  runtime = await assembly.start();
  sns = new SNSClient(runtime.config);
  sqs = new SQSClient(runtime.config);
  TopicArn = `arn:aws:sns:us-east-1:${runtime.endpoints.accountId}:news`;
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

async function publish(more: Partial<PublishCommandInput> = {}): Promise<string | undefined> {
  const { MessageId } = await sns.send(new PublishCommand({ TopicArn, Message: 'eggs', ...more }));
  await runtime.advance(0);
  return MessageId;
}

async function receive(QueueName: string) {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
  return (await sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
}

describe('a published message', () => {
  it('reaches queues, wrapped and raw, with its attributes', async () => {
    const MessageAttributes = { colour: { DataType: 'String', StringValue: 'blue' } };

    const MessageId = await publish({ Subject: 'News', MessageAttributes });

    const [wrapped] = await receive('wrapped');
    expect(JSON.parse(wrapped?.Body ?? '')).toMatchObject({
      Type: 'Notification',
      MessageId,
      TopicArn,
      Subject: 'News',
      Message: 'eggs',
      MessageAttributes: { colour: { Type: 'String', Value: 'blue' } },
    });
    const [raw] = await receive('raw');
    expect(raw?.Body).toBe('eggs');
    expect(raw?.MessageAttributes).toMatchObject(MessageAttributes);
  });

  it('reaches functions', async () => {
    const MessageId = await publish({ Subject: 'News' });

    const logs = new CloudWatchLogsClient(runtime.config);
    const input = { logGroupName: '/aws/lambda/reader', filterPattern: 'got' };
    const { events = [] } = await logs.send(new FilterLogEventsCommand(input));
    expect(JSON.parse(events[0]?.message?.slice(4) ?? '')).toMatchObject({
      Records: [{ EventSource: 'aws:sns', Sns: { MessageId, TopicArn, Subject: 'News', Message: 'eggs' } }],
    });
  });

  it('for a queue that does not let the topic in goes to the dead-letter queue of the subscription', async () => {
    await publish();

    expect(await receive('closed')).toEqual([]);
    expect(JSON.parse((await receive('dead'))[0]?.Body ?? '')).toMatchObject({ Message: 'eggs' });
    expect(runtime.output()).toMatch(
      /sns\.amazonaws\.com is not authorized to perform: sqs:SendMessage on resource: [^ ]+:closed/,
    );
  });

  it('for people stays in the outbox, in the words for their protocol', async () => {
    await runtime.advance(0);
    const [{ details = {} } = {}] = await runtime.outbox();
    await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: details.confirmationToken }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sms', Endpoint: '+491234567' }));
    const Message = JSON.stringify({ default: 'eggs', email: 'Dear farmer' });

    await publish({ Message, MessageStructure: 'json', Subject: 'News' });
    await sns.send(new PublishCommand({ PhoneNumber: '+491234568', Message: 'urgent eggs' }));

    const sms = { channel: 'sms', subject: null };
    const sent = (await runtime.outbox(1)).toSorted((a, b) => a.destination.localeCompare(b.destination));
    expect(sent).toMatchObject([
      { ...sms, destination: '+491234567', topic: TopicArn, message: 'eggs' },
      { ...sms, destination: '+491234568', topic: null, message: 'urgent eggs' },
      { channel: 'email', destination: 'farmer@example.org', topic: TopicArn, subject: 'News', message: 'Dear farmer' },
    ]);
  });

  it('reaches a mail address only after its owner has confirmed', async () => {
    await publish();

    const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions.find(({ Protocol }) => Protocol === 'email')?.SubscriptionArn).toBe('PendingConfirmation');
    const mails = await runtime.outbox();
    expect(mails.map(({ subject }) => subject)).toEqual(['AWS Notification - Subscription Confirmation']);
  });

  it('may come in a batch', async () => {
    const PublishBatchRequestEntries = [
      { Id: 'a', Message: 'one' },
      { Id: 'b', Message: 'x'.repeat(300_000) },
    ];

    const { Successful, Failed } = await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
    await runtime.advance(0);

    expect(Successful?.map(({ Id }) => Id)).toEqual(['a']);
    expect(Failed).toMatchObject([{ Id: 'b', Code: 'InvalidParameter' }]);
    expect((await receive('raw')).map(({ Body }) => Body)).toEqual(['one']);
  });

  it.each([
    [{ TopicArn: 'arn:aws:sns:us-east-1:123456789012:none' }, NotFoundException],
    [{ Message: 'x'.repeat(262_145) }, /too long/],
    [{ Subject: 'two\nlines' }, /Subject/],
    [{ MessageStructure: 'json' }, /JSON message body failed to parse/],
  ])('with %j is refused', async (more, error) => {
    await expect(publish(more)).rejects.toThrow(error as RegExp);
  });
});

describe('topics', () => {
  it('are created once, listed, and have the policy of AWS', async () => {
    const again = await sns.send(new CreateTopicCommand({ Name: 'news' }));

    expect(again.TopicArn).toBe(TopicArn);
    expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn }]);
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
    expect(Attributes).toMatchObject({ SubscriptionsConfirmed: '4', SubscriptionsPending: '1' });
    expect(JSON.parse(Attributes?.Policy ?? '')).toMatchObject({ Id: '__default_policy_ID' });
  });

  it('are the same again with the same attributes and tags only', async () => {
    const create = (SignatureVersion: string, Value = 'farm') => {
      const Tags = [{ Key: 'team', Value }];
      return sns.send(new CreateTopicCommand({ Name: 'eggs', Attributes: { SignatureVersion }, Tags }));
    };
    const { TopicArn: first } = await create('2');

    expect((await create('2')).TopicArn).toBe(first);
    expect((await sns.send(new CreateTopicCommand({ Name: 'eggs' }))).TopicArn).toBe(first);
    await expect(create('1')).rejects.toThrow('Topic already exists with different attributes');
    await expect(create('2', 'town')).rejects.toThrow('Topic already exists with different tags');
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: first }));
    expect(Attributes).toMatchObject({ SignatureVersion: '2' });
  });

  it('are not there when one of their attributes is wrong', async () => {
    const create = new CreateTopicCommand({ Name: 'late', Attributes: { SignatureVersion: '3' } });
    await expect(sns.send(create)).rejects.toThrow('SignatureVersion');

    const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
    expect(Topics.map((each) => each.TopicArn)).not.toContainEqual(expect.stringMatching(/:late$/));
  });

  it('take no policy that cannot be evaluated', async () => {
    const Statement = { Effect: 'Allow', Action: 'sns:Publish', Resource: '*' };
    const AttributeValue = JSON.stringify({ Version: '2012-10-17', Statement });
    const set = new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue });

    await expect(sns.send(set)).rejects.toThrow(/Policy: .*needs a Principal/);
  });

  it('forget who unsubscribes', async () => {
    const Endpoint = '+4912345';
    const { SubscriptionArn } = await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sms', Endpoint }));
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));

    const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions.map((each) => each.Endpoint)).not.toContain(Endpoint);
  });

  it.each([
    [{ Protocol: 'pigeon', Endpoint: 'loft' }, /protocol string: pigeon/],
    [{ Protocol: 'sqs', Endpoint: 'queue' }, /Endpoint/],
    [{ Protocol: 'email', Endpoint: 'a@b', Attributes: { SubscriptionRoleArn: 'x' } }, /SubscriptionRoleArn/],
    [{ Protocol: 'email', Endpoint: 'a@b', Attributes: { FilterPolicy: '{"a":1}' } }, /FilterPolicy: "a" must be/],
    [{ Protocol: 'email', Endpoint: 'a@b', Attributes: { RawMessageDelivery: 'true' } }, /raw message delivery/],
    [{ Protocol: 'application', Endpoint: 'x' }, /Endpoint "x" for protocol application/],
    [{ Protocol: 'firehose', Endpoint: 'arn:aws:firehose:x' }, /protocol firehose/],
  ])('refuse the subscription %j', async (input, error) => {
    await expect(sns.send(new SubscribeCommand({ TopicArn, ...input }))).rejects.toThrow(error);
  });
});
