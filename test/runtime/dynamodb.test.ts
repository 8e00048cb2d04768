/** DynamoDB through the SDK: items, conditions, queries, batches, transactions. */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const TableName = 'Readings';
let runtime: Runtime;
let client: DynamoDBClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new DynamoDBClient(runtime.config);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});

beforeEach(async () => {
  await runtime.reset();
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'N' },
        { AttributeName: 'kind', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byKind',
          KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['value'] },
        },
      ],
    }),
  );
});

async function put(pk: string, sk: number | string, more: PutItemCommand['input']['Item'] = {}): Promise<void> {
  await client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, sk: { N: String(sk) }, ...more } }));
}

async function sortKeys(input: Partial<QueryCommandInput>): Promise<(string | undefined)[]> {
  const { Items = [] } = await client.send(new QueryCommand({ TableName, ...input }));
  return Items.map((item) => item.sk?.N);
}

const byPk = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'a' } } };

describe('items', () => {
  it('come back with every type as they were stored, numbers with all 38 digits', async () => {
    // GIVEN
    const item = {
      pk: { S: 'a' },
      sk: { N: '1' },
      n: { N: '1234567890123456789.0123456789012345678' },
      tiny: { N: '0.00000000000000000000000000000000000000000000000000000000000000000000000000000001' },
      b: { B: Uint8Array.of(0, 255, 128) },
      bs: { BS: [Uint8Array.of(1), Uint8Array.of(2)] },
      ss: { SS: ['x', 'y'] },
      l: { L: [{ BOOL: true }, { NULL: true }, { M: { deep: { S: 'ü' } } }] },
      empty: { S: '' },
    };

    // WHEN
    await client.send(new PutItemCommand({ TableName, Item: item }));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { pk: item.pk, sk: item.sk } }));

    // THEN
    expect(Item).toEqual(item);
  });

  it('are refused beyond 400 KB, with 39 digits, or without their key', async () => {
    await expect(put('a', 1, { big: { S: 'ü'.repeat(205_000) } })).rejects.toThrow(
      'Item size has exceeded the maximum allowed size',
    );
    await expect(put('a', 1, { n: { N: '1'.repeat(39) } })).rejects.toThrow('more than 38 significant digits');
    await expect(
      client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, sk: { S: 'text' } } })),
    ).rejects.toThrow('Type mismatch for key sk expected: N actual: S');
  });

  it('that nobody stored are not there, and deleting them succeeds', async () => {
    const Key = { pk: { S: 'nobody' }, sk: { N: '1' } };

    const read = await client.send(new GetItemCommand({ TableName, Key }));
    await client.send(new DeleteItemCommand({ TableName, Key }));

    expect(read.Item).toBeUndefined();
  });
});

