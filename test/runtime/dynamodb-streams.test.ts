/** The streams of tables: what they record, how they are read, and who may. */
import { spawnSync } from 'node:child_process';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type Answer, type AwsJson, awsJsonClient } from '../support/aws-json.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';
import { describeWithTools, pythonWithBoto3 } from '../support/tools.ts';

const HOUR = 3600;
const TableName = 'Things';
const TARGET = { service: 'dynamodb', prefix: 'DynamoDBStreams_20120810', version: '1.0' } as const;

interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: Answer & {
    readonly Keys: Readonly<Record<string, { readonly S?: string }>>;
    readonly SequenceNumber: string;
  };
  readonly userIdentity?: Answer;
}

let runtime: Runtime;
let client: DynamoDBClient;
let streams: AwsJson;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new DynamoDBClient(runtime.config);
  streams = awsJsonClient(runtime, TARGET);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

type ViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** Gives the ARN of the stream. */
async function createTable(StreamViewType: ViewType = 'NEW_AND_OLD_IMAGES', name = TableName): Promise<string> {
  const input: CreateTableCommandInput = {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType },
  };
  const { TableDescription } = await client.send(new CreateTableCommand(input));
  return TableDescription?.LatestStreamArn ?? '';
}

const key = (pk: string) => ({ pk: { S: pk }, sk: { N: '1' } });
const put = (pk: string, value: string) =>
  client.send(new PutItemCommand({ TableName, Item: { ...key(pk), value: { S: value } } }));

async function shardOf(StreamArn: string): Promise<string> {
  const { StreamDescription } = (await streams('DescribeStream', { StreamArn })) as {
    readonly StreamDescription: { readonly Shards: readonly { readonly ShardId: string }[] };
  };
  return StreamDescription.Shards[0]?.ShardId ?? '';
}

async function iterator(StreamArn: string, ShardIteratorType: string, SequenceNumber?: string): Promise<unknown> {
  const input = { StreamArn, ShardId: await shardOf(StreamArn), ShardIteratorType, SequenceNumber };
  return (await streams('GetShardIterator', input)).ShardIterator;
}

async function read(ShardIterator: unknown, Limit?: number) {
  const answer = await streams('GetRecords', { ShardIterator, ...(Limit !== undefined && { Limit }) });
  return answer as { readonly Records: readonly StreamRecord[]; readonly NextShardIterator?: string };
}

const readAll = async (streamArn: string) => (await read(await iterator(streamArn, 'TRIM_HORIZON'))).Records;

