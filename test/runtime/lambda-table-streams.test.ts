/** The stream of a table as an event source: what the function gets, and what happens when it fails. */
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf, type Statement } from './lambda-fixture.ts';

const HOUR = 3600;

/**
 * Logs the batch it got: `+a` inserted, `~a` changed, `-a` removed, `!a` expired. Then throws if one is `throw`, and
 * reports those that are `bad`.
 */
const worker = `
  const SIGNS = { INSERT: '+', MODIFY: '~', REMOVE: '-' };
  exports.handler = async (event) => {
    const items = event.Records.map(({ eventName, dynamodb, userIdentity }) => ({
      id: dynamodb.SequenceNumber,
      text: (userIdentity?.principalId === 'dynamodb.amazonaws.com' ? '!' : SIGNS[eventName]) + dynamodb.Keys.pk.S,
    }));
    process.stdout.write('batch ' + items.map(({ text }) => text).join(',') + '\\n');
    process.stdout.write('event ' + JSON.stringify(event) + '\\n');
    const has = (word) => items.filter(({ text }) => text.includes(word));
    if (has('throw').length > 0) throw new Error('cannot');
    return { batchItemFailures: has('bad').map(({ id }) => ({ itemIdentifier: id })) };
  };`;

const streamOf = (table: string): unknown => ({ 'Fn::GetAtt': [table, 'StreamArn'] });
const readStream = (table: string): Statement => ({
  Action: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
  Resource: streamOf(table),
});

function tableProperties(TableName: string): Readonly<Record<string, unknown>> {
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  };
}

function addReader(assembly: Assembly, id: string, settings: Readonly<Record<string, unknown>>): void {
  assembly
    .add(`${id}Table`, 'AWS::DynamoDB::Table', tableProperties(id))
    .addFunction(id, {
      code: worker,
      allow: [readStream(`${id}Table`), { Action: 'sqs:SendMessage', Resource: arnOf('Given') }],
    })
    .add(`${id}Mapping`, 'AWS::Lambda::EventSourceMapping', {
      EventSourceArn: streamOf(`${id}Table`),
      FunctionName: { Ref: id },
      StartingPosition: 'LATEST',
      DestinationConfig: { OnFailure: { Destination: arnOf('Given') } },
      ...settings,
    });
}

const byTimeToLive = JSON.stringify({
  userIdentity: { type: ['Service'], principalId: ['dynamodb.amazonaws.com'] },
});
const assembly = new Assembly().add('Given', 'AWS::SQS::Queue', { QueueName: 'given-up' });
addReader(assembly, 'plain', { BatchSize: 2, MaximumRetryAttempts: 2 });
addReader(assembly, 'window', { MaximumBatchingWindowInSeconds: 30 });
addReader(assembly, 'report', { MaximumRetryAttempts: 1, FunctionResponseTypes: ['ReportBatchItemFailures'] });
addReader(assembly, 'bisect', { MaximumRetryAttempts: 1, BisectBatchOnFunctionError: true });
addReader(assembly, 'lanes', { ParallelizationFactor: 4, MaximumRetryAttempts: 1 });
addReader(assembly, 'expired', { FilterCriteria: { Filters: [{ Pattern: byTimeToLive }] } });
assembly
  .add('GlobalTable', 'AWS::DynamoDB::GlobalTable', {
    ...tableProperties('global'),
    Replicas: [{ Region: 'us-east-1' }],
  })
  .addFunction('stranger', { code: worker });

let runtime: Runtime;
let client: DynamoDBClient;
let lambda: LambdaClient;

beforeAll(async () => {
  runtime = await assembly.start();
  client = new DynamoDBClient(runtime.config);
  lambda = new LambdaClient(runtime.config);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

type Attributes = Readonly<Record<string, { readonly N: string } | { readonly S: string }>>;

async function put(TableName: string, keys: readonly string[], more: Attributes = {}): Promise<void> {
  for (const pk of keys) await client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, ...more } }));
}