describe('a condition', () => {
  it('that does not hold stops the write and shows the stored item on request', async () => {
    // GIVEN
    await put('a', 1, { value: { N: '5' } });

    // WHEN
    const write = client.send(
      new PutItemCommand({
        TableName,
        Item: { pk: { S: 'a' }, sk: { N: '1' }, value: { N: '3' } },
        ConditionExpression: 'attribute_not_exists(pk) OR #v < :v',
        ExpressionAttributeNames: { '#v': 'value' },
        ExpressionAttributeValues: { ':v': { N: '3' } },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    const error = await write.catch((each: unknown) => each);

    // THEN
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect((error as ConditionalCheckFailedException).Item?.value).toEqual({ N: '5' });
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' }, sk: { N: '1' } } }));
    expect(Item?.value).toEqual({ N: '5' });
  });

  it('lets exactly one of many writers at the same time create an item', async () => {
    const writers = Array.from({ length: 20 }, (_, index) =>
      client.send(
        new PutItemCommand({
          TableName,
          Item: { pk: { S: 'a' }, sk: { N: '1' }, writer: { N: String(index) } },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );

    const outcomes = await Promise.allSettled(writers);

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('UpdateItem', () => {
  it('computes, appends and removes, from the values before the update', async () => {
    // GIVEN
    await put('a', 1, { n: { N: '0.1' }, items: { L: [{ S: '0' }, { S: '1' }, { S: '2' }] }, set: { SS: ['x', 'y'] } });

    // WHEN
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: 'a' }, sk: { N: '1' } },
        UpdateExpression:
          'SET n = n + :n, was = n, fresh = if_not_exists(fresh, :n), more = list_append(#items, :l) REMOVE #items[0], #items[1] ADD hits :n DELETE #s :x',
        ExpressionAttributeNames: { '#s': 'set', '#items': 'items' },
        ExpressionAttributeValues: { ':n': { N: '0.2' }, ':l': { L: [{ S: '3' }] }, ':x': { SS: ['x'] } },
        ReturnValues: 'ALL_NEW',
      }),
    );

    // THEN
    expect(Attributes).toMatchObject({
      n: { N: '0.3' },
      was: { N: '0.1' },
      fresh: { N: '0.2' },
      items: { L: [{ S: '2' }] },
      more: { L: [{ S: '0' }, { S: '1' }, { S: '2' }, { S: '3' }] },
      hits: { N: '0.2' },
      set: { SS: ['y'] },
    });
  });

  it('creates the item when there is none, and answers what changed', async () => {
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: 'new' }, sk: { N: '7' } },
        UpdateExpression: 'ADD hits :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'UPDATED_NEW',
      }),
    );

    expect(Attributes).toEqual({ hits: { N: '1' } });
  });

  it.each([
    ['SET pk = :v', 'This attribute is part of the key'],
    ['SET gone.child = :v', 'The document path provided in the update expression is invalid for update'],
    ['SET x = gone', 'The provided expression refers to an attribute that does not exist in the item'],
    ['SET status = :v', 'Attribute name is a reserved keyword; reserved keyword: status'],
    ['SET x =', 'Syntax error'],
  ])('refuses %s', async (UpdateExpression, message) => {
    const update = client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: 'a' }, sk: { N: '1' } },
        UpdateExpression,
        ...(UpdateExpression.includes(':v') && { ExpressionAttributeValues: { ':v': { S: 'v' } } }),
      }),
    );

    await expect(update).rejects.toThrow(message);
  });
});

describe('Query', () => {
  beforeEach(async () => {
    for (const sk of [10, 9, -1, -20, 0, 2.5, '1e3']) await put('a', sk, { kind: { S: `k${sk}` }, value: { N: '1' } });
    await put('b', 1, { kind: { S: 'k9' }, value: { N: '2' }, hidden: { S: 'x' } });
  });

  it('orders numbers by value, in both directions, and within a range', async () => {
    expect(await sortKeys(byPk)).toEqual(['-20', '-1', '0', '2.5', '9', '10', '1000']);
    expect(await sortKeys({ ...byPk, ScanIndexForward: false, Limit: 2 })).toEqual(['1000', '10']);
    expect(
      await sortKeys({
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': { S: 'a' }, ':from': { N: '-1' }, ':to': { N: '9' } },
      }),
    ).toEqual(['-1', '0', '2.5', '9']);
  });

  it('pages through a partition without losing or repeating an item', async () => {
    const found: (string | undefined)[] = [];
    let start: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await client.send(new QueryCommand({ TableName, ...byPk, Limit: 2, ExclusiveStartKey: start }));
      found.push(...(page.Items ?? []).map((item) => item.sk?.N));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);

    expect(found).toEqual(['-20', '-1', '0', '2.5', '9', '10', '1000']);
  });

  it('reads an index with what it projects, across partitions of the table', async () => {
    const { Items } = await client.send(
      new QueryCommand({
        TableName,
        IndexName: 'byKind',
        KeyConditionExpression: 'kind = :kind',
        ExpressionAttributeValues: { ':kind': { S: 'k9' } },
      }),
    );

    expect(Items).toHaveLength(2);
    expect(Items).toContainEqual({ pk: { S: 'b' }, sk: { N: '1' }, kind: { S: 'k9' }, value: { N: '2' } });
  });

  it('counts what it read before the filter', async () => {
    const { Count, ScannedCount } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: 'contains(kind, :one)',
        ExpressionAttributeValues: { ':pk': { S: 'a' }, ':one': { S: '1' } },
      }),
    );

    expect([Count, ScannedCount]).toEqual([3, 7]);
  });

  it('refuses a condition that no key can answer', async () => {
    await expect(sortKeys({ ...byPk, KeyConditionExpression: 'sk = :pk' })).rejects.toThrow(
      'Query condition missed key schema element: pk',
    );
  });
});

