/** Event source mappings: what a function gets from a stream or a queue, and what happens when it fails. */
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import {
  CreateEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf, type Statement } from './lambda-fixture.ts';

/**
 * Logs the batch it got; then throws if it holds `throw`, reports the items that hold `bad`, answers nonsense for
 * `malformed`, and fails once for `once`.
 */
const worker = `
  const seen = new Set();
  exports.handler = async ({ Records }) => {
    const items = Records.map((each) => ({
      id: each.messageId ?? each.kinesis.sequenceNumber,
      text: each.body ?? Buffer.from(each.kinesis.data, 'base64').toString(),
    }));
    process.stdout.write('batch ' + items.map(({ text }) => text).join(',') + '\\n');
    const has = (word) => items.filter(({ text }) => text.includes(word));
    if (has('throw').length > 0) throw new Error('cannot');
    const [first] = has('once').filter(({ id }) => !seen.has(id));
    if (first) { seen.add(first.id); throw new Error('not yet'); }
    if (has('malformed').length > 0) return { batchItemFailures: [{ itemIdentifier: '' }] };
    return { batchItemFailures: has('bad').map(({ id }) => ({ itemIdentifier: id })) };
  };`;

const readStream = (stream: string): Statement => ({
  Action: [
    'kinesis:DescribeStream',
    'kinesis:DescribeStreamSummary',
    'kinesis:GetRecords',
    'kinesis:GetShardIterator',
    'kinesis:ListShards',
  ],
  Resource: arnOf(stream),
});
const readQueue = (queue: string): Statement => ({
  Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
  Resource: arnOf(queue),
});
const sendTo = (queue: string): Statement => ({ Action: 'sqs:SendMessage', Resource: arnOf(queue) });

function addStreamFunction(assembly: Assembly, id: string, settings: Readonly<Record<string, unknown>>): void {
  assembly
    .add(`${id}Stream`, 'AWS::Kinesis::Stream', { Name: id, ShardCount: 1 })
    .addFunction(id, { code: worker, allow: [readStream(`${id}Stream`), sendTo('Given')] })
    .add(`${id}Mapping`, 'AWS::Lambda::EventSourceMapping', {
      EventSourceArn: arnOf(`${id}Stream`),
      FunctionName: { Ref: id },
      StartingPosition: 'LATEST',
      DestinationConfig: { OnFailure: { Destination: arnOf('Given') } },
      ...settings,
    });
}

function addQueueFunction(assembly: Assembly, id: string, settings: Readonly<Record<string, unknown>>): void {
  const RedrivePolicy = { deadLetterTargetArn: arnOf('Dead'), maxReceiveCount: 2 };
  assembly
    .add(`${id}Queue`, 'AWS::SQS::Queue', { QueueName: id, VisibilityTimeout: 30, RedrivePolicy })
    .addFunction(id, { code: worker, allow: [readQueue(`${id}Queue`)] })
    .add(`${id}Mapping`, 'AWS::Lambda::EventSourceMapping', {
      EventSourceArn: arnOf(`${id}Queue`),
      FunctionName: { Ref: id },
      ...settings,
    });
}

const assembly = new Assembly()
  .add('Given', 'AWS::SQS::Queue', { QueueName: 'given-up' })
  .add('Dead', 'AWS::SQS::Queue', { QueueName: 'dead' });