describe('a stream records', () => {
  it('what put, update and delete change, with both images', async () => {
    // GIVEN
    const arn = await createTable();

    // WHEN
    await put('a', 'one');
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key: key('a'),
        UpdateExpression: 'SET #v = :v',
        ExpressionAttributeNames: { '#v': 'value' },
        ExpressionAttributeValues: { ':v': { S: 'two' } },
      }),
    );
    await client.send(new DeleteItemCommand({ TableName, Key: key('a') }));

    // THEN
    const one = { ...key('a'), value: { S: 'one' } };
    const two = { ...key('a'), value: { S: 'two' } };
    const records = await readAll(arn);
    expect(records).toMatchObject([
      { eventName: 'INSERT', dynamodb: { Keys: key('a'), NewImage: one } },
      { eventName: 'MODIFY', dynamodb: { Keys: key('a'), OldImage: one, NewImage: two } },
      { eventName: 'REMOVE', dynamodb: { Keys: key('a'), OldImage: two } },
    ]);
    expect(records[0]).toMatchObject({ eventVersion: '1.1', eventSource: 'aws:dynamodb', awsRegion: 'us-east-1' });
    // Names and values of the keys (pk, a, sk, 1) and of the new image.
    expect(records[0]?.dynamodb).toMatchObject({ SizeBytes: 7 + 7 + 8, StreamViewType: 'NEW_AND_OLD_IMAGES' });
    expect(records[0]?.dynamodb).not.toHaveProperty('OldImage');
    expect(records[2]?.dynamodb).not.toHaveProperty('NewImage');
    expect(Number.isInteger(records[0]?.dynamodb.ApproximateCreationDateTime)).toBe(true);
    expect(new Set(records.map((each) => Reflect.get(each, 'eventID'))).size).toBe(3);
    const numbers = records.map(({ dynamodb }) => BigInt(dynamodb.SequenceNumber));
    expect(numbers.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
  });

  it('nothing when nothing changes', async () => {
    const arn = await createTable();
    const set = { SS: ['x', 'y'] };
    await client.send(new PutItemCommand({ TableName, Item: { ...key('a'), set } }));

    await client.send(new PutItemCommand({ TableName, Item: { ...key('a'), set: { SS: ['y', 'x'] } } }));
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key: key('a'),
        UpdateExpression: 'SET #s = :s',
        ExpressionAttributeNames: { '#s': 'set' },
        ExpressionAttributeValues: { ':s': set },
      }),
    );
    await client.send(new DeleteItemCommand({ TableName, Key: key('none') }));
    await expect(
      client.send(new PutItemCommand({ TableName, Item: key('a'), ConditionExpression: 'attribute_not_exists(pk)' })),
    ).rejects.toThrow('The conditional request failed');

    expect(await readAll(arn)).toHaveLength(1);
  });

  it('batches and transactions, but not one that is cancelled', async () => {
    const arn = await createTable('KEYS_ONLY');
    const PutRequest = (pk: string) => ({ PutRequest: { Item: key(pk) } });
    await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [PutRequest('a'), PutRequest('b')] } }));
    await client.send(
      new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ DeleteRequest: { Key: key('b') } }] } }),
    );
    const Delete = { TableName, Key: key('a') };
    const Put = { TableName, Item: { ...key('c'), n: { N: '1' } } };
    await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }, { Delete }] }));

    const failing = { ...Put, Item: key('d') };
    const ConditionCheck = { TableName, Key: key('none'), ConditionExpression: 'attribute_exists(pk)' };
    await expect(
      client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: failing }, { ConditionCheck }] })),
    ).rejects.toThrow('Transaction cancelled');

    const records = await readAll(arn);
    expect(records.map(({ eventName, dynamodb }) => [eventName, dynamodb.Keys])).toEqual([
      ['INSERT', key('a')],
      ['INSERT', key('b')],
      ['REMOVE', key('b')],
      ['INSERT', key('c')],
      ['REMOVE', key('a')],
    ]);
  });

  it.each([
    ['KEYS_ONLY', []],
    ['NEW_IMAGE', ['NewImage']],
    ['OLD_IMAGE', ['OldImage']],
  ] as const)('the images of its view type: %s', async (viewType, images) => {
    const arn = await createTable(viewType);
    await put('a', 'one');
    await put('a', 'two');

    const modified = (await readAll(arn))[1]?.dynamodb ?? {};

    expect(Object.keys(modified).filter((name) => name.endsWith('Image'))).toEqual(images);
  });

  it('who deleted an expired item', async () => {
    const arn = await createTable();
    const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expiresAt' };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
    const expiresAt = { N: String(Math.floor(Date.now() / 1000) + 60) };
    await client.send(new PutItemCommand({ TableName, Item: { ...key('a'), expiresAt } }));
    await put('b', 'one');
    await client.send(new DeleteItemCommand({ TableName, Key: key('b') }));

    await runtime.advance(2 * HOUR);

    const removals = (await readAll(arn)).filter(({ eventName }) => eventName === 'REMOVE');
    expect(removals).toMatchObject([
      { dynamodb: { Keys: key('b') } },
      {
        dynamodb: { Keys: key('a'), OldImage: { expiresAt } },
        userIdentity: { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' },
      },
    ]);
    expect(removals[0]).not.toHaveProperty('userIdentity');
  });
});

