/** Harm to what queues and streams hand out. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { FaultOf } from '../../support/faults.ts';
import type { Runtime } from '../../support/runtime.ts';
import { Assembly, arnOf } from '../lambda-fixture.ts';

/** Logs what it gets, in order. */
const listener = `
  exports.handler = async ({ Records }) => {
    const textOf = ({ body, kinesis, dynamodb }) =>
      body ?? dynamodb?.Keys.pk.S ?? Buffer.from(kinesis.data, 'base64').toString();
    const texts = Records.map(textOf);
    process.stdout.write('got ' + texts.join(',') + '\\n');
  };`;
const read = (...actions: readonly string[]) => ({ Action: actions, Resource: '*' });

const assembly = new Assembly()
  .add('Jobs', 'AWS::SQS::Queue', { QueueName: 'jobs', VisibilityTimeout: 30 })
  .add('Read', 'AWS::SQS::Queue', { QueueName: 'read', VisibilityTimeout: 30 })
  .add('Readings', 'AWS::Kinesis::Stream', { Name: 'readings', ShardCount: 1 })
  .addFunction('worker', {
    code: listener,
    allow: [
      read('sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'),
      read('kinesis:DescribeStream', 'kinesis:DescribeStreamSummary', 'kinesis:GetRecords'),
      read('kinesis:GetShardIterator', 'kinesis:ListShards'),
      read('dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'),
    ],
  })
  .add('Things', 'AWS::DynamoDB::Table', {
    TableName: 'things',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    StreamSpecification: { StreamViewType: 'KEYS_ONLY' },
  })
  .add('FromTable', 'AWS::Lambda::EventSourceMapping', {
    EventSourceArn: { 'Fn::GetAtt': ['Things', 'StreamArn'] },
    FunctionName: { Ref: 'worker' },
    StartingPosition: 'LATEST',
    BatchSize: 1,
  })
  .add('FromQueue', 'AWS::Lambda::EventSourceMapping', {
    EventSourceArn: arnOf('Read'),
    FunctionName: { Ref: 'worker' },
    BatchSize: 1,
  })
  .add('FromStream', 'AWS::Lambda::EventSourceMapping', {
    EventSourceArn: arnOf('Readings'),
    FunctionName: { Ref: 'worker' },
    StartingPosition: 'LATEST',
    BatchSize: 2,
  });

let runtime: Runtime;
let sqs: SQSClient;
let kinesis: KinesisClient;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  runtime = await assembly.start();
  sqs = new SQSClient(runtime.config);
  kinesis = new KinesisClient(runtime.config);
  logs = new CloudWatchLogsClient(runtime.config);
});
afterAll(async () => {
  kinesis.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

async function urlOf(QueueName: string): Promise<string> {
  return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
}

async function send(QueueName: string, ...bodies: readonly string[]): Promise<void> {
  const QueueUrl = await urlOf(QueueName);
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
}

async function receive(MaxNumberOfMessages = 10): Promise<readonly Message[]> {
  const input = { QueueUrl: await urlOf('jobs'), MaxNumberOfMessages, MessageSystemAttributeNames: ['All' as const] };
  return (await sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
}

async function remove({ ReceiptHandle }: Message): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: await urlOf('jobs'), ReceiptHandle }));
}

const bodies = (messages: readonly Message[]) => messages.map(({ Body }) => Body);

/** What the function has got, batch by batch. */
async function got(): Promise<readonly string[]> {
  await runtime.advance(0);
  const input = { logGroupName: '/aws/lambda/worker', filterPattern: '"got "' };
  const { events = [] } = await logs.send(new FilterLogEventsCommand(input));
  return events.map(({ message = '' }) => message.trim().slice(4));
}

function harm(fault: Omit<FaultOf<'queue-delivery'>, 'at' | 'match'>, queue = 'jobs'): Promise<unknown> {
  return runtime.faults([{ at: 'queue-delivery', match: { queue }, ...fault }]);
}

describe('a message of a queue', () => {
  it('is handed out a second time while the first receiver works, and after it was deleted', async () => {
    // GIVEN
    await harm({ do: 'duplicate', times: 1 });
    await send('jobs', 'a');

    // WHEN
    const [first] = await receive();
    await runtime.advance(0);
    if (first) await remove(first);
    const [second] = await receive();

    // THEN
    expect(second).toMatchObject({ MessageId: first?.MessageId, Body: 'a' });
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
    if (second) await remove(second);
    await runtime.advance(60);
    expect(await receive()).toEqual([]);
  });

  it('is delayed by virtual time, once', async () => {
    await harm({ do: 'delay', delaySeconds: 300, times: 1 });
    await send('jobs', 'a');

    expect(await receive()).toEqual([]);
    await runtime.advance(299);
    expect(await receive()).toEqual([]);
    await runtime.advance(1);
    const [message] = await receive();
    expect(message).toMatchObject({ Body: 'a', Attributes: { ApproximateReceiveCount: '1' } });
  });

  it('comes after the next one', async () => {
    await harm({ do: 'reorder', times: 1 });
    await send('jobs', 'a', 'b', 'c');

    const order = [...(await receive(1)), ...(await receive(1)), ...(await receive(1))];

    expect(bodies(order)).toEqual(['b', 'c', 'a']);
  });

  it('that is held back comes by the time when no other follows, and when harm ends', async () => {
    await harm({ do: 'reorder', delaySeconds: 60 });
    await send('jobs', 'a');
    expect(await receive()).toEqual([]);
    await runtime.advance(60);
    expect(bodies(await receive())).toEqual(['a']);

    await send('jobs', 'b');
    expect(await receive()).toEqual([]);
    await runtime.faults([]);
    expect(bodies(await receive())).toEqual(['b']);
  });

  it('of another queue is left alone, and none is lost', async () => {
    await harm({ do: 'delay', delaySeconds: 60 }, 'read');
    await send('jobs', 'a');

    expect(bodies(await receive())).toEqual(['a']);
    const input = { QueueUrl: await urlOf('jobs'), AttributeNames: ['All' as const] };
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand(input));
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '1' });
  });

  it('reaches a function twice', async () => {
    await harm({ do: 'duplicate' }, 'read');

    await send('read', 'a', 'b');

    expect([...(await got())].sort()).toEqual(['a', 'a', 'b', 'b']);
  });
});

it('a batch of a stream comes once more, before those behind it', async () => {
  // GIVEN
  await runtime.faults([{ at: 'stream-delivery', match: { stream: 'readings' }, do: 'duplicate', times: 1 }]);
  const Records = ['a', 'b', 'c'].map((text) => ({ Data: Buffer.from(text), PartitionKey: 'k' }));

  // WHEN
  await kinesis.send(new PutRecordsCommand({ StreamName: 'readings', Records }));

  // THEN
  expect(await got()).toEqual(['a,b', 'a,b', 'c']);
});

it('a batch of a table stream comes once more', async () => {
  await runtime.faults([{ at: 'stream-delivery', match: { stream: 'things' }, do: 'duplicate', skip: 1, times: 1 }]);
  const tables = new DynamoDBClient(runtime.config);

  for (const S of ['a', 'b']) {
    await tables.send(new PutItemCommand({ TableName: 'things', Item: { pk: { S } } }));
    await runtime.advance(0);
  }

  expect(await got()).toEqual(['a', 'b', 'b']);
});