addStreamFunction(assembly, 'plain', { BatchSize: 3, MaximumRetryAttempts: 2 });
addStreamFunction(assembly, 'window', { BatchSize: 100, MaximumBatchingWindowInSeconds: 30 });
addStreamFunction(assembly, 'bisect', { MaximumRetryAttempts: 1, BisectBatchOnFunctionError: true });
addStreamFunction(assembly, 'report', {
  MaximumRetryAttempts: 1,
  FunctionResponseTypes: ['ReportBatchItemFailures'],
});
addStreamFunction(assembly, 'isolate', {
  MaximumRetryAttempts: 1,
  BisectBatchOnFunctionError: true,
  FunctionResponseTypes: ['ReportBatchItemFailures'],
});
addStreamFunction(assembly, 'aging', { BatchSize: 1, MaximumRecordAgeInSeconds: 60 });
addStreamFunction(assembly, 'lanes', { ParallelizationFactor: 4, MaximumRetryAttempts: 1 });
const filter = (pattern: object) => ({ FilterCriteria: { Filters: [{ Pattern: JSON.stringify(pattern) }] } });
addStreamFunction(assembly, 'filtered', filter({ data: { kind: ['wanted'] } }));
addQueueFunction(assembly, 'chosen', filter({ body: { kind: [{ prefix: 'want' }] } }));
addQueueFunction(assembly, 'jobs', {});
addQueueFunction(assembly, 'partial', { FunctionResponseTypes: ['ReportBatchItemFailures'] });
addQueueFunction(assembly, 'bulk', { BatchSize: 25, MaximumBatchingWindowInSeconds: 20 });
assembly
  .add('OtherStream', 'AWS::Kinesis::Stream', { Name: 'other', ShardCount: 1 })
  .add('SlowQueue', 'AWS::SQS::Queue', { QueueName: 'short', VisibilityTimeout: 2 })
  .addFunction('stranger', { code: worker, allow: [readQueue('SlowQueue')] });

let runtime: Runtime;
let lambda: LambdaClient;
let kinesis: KinesisClient;
let sqs: SQSClient;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  runtime = await assembly.start();
  lambda = new LambdaClient(runtime.config);
  kinesis = new KinesisClient(runtime.config);
  sqs = new SQSClient(runtime.config);
  logs = new CloudWatchLogsClient(runtime.config);
});
afterAll(async () => {
  kinesis.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

async function put(StreamName: string, texts: readonly string[], key: (text: string) => string = () => 'k') {
  const Records = texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: key(text) }));
  const { Records: results = [] } = await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
  return results.map(({ SequenceNumber = '' }) => SequenceNumber);
}

async function send(QueueName: string, texts: readonly string[]): Promise<void> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  for (let at = 0; at < texts.length; at += 10) {
    const Entries = texts.slice(at, at + 10).map((MessageBody, index) => ({ Id: `m${index}`, MessageBody }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  }
}

/** The batches that the function got, in order: `['a,b', 'c']`. */
async function batches(name: string): Promise<string[]> {
  await runtime.advance(0);
  const input = { logGroupName: `/aws/lambda/${name}`, filterPattern: '"batch "' };
  const { events = [] } = await logs.send(new FilterLogEventsCommand(input)).catch((error) => {
    // A function that never ran has no log group.
    if (error instanceof ResourceNotFoundException) return { events: [] };
    throw error;
  });
  return events.map(({ message = '' }) => message.trim().replace('batch ', ''));
}

async function receive(QueueName: string): Promise<Record<string, never>[]> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => (Body.startsWith('{') ? JSON.parse(Body) : Body));
}

async function count(QueueName: string): Promise<number> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
  );
  return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}

const kinds = ['wanted', 'other', 'wanted'].map((kind, index) => JSON.stringify({ kind, index }));