describe('a shard is read', () => {
  let arn: string;
  let numbers: readonly string[];
  beforeEach(async () => {
    arn = await createTable('NEW_IMAGE');
    for (const pk of ['a', 'b', 'c']) await put(pk, 'x');
    numbers = (await readAll(arn)).map(({ dynamodb }) => dynamodb.SequenceNumber);
  });
  const keysFrom = async (type: string, number?: string) =>
    (await read(await iterator(arn, type, number))).Records.map(({ dynamodb }) => dynamodb.Keys.pk?.S);

  it('from any of its positions', async () => {
    expect(await keysFrom('TRIM_HORIZON')).toEqual(['a', 'b', 'c']);
    expect(await keysFrom('AT_SEQUENCE_NUMBER', numbers[1])).toEqual(['b', 'c']);
    expect(await keysFrom('AFTER_SEQUENCE_NUMBER', numbers[1])).toEqual(['c']);
    expect(await keysFrom('AFTER_SEQUENCE_NUMBER', numbers[2])).toEqual([]);
    expect(await keysFrom('LATEST')).toEqual([]);
  });

  it('in pages, and on with what comes later', async () => {
    const latest = await iterator(arn, 'LATEST');
    const first = await read(await iterator(arn, 'TRIM_HORIZON'), 2);
    const second = await read(first.NextShardIterator, 2);
    const third = await read(second.NextShardIterator);
    await put('d', 'x');
    const fourth = await read(third.NextShardIterator);

    expect([first, second, third, fourth].map(({ Records }) => Records.length)).toEqual([2, 1, 0, 1]);
    expect((await read(latest)).Records).toEqual(fourth.Records);
  });

  it('up to a megabyte at a time', async () => {
    for (const pk of ['d', 'e', 'f', 'g']) await put(pk, 'x'.repeat(300 * 1024));

    const page = await read(await iterator(arn, 'TRIM_HORIZON'));

    expect(page.Records).toHaveLength(6);
    expect((await read(page.NextShardIterator)).Records).toHaveLength(1);
  });

  it('with an iterator of at most 15 minutes, and for 24 hours', async () => {
    const oldest = await iterator(arn, 'TRIM_HORIZON');
    await runtime.advance(HOUR);
    await expect(read(oldest)).rejects.toMatchObject({ name: 'ExpiredIteratorException' });
    await runtime.advance(22 * HOUR + 3000);
    await put('d', 'x');
    expect(await keysFrom('TRIM_HORIZON')).toEqual(['a', 'b', 'c', 'd']);

    const beforeTrim = await iterator(arn, 'TRIM_HORIZON');
    await runtime.advance(700);

    expect(await keysFrom('TRIM_HORIZON')).toEqual(['d']);
    await expect(read(beforeTrim)).rejects.toMatchObject({ name: 'TrimmedDataAccessException' });
    await expect(iterator(arn, 'AFTER_SEQUENCE_NUMBER', numbers[1])).rejects.toMatchObject({
      name: 'TrimmedDataAccessException',
    });
  });

  it('not from a position that it has not', async () => {
    await expect(iterator(arn, 'AT_SEQUENCE_NUMBER', `${'9'.repeat(26)}`)).rejects.toThrow('is not in shard');
    await expect(iterator(arn, 'AT_SEQUENCE_NUMBER')).rejects.toThrow('needs a SequenceNumber');
    await expect(iterator(arn, 'AT_TIMESTAMP')).rejects.toThrow('enum value set');
    await expect(read('nonsense')).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(
      streams('GetShardIterator', { StreamArn: arn, ShardId: 'shardId-0', ShardIteratorType: 'LATEST' }),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('the stream of a table', () => {
  const update = (StreamSpecification: { StreamEnabled: boolean; StreamViewType?: ViewType }) =>
    client.send(new UpdateTableCommand({ TableName, StreamSpecification }));

  it('is described, and listed by table', async () => {
    const arn = await createTable('KEYS_ONLY');
    const other = await createTable('KEYS_ONLY', 'Others');

    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    const { StreamDescription } = await streams('DescribeStream', { StreamArn: arn });

    expect(arn).toMatch(
      /^arn:aws:dynamodb:us-east-1:\d{12}:table\/Things\/stream\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/,
    );
    expect(Table).toMatchObject({
      LatestStreamArn: arn,
      LatestStreamLabel: arn.split('/stream/')[1],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
    });
    expect(StreamDescription).toMatchObject({
      StreamStatus: 'ENABLED',
      TableName,
      KeySchema: [{ AttributeName: 'pk' }, { AttributeName: 'sk' }],
      Shards: [{ SequenceNumberRange: { StartingSequenceNumber: expect.stringMatching(/^\d{21,40}$/) } }],
    });
    const StreamLabel = expect.any(String);
    expect((await streams('ListStreams', { TableName })).Streams).toEqual([{ StreamArn: arn, TableName, StreamLabel }]);
    const page = await streams('ListStreams', { Limit: 1 });
    expect(page).toMatchObject({ Streams: [{ StreamArn: other }], LastEvaluatedStreamArn: other });
    const rest = await streams('ListStreams', { ExclusiveStartStreamArn: other });
    expect(rest.Streams).toMatchObject([{ StreamArn: arn }]);
    expect(rest).not.toHaveProperty('LastEvaluatedStreamArn');
  });

  it('is switched off, stays readable for 24 hours, and a new one has another ARN', async () => {
    const arn = await createTable();
    await put('a', 'one');
    const { TableDescription } = await update({ StreamEnabled: false });
    await put('b', 'one');

    expect(TableDescription).toMatchObject({ LatestStreamArn: arn });
    expect(TableDescription).not.toHaveProperty('StreamSpecification');
    expect((await streams('DescribeStream', { StreamArn: arn })).StreamDescription).toMatchObject({
      StreamStatus: 'DISABLED',
      Shards: [{ SequenceNumberRange: { EndingSequenceNumber: expect.stringMatching(/^\d+$/) } }],
    });
    const last = await read(await iterator(arn, 'TRIM_HORIZON'));
    expect(last.Records).toHaveLength(1);
    expect(last).not.toHaveProperty('NextShardIterator');

    const again = await update({ StreamEnabled: true, StreamViewType: 'NEW_IMAGE' });
    await put('c', 'one');
    const second = again.TableDescription?.LatestStreamArn ?? '';
    expect(second).not.toBe(arn);
    expect(await readAll(second)).toMatchObject([{ dynamodb: { Keys: key('c') } }]);
    await expect(update({ StreamEnabled: true, StreamViewType: 'NEW_IMAGE' })).rejects.toThrow(
      'already has an enabled stream',
    );

    await client.send(new DeleteTableCommand({ TableName }));
    expect((await streams('ListStreams', { TableName })).Streams).toHaveLength(2);
    await runtime.advance(25 * HOUR);
    expect((await streams('ListStreams', { TableName })).Streams).toEqual([]);
    await expect(streams('DescribeStream', { StreamArn: second })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('is refused without a view type, and when there is none to switch off', async () => {
    await createTable();
    await update({ StreamEnabled: false });

    await expect(update({ StreamEnabled: true })).rejects.toThrow(
      'StreamViewType is undefined; it is one of KEYS_ONLY',
    );
    await expect(update({ StreamEnabled: false })).rejects.toThrow('no enabled stream');
  });
});

describe('permissions', () => {
  async function as(statements: readonly object[]): Promise<AwsJson> {
    const iam = new IAMClient(runtime.config);
    const trust = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' };
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'reader',
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: trust }),
      }),
    );
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    await iam.send(new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'p', PolicyDocument }));
    const { Credentials } = await new STSClient(runtime.config).send(
      new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'test' }),
    );
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    return awsJsonClient(runtime, TARGET, {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    });
  }

  it('are asked for by action, on the stream', async () => {
    const mine = await createTable();
    const other = await createTable('KEYS_ONLY', 'Others');
    const [ShardId, otherShard] = [await shardOf(mine), await shardOf(other)];
    const reader = await as([
      { Effect: 'Allow', Action: ['dynamodb:DescribeStream', 'dynamodb:GetShardIterator'], Resource: mine },
      { Effect: 'Allow', Action: 'dynamodb:ListStreams', Resource: `${mine.replace(/stream\/.*/, 'stream/*')}` },
    ]);

    const { ShardIterator } = await reader('GetShardIterator', {
      StreamArn: mine,
      ShardId,
      ShardIteratorType: 'LATEST',
    });
    await reader('DescribeStream', { StreamArn: mine });
    await reader('ListStreams', { TableName });

    await expect(reader('GetRecords', { ShardIterator })).rejects.toThrow(`dynamodb:GetRecords on resource: ${mine}`);
    await expect(reader('DescribeStream', { StreamArn: other })).rejects.toThrow('dynamodb:DescribeStream');
    await expect(
      reader('GetShardIterator', { StreamArn: other, ShardId: otherShard, ShardIteratorType: 'LATEST' }),
    ).rejects.toThrow('dynamodb:GetShardIterator');
    await expect(reader('ListStreams', { TableName: 'Others' })).rejects.toThrow('dynamodb:ListStreams');
    await expect(reader('ListStreams', {})).rejects.toThrow('dynamodb:ListStreams');
  });
});