describe('Scan', () => {
  it('finds every item once, whole, in pages and in segments', async () => {
    // GIVEN
    const keys = Array.from({ length: 40 }, (_, index) => `p${index}`);
    for (const key of keys) await put(key, 1);
    const scan = async (input: Partial<ScanCommand['input']>) => {
      const found: (string | undefined)[] = [];
      let start: ScanCommand['input']['ExclusiveStartKey'];
      do {
        const page = await client.send(new ScanCommand({ TableName, ...input, ExclusiveStartKey: start }));
        found.push(...(page.Items ?? []).map((item) => item.pk?.S));
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
      return found;
    };

    // WHEN
    const whole = await scan({});
    const paged = await scan({ Limit: 3 });
    const segments = await Promise.all([0, 1, 2].map((Segment) => scan({ Segment, TotalSegments: 3, Limit: 4 })));

    // THEN
    expect(whole.toSorted()).toEqual(keys.toSorted());
    expect(paged).toEqual(whole);
    expect(segments.flat().toSorted()).toEqual(keys.toSorted());
    expect(segments.every((segment) => segment.length < keys.length)).toBe(true);
  });
});

describe('batches', () => {
  it('write and read many items of a table', async () => {
    // GIVEN
    const keys = Array.from({ length: 25 }, (_, index) => ({ pk: { S: 'batch' }, sk: { N: String(index) } }));

    // WHEN
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [TableName]: keys.map((Item) => ({ PutRequest: { Item } })) } }),
    );
    const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: keys } } }));

    // THEN
    expect(UnprocessedItems).toEqual({});
    expect(Responses?.[TableName]).toHaveLength(25);
  });

  it('write nothing when one of the items is wrong', async () => {
    const good = { PutRequest: { Item: { pk: { S: 'batch' }, sk: { N: '1' } } } };
    const bad = { PutRequest: { Item: { pk: { S: 'batch' } } } };

    const write = client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [good, bad] } }));

    await expect(write).rejects.toThrow('Missing the key sk in the item');
    expect(await sortKeys({ ...byPk, ExpressionAttributeValues: { ':pk': { S: 'batch' } } })).toEqual([]);
  });
});

describe('transactions', () => {
  const transact = (token?: string, amount = '1') =>
    client.send(
      new TransactWriteItemsCommand({
        ...(token !== undefined && { ClientRequestToken: token }),
        TransactItems: [
          {
            Update: {
              TableName,
              Key: { pk: { S: 'a' }, sk: { N: '1' } },
              UpdateExpression: 'ADD balance :amount',
              ExpressionAttributeValues: { ':amount': { N: amount } },
            },
          },
          {
            ConditionCheck: {
              TableName,
              Key: { pk: { S: 'owner' }, sk: { N: '1' } },
              ConditionExpression: 'attribute_exists(pk)',
            },
          },
        ],
      }),
    );
  const balance = async () => {
    const Get = { TableName, Key: { pk: { S: 'a' }, sk: { N: '1' } } };
    const { Responses } = await client.send(new TransactGetItemsCommand({ TransactItems: [{ Get }] }));
    return Responses?.[0]?.Item?.balance?.N;
  };

  it('happen whole or not at all, and say which part failed', async () => {
    const error = await transact().catch((each: unknown) => each);

    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect((error as TransactionCanceledException).CancellationReasons?.map(({ Code }) => Code)).toEqual([
      'None',
      'ConditionalCheckFailed',
    ]);
    expect(await balance()).toBeUndefined();

    await put('owner', 1);
    await transact();

    expect(await balance()).toBe('1');
  });

  it('happen once for each client request token, for ten minutes', async () => {
    await put('owner', 1);

    await transact('token');
    await transact('token');
    expect(await balance()).toBe('1');
    await expect(transact('token', '2')).rejects.toThrow('token was used with different parameters');

    await runtime.advance(601);
    await transact('token');
    expect(await balance()).toBe('2');
  });

  it('take every item only once', async () => {
    const Put = { TableName, Item: { pk: { S: 'a' }, sk: { N: '1' } } };

    const write = client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }, { Put }] }));

    await expect(write).rejects.toThrow('cannot include multiple operations on one item');
  });
});