describe('a filter', () => {
  it('lets through the records of a stream whose data it matches', async () => {
    await put('filtered', ['wanted', ...kinds]);

    expect(await batches('filtered')).toEqual([`${kinds[0]},${kinds[2]}`]);
  });

  it('lets through the messages of a queue whose body it matches, and deletes the others', async () => {
    await send('chosen', ['wanted', ...kinds]);

    expect(
      (await batches('chosen'))
        .join(',')
        .split(/,(?={)/)
        .toSorted(),
    ).toEqual([kinds[0], kinds[2]]);
    expect(await count('chosen')).toBe(0);
  });
});

describe('a stream', () => {
  it('is read in order, in batches of the given size', async () => {
    await put('plain', ['a', 'b', 'c', 'd', 'e', 'f', 'g']);

    expect(await batches('plain')).toEqual(['a,b,c', 'd,e,f', 'g']);
  });

  it('still is read after its iterator has expired', async () => {
    await runtime.advance(3600);
    await put('plain', ['a']);
    expect(await batches('plain')).toEqual(['a']);
    await runtime.advance(3600);
    await put('plain', ['b']);

    expect(await batches('plain')).toEqual(['a', 'b']);
  });

  it('gathers records for the batching window', async () => {
    await put('window', ['a']);
    await put('window', ['b']);
    expect(await batches('window')).toEqual([]);

    await runtime.advance(30);

    expect(await batches('window')).toEqual(['a,b']);
  });

  it('waits behind a batch that fails, and goes on when it succeeds', async () => {
    await put('plain', ['once', 'b', 'c', 'd']);
    expect(await batches('plain')).toEqual(['once,b,c']);

    await runtime.advance(10);

    expect(await batches('plain')).toEqual(['once,b,c', 'once,b,c', 'd']);
    expect(await receive('given-up')).toEqual([]);
  });

  it('gives a batch up after its retries and tells the destination its position', async () => {
    const [first, , third] = await put('plain', ['throw', 'b', 'c', 'd']);
    await runtime.advance(60);

    expect(await batches('plain')).toEqual([...Array(3).fill('throw,b,c'), 'd']);
    const [message] = await receive('given-up');
    expect(message).toMatchObject({
      requestContext: {
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
        functionArn: expect.stringContaining(':function:plain'),
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      KinesisBatchInfo: {
        shardId: 'shardId-000000000000',
        startSequenceNumber: first,
        endSequenceNumber: third,
        batchSize: 3,
        streamArn: expect.stringContaining(':stream/plain'),
      },
    });
  });

  it('halves a failing batch until the poison is alone, without spending retries on it', async () => {
    const numbers = await put('bisect', ['a', 'b', 'throw', 'd', 'e']);
    await runtime.advance(60);

    const tried = await batches('bisect');
    expect(tried.slice(0, 4)).toEqual(['a,b,throw,d,e', 'a,b,throw', 'a,b', 'throw']);
    expect(tried.filter((each) => each === 'throw')).toHaveLength(2);
    expect(tried.at(-1)).toBe('d,e');
    const given = await receive('given-up');
    expect(given).toMatchObject([{ KinesisBatchInfo: { startSequenceNumber: numbers[2], batchSize: 1 } }]);
  });

  it('tries again from the lowest record that was reported', async () => {
    await put('report', ['a', 'b', 'bad', 'd']);
    await runtime.advance(60);

    expect(await batches('report')).toEqual(['a,b,bad,d', 'bad,d']);
    expect(await receive('given-up')).toMatchObject([{ KinesisBatchInfo: { batchSize: 2 } }]);
  });

  it('takes a malformed report for the failure of the whole batch', async () => {
    await put('report', ['a', 'malformed']);
    await runtime.advance(60);

    expect(await batches('report')).toEqual(['a,malformed', 'a,malformed']);
  });

  it.each([0, 1, 2, 3, 4])('isolates a reported record at position %i, and processes all others', async (position) => {
    const texts = ['a', 'b', 'c', 'd', 'e'].map((text, at) => (at === position ? 'bad' : text));
    const numbers = await put('isolate', texts);
    await runtime.advance(60);

    const given = await receive('given-up');
    expect(given).toMatchObject([{ KinesisBatchInfo: { startSequenceNumber: numbers[position], batchSize: 1 } }]);
    const processed = new Set((await batches('isolate')).flatMap((each) => each.split(',')));
    expect(processed).toEqual(new Set(texts));
  });

  it('gives up records that are too old', async () => {
    await put('aging', ['throw', 'b']);
    await runtime.advance(120);

    const given = await receive('given-up');
    expect(given.map((each) => Object(each).requestContext.condition)).toEqual([
      'RecordAgeExceeded',
      'RecordAgeExceeded',
    ]);
    await put('aging', ['c']);
    expect((await batches('aging')).at(-1)).toBe('c');
  });

  it('with a parallelization factor keeps the order of each key while another key fails', async () => {
    const texts = Array.from({ length: 40 }, (_, at) => `k${at % 8}-${at}${at === 0 ? '-throw' : ''}`);
    await put('lanes', texts, (text) => text.split('-')[0] ?? '');

    const early = (await batches('lanes')).flatMap((each) => each.split(','));
    await runtime.advance(60);
    const all = (await batches('lanes')).flatMap((each) => each.split(','));

    expect(early.some((each) => each.startsWith('k1-'))).toBe(true);
    for (let key = 1; key < 8; key += 1) {
      const numbers = [...new Set(all.filter((each) => each.startsWith(`k${key}-`)))].map((each) =>
        Number(each.split('-')[1]),
      );
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it('rests while its mapping is disabled, and nothing of it is lost', async () => {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: 'plain' }),
    );
    const UUID = EventSourceMappings[0]?.UUID;
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await put('plain', ['a']);
    await runtime.advance(600);
    expect(await batches('plain')).toEqual([]);

    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));

    expect(await batches('plain')).toEqual(['a']);
  });
});

