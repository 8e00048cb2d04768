/** What DynamoDB refuses although it is well formed: values of keys, depth, expressions and transactions beyond its limits. */
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Runtime, startRuntime } from '../support/runtime.ts';

type Item = Record<string, AttributeValue>;

const TableName = 'Things';
const key = { pk: { S: 'a' } };
let runtime: Runtime;
let client: DynamoDBClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new DynamoDBClient(runtime.config);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'owner', 'since'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byOwner',
          KeySchema: [
            { AttributeName: 'owner', KeyType: 'HASH' },
            { AttributeName: 'since', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['name'] },
        },
      ],
    }),
  );
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});

const put = (more: Item) => client.send(new PutItemCommand({ TableName, Item: { ...key, ...more } }));
const update = (value: AttributeValue, UpdateExpression = 'SET #owner = :value') => ({
  TableName,
  Key: key,
  UpdateExpression,
  ExpressionAttributeNames: { '#owner': 'owner' },
  ExpressionAttributeValues: { ':value': value },
});
const refused = (message: string | RegExp) => ({
  name: 'ValidationException',
  message: expect.stringMatching(message),
});

describe('the key of an index', () => {
  const empty = refused(
    /secondary index key .*not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: byOwner, IndexKey: owner/,
  );
  const Item = { ...key, owner: { S: '' } };

  it.each<readonly [string, () => Promise<unknown>]>([
    ['PutItem', () => put(Item)],
    [
      'BatchWriteItem',
      () => client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item } }] } })),
    ],
    ['UpdateItem', () => client.send(new UpdateItemCommand(update({ S: '' })))],
    [
      'a put of a transaction',
      () => client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item } }] })),
    ],
    [
      'an update of a transaction',
      () => client.send(new TransactWriteItemsCommand({ TransactItems: [{ Update: update({ S: '' }) }] })),
    ],
  ])('is not empty: %s', async (_name, write) => {
    await expect(write()).rejects.toMatchObject(empty);
  });

  it('is not empty by another attribute either', async () => {
    await put({ name: { S: '' } });
    const copied = update({ S: '' }, 'SET #owner = if_not_exists(nickname, :value)');

    await expect(client.send(new UpdateItemCommand(copied))).rejects.toMatchObject(empty);
  });

  it('may be missing', async () => {
    await put({ owner: { S: 'mary' } });

    const { Count } = await client.send(new ScanCommand({ TableName, IndexName: 'byOwner' }));

    expect(Count).toBe(0);
  });
});

describe('a key', () => {
  // Of two bytes in UTF-8.
  const long = (bytes: number) => ({ S: 'ä'.repeat(bytes / 2) });

  it.each<readonly [string, Item, Item]>([
    ['partition key', { pk: long(2048) }, { pk: long(2050) }],
    ['partition key of an index', { owner: long(2048) }, { owner: long(2050) }],
    ['sort key of an index', { since: long(1024) }, { since: long(1026) }],
  ])('is as long as its bytes: %s', async (_name, fits, tooLong) => {
    await put(fits);

    await expect(put(tooLong)).rejects.toMatchObject(refused(/[Ss]ize .*exceeded/));
  });

  it('that is too long is not looked for', async () => {
    const look = new GetItemCommand({ TableName, Key: { pk: long(2050) } });

    await expect(client.send(look)).rejects.toMatchObject(refused('Size of hashkey'));
  });
});

describe('an attribute', () => {
  const nested = (levels: number, wrap: (value: AttributeValue) => AttributeValue) => {
    let value: AttributeValue = { S: 'leaf' };
    for (let level = 1; level < levels; level += 1) value = wrap(value);
    return value;
  };

  it.each<readonly [string, (value: AttributeValue) => AttributeValue]>([
    ['maps', (value) => ({ M: { n: value } })],
    ['lists', (value) => ({ L: [value] })],
  ])('has up to 32 levels of %s', async (_name, wrap) => {
    await put({ deep: nested(32, wrap) });

    await expect(put({ deep: nested(33, wrap) })).rejects.toMatchObject(refused('Nesting Levels'));
    const deeper = update({ S: 'x' }, 'SET deep = :value, #owner = :owner');
    const values = { ':value': nested(33, wrap), ':owner': { S: 'x' } };
    await expect(
      client.send(new UpdateItemCommand({ ...deeper, ExpressionAttributeValues: values })),
    ).rejects.toMatchObject(refused('Nesting Levels'));
  });
});

describe('an expression', () => {
  const scan = (FilterExpression: string, values: Item = {}) =>
    client.send(
      new ScanCommand({
        TableName,
        FilterExpression,
        ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
      }),
    );
  const ofBytes = (bytes: number) => `attribute_exists(${'a'.repeat(bytes - 'attribute_exists()'.length)})`;

  it('has up to 4 KB', async () => {
    await scan(ofBytes(4096));

    await expect(scan(ofBytes(4097))).rejects.toMatchObject(refused('Expression size has exceeded'));
  });

  it('has up to 300 operators', async () => {
    const ofOperators = (count: number) => Array.from({ length: (count + 1) / 2 }, () => 'a=:v').join(' OR ');
    const v = { ':v': { S: 'x' } };
    await scan(ofOperators(299), v);

    await expect(scan(ofOperators(301), v)).rejects.toMatchObject(refused('too many operators'));
  });

  it('looks for up to 100 values with IN', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, at) => `:v${at}`);
    const values = (count: number) => Object.fromEntries(names(count).map((name) => [name, { S: name }]));
    await scan(`a IN (${names(100).join(', ')})`, values(100));

    await expect(scan(`a IN (${names(101).join(', ')})`, values(101))).rejects.toMatchObject(
      refused('too many operands'),
    );
  });

  it('shows of a global index what the index holds', async () => {
    const query = (ProjectionExpression: string) =>
      client.send(
        new QueryCommand({
          TableName,
          IndexName: 'byOwner',
          KeyConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { '#owner': 'owner', '#name': 'name' },
          ExpressionAttributeValues: { ':owner': { S: 'mary' } },
          ProjectionExpression,
        }),
      );
    await query('pk, since, #name.given');

    await expect(query('pk, #name, colour')).rejects.toMatchObject(
      refused(/Global secondary index byOwner does not project \[colour\]/),
    );
  });
});

describe('a transaction', () => {
  const Get = { TableName, Key: key };

  it('reads an item once', async () => {
    const read = new TransactGetItemsCommand({ TransactItems: [{ Get }, { Get }] });

    await expect(client.send(read)).rejects.toMatchObject(refused('multiple operations on one item'));
  });

  it('reads up to 4 MB', async () => {
    const names = Array.from({ length: 11 }, (_, at) => `large-${at}`);
    for (const name of names) await put({ pk: { S: name }, data: { S: 'x'.repeat(390_000) } });
    const read = (count: number) => {
      const TransactItems = names.slice(0, count).map((name) => ({ Get: { TableName, Key: { pk: { S: name } } } }));
      return client.send(new TransactGetItemsCommand({ TransactItems }));
    };
    await read(10);

    await expect(read(11)).rejects.toMatchObject(refused('payload size exceeded'));
  });

  it('has a token of up to 36 characters', async () => {
    const write = (length: number) =>
      client.send(
        new TransactWriteItemsCommand({
          ClientRequestToken: 't'.repeat(length),
          TransactItems: [{ Put: { TableName, Item: key } }],
        }),
      );
    await write(36);

    await expect(write(37)).rejects.toMatchObject(refused('clientRequestToken'));
  });
});