it('costs a read request unit for each read', async () => {
  const arn = await createTable();
  for (let count = 0; count < 3; count += 1) await readAll(arn);

  const response = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter`);
  const { services } = (await response.json()) as { readonly services: readonly Answer[] };

  expect(services).toContainEqual(
    expect.objectContaining({ service: 'Amazon DynamoDB', item: 'streams reads', resource: TableName, quantity: 3 }),
  );
});

describeWithTools(['boto3'], 'boto3', () => {
  const script = `
import boto3, json, sys
client = boto3.client('dynamodbstreams')
stream = client.list_streams(TableName='Things')['Streams'][0]['StreamArn']
shard = client.describe_stream(StreamArn=stream)['StreamDescription']['Shards'][0]['ShardId']
at = client.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType='TRIM_HORIZON')['ShardIterator']
records = client.get_records(ShardIterator=at)['Records']
print(json.dumps([[r['eventName'], r['dynamodb']['NewImage']['value']['S'], r['dynamodb']['ApproximateCreationDateTime'].year > 2000] for r in records]))
`;

  it('reads a stream', async () => {
    await createTable();
    await put('a', 'one');
    const { endpoint, region, credentials } = runtime.config;

    const { stdout, stderr } = spawnSync(pythonWithBoto3() ?? 'python3', ['-c', script], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    });

    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([['INSERT', 'one', true]]);
  });
});