describe('a queue', () => {
  it('is emptied when the function succeeds', async () => {
    await send('jobs', ['a', 'b', 'c']);

    expect((await batches('jobs')).flatMap((each) => each.split(',')).toSorted()).toEqual(['a', 'b', 'c']);
    expect(await count('jobs')).toBe(0);
  });

  it('keeps a batch that failed for the visibility timeout, and moves it to the dead-letter queue in the end', async () => {
    await send('jobs', ['throw']);
    expect(await count('jobs')).toBe(1);

    await runtime.advance(61);

    expect(await batches('jobs')).toEqual(['throw', 'throw']);
    expect(await count('jobs')).toBe(0);
    expect(await receive('dead')).toEqual(['throw']);
  });

  it('gets only those messages back that were reported', async () => {
    await send('partial', ['a', 'bad', 'c']);
    await runtime.advance(0);
    expect(await count('partial')).toBe(1);

    await runtime.advance(61);

    expect(await receive('dead')).toEqual(['bad']);
    expect((await batches('partial')).filter((each) => each === 'bad')).toHaveLength(1);
  });

  it('gets all messages back when the report is malformed', async () => {
    await send('partial', ['malformed', 'a']);
    await runtime.advance(0);

    expect(await count('partial')).toBe(2);
  });

  it('gathers more than ten messages for a window', async () => {
    await send(
      'bulk',
      Array.from({ length: 12 }, (_, at) => `m${at}`),
    );
    expect(await batches('bulk')).toEqual([]);

    await runtime.advance(20);

    const got = await batches('bulk');
    expect(got).toHaveLength(1);
    expect(got[0]?.split(',')).toHaveLength(12);
    expect(await count('bulk')).toBe(0);
  });
});

describe('a mapping', () => {
  const create = (EventSourceArn: string, more: object = {}) =>
    lambda.send(new CreateEventSourceMappingCommand({ FunctionName: 'stranger', EventSourceArn, ...more }));
  const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${runtime.endpoints.accountId}:${name}`;

  it('is refused when the role of the function may not read the source', async () => {
    await expect(create(arn('kinesis', 'stream/other'), { StartingPosition: 'LATEST' })).rejects.toThrow(
      /does not have permissions to call DescribeStream.*stranger-role.*kinesis:DescribeStream on resource/,
    );
  });

  it('is refused when messages would come back before the function has timed out', async () => {
    await expect(create(arn('sqs', 'short'))).rejects.toThrow(
      'Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds',
    );
  });

  it.each([
    [{ FilterCriteria: { Filters: [{ Pattern: '{"body": 1}' }] } }, /Invalid filter pattern definition/],
    [{ TumblingWindowInSeconds: 60 }, /TumblingWindowInSeconds/],
    [{ BatchSize: 11 }, /Maximum batch window/],
    [{ MaximumRetryAttempts: 1 }, /for streams only/],
  ])('with %j is refused by name', async (more, message) => {
    await expect(create(arn('sqs', 'short'), more)).rejects.toThrow(message);
  });
});