/** What the function logged after a word, in order. */
async function logged(name: string, word: 'batch' | 'event'): Promise<string[]> {
  await runtime.advance(0);
  const logs = new CloudWatchLogsClient(runtime.config);
  const input = { logGroupName: `/aws/lambda/${name}`, filterPattern: `"${word} "` };
  const { events = [] } = await logs.send(new FilterLogEventsCommand(input)).catch((error) => {
    // A function that never ran has no log group.
    if (error instanceof ResourceNotFoundException) return { events: [] };
    throw error;
  });
  return events.map(({ message = '' }) => message.trim().slice(word.length + 1));
}

async function givenUp(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const sqs = new SQSClient(runtime.config);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'given-up' }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

async function streamArn(TableName: string): Promise<string> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  return Table?.LatestStreamArn ?? '';
}

describe('a function with the stream of a table', () => {
  it('gets the changes in order, in batches of the given size', async () => {
    await put('plain', ['a', 'b']);
    await put('plain', ['a'], { n: { N: '1' } });
    await client.send(new DeleteItemCommand({ TableName: 'plain', Key: { pk: { S: 'b' } } }));

    expect((await logged('plain', 'batch')).join(',')).toBe('+a,+b,~a,-b');
    const [event = '{}'] = await logged('plain', 'event');
    expect(JSON.parse(event)).toMatchObject({
      Records: [
        {
          eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
          eventName: 'INSERT',
          eventVersion: '1.1',
          eventSource: 'aws:dynamodb',
          awsRegion: 'us-east-1',
          eventSourceARN: await streamArn('plain'),
          dynamodb: {
            ApproximateCreationDateTime: expect.any(Number),
            Keys: { pk: { S: 'a' } },
            NewImage: { pk: { S: 'a' } },
            SequenceNumber: expect.stringMatching(/^\d{21,40}$/),
            SizeBytes: 6,
            StreamViewType: 'NEW_AND_OLD_IMAGES',
          },
        },
      ],
    });
  });

  it('gets them after its iterator has expired, and after the last record it read is gone', async () => {
    await runtime.advance(HOUR);
    await put('plain', ['a']);
    expect(await logged('plain', 'batch')).toEqual(['+a']);
    await runtime.advance(HOUR);
    await put('plain', ['b']);
    expect(await logged('plain', 'batch')).toEqual(['+a', '+b']);
    await runtime.advance(30 * HOUR);
    await put('plain', ['c']);

    expect(await logged('plain', 'batch')).toEqual(['+a', '+b', '+c']);
  });

  it('gets what came while its mapping was disabled', async () => {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: 'plain' }),
    );
    const UUID = EventSourceMappings[0]?.UUID;
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await put('plain', ['a']);
    await runtime.advance(HOUR);
    expect(await logged('plain', 'batch')).toEqual([]);

    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));

    expect(await logged('plain', 'batch')).toEqual(['+a']);
  });

  it('gathers changes for the batching window', async () => {
    await put('window', ['a']);
    await put('window', ['b']);
    expect(await logged('window', 'batch')).toEqual([]);

    await runtime.advance(30);

    expect(await logged('window', 'batch')).toEqual(['+a,+b']);
  });

  it('is tried again, and what it cannot do goes to the failure destination', async () => {
    await put('plain', ['throw']);
    await put('plain', ['b']);
    await runtime.advance(60);

    expect(await logged('plain', 'batch')).toEqual(['+throw', '+throw', '+throw', '+b']);
    const SequenceNumber = expect.stringMatching(/^\d{21,40}$/);
    expect(await givenUp()).toEqual([
      expect.objectContaining({
        requestContext: expect.objectContaining({
          condition: 'RetryAttemptsExhausted',
          approximateInvokeCount: 3,
        }),
        DDBStreamBatchInfo: {
          shardId: expect.stringMatching(/^shardId-\d{20}-[0-9a-f]{8}$/),
          startSequenceNumber: SequenceNumber,
          endSequenceNumber: SequenceNumber,
          approximateArrivalOfFirstRecord: expect.any(String),
          approximateArrivalOfLastRecord: expect.any(String),
          batchSize: 1,
          streamArn: await streamArn('plain'),
        },
      }),
    ]);
  });

  it('goes on from the item that it reports', async () => {
    await client.send(new PutItemCommand({ TableName: 'report', Item: { pk: { S: 'a' } } }));
    await put('report', ['bad']);
    await runtime.advance(60);

    const batches = await logged('report', 'batch');
    expect(batches.filter((each) => each.includes('+a'))).toHaveLength(1);
    expect(batches.filter((each) => each.includes('bad'))).toHaveLength(2);
    expect(await givenUp()).toHaveLength(1);
  });

  it('has one bad item isolated by halves', async () => {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: 'bisect' }),
    );
    const UUID = EventSourceMappings[0]?.UUID;
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await put('bisect', ['a', 'b', 'throw', 'd']);
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    await runtime.advance(60);

    const batches = await logged('bisect', 'batch');
    expect(batches.slice(0, 4)).toEqual(['+a,+b,+throw,+d', '+a,+b', '+throw,+d', '+throw']);
    expect(batches.at(-1)).toBe('+d');
  });

  it('gets the changes of an item in order with several lanes', async () => {
    await put('lanes', ['throw', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    await put('lanes', ['b', 'c', 'd', 'e', 'f', 'g', 'h'], { n: { N: '1' } });
    await runtime.advance(60);

    const changes = (await logged('lanes', 'batch')).flatMap((each) => each.split(','));
    for (const pk of ['b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const [inserted, modified] = [changes.indexOf(`+${pk}`), changes.indexOf(`~${pk}`)];
      expect(inserted).toBeGreaterThanOrEqual(0);
      expect(modified).toBeGreaterThan(inserted);
    }
  });

  it('gets what its filter lets through', async () => {
    const expiresAt = { N: String(Math.floor(Date.now() / 1000) + 60) };
    await put('expired', ['a', 'b'], { expiresAt });
    await client.send(new DeleteItemCommand({ TableName: 'expired', Key: { pk: { S: 'b' } } }));
    await runtime.advance(2 * HOUR);

    expect(await logged('expired', 'batch')).toEqual(['!a']);
    const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: 'expired' }));
    expect(EventSourceMappings).toMatchObject([{ FilterCriteria: { Filters: [{ Pattern: byTimeToLive }] } }]);
  });

  it('reads free of charge', async () => {
    await put('plain', ['a']);
    await logged('plain', 'batch');

    const response = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter`);

    expect(await response.text()).not.toContain('streams reads');
  });
});

describe('a mapping', () => {
  const create = (input: Readonly<Record<string, unknown>>) =>
    lambda.send(
      new CreateEventSourceMappingCommand({ FunctionName: 'stranger', StartingPosition: 'TRIM_HORIZON', ...input }),
    );

  it('is refused for a role that may not read the stream', async () => {
    await expect(create({ EventSourceArn: await streamArn('global') })).rejects.toThrow(
      'does not have permissions to call DescribeStream on DYNAMODB',
    );
  });

  it('is refused for a table instead of its stream, a position in time, and a wrong filter', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'plain' }));
    const EventSourceArn = await streamArn('plain');

    await expect(create({ EventSourceArn: Table?.TableArn })).rejects.toThrow('is not the ARN of a stream');
    await expect(
      create({ EventSourceArn, StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date() }),
    ).rejects.toThrow('AT_TIMESTAMP is for Kinesis streams');
    await expect(create({ EventSourceArn, FilterCriteria: { Filters: [{ Pattern: '{"a": 1}' }] } })).rejects.toThrow(
      'Invalid filter pattern definition',
    );
  });

  it('ends with its stream: what the stream has is still delivered', async () => {
    await put('plain', ['a']);
    await client.send(new UpdateTableCommand({ TableName: 'plain', StreamSpecification: { StreamEnabled: false } }));
    await put('plain', ['b']);

    expect(await logged('plain', 'batch')).toEqual(['+a']);
  });
});
