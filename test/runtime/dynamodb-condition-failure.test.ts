/** ReturnValuesOnConditionCheckFailure: every write with a condition may ask for the item that stood in its way. */
import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const TableName = 'Things';
const Key = { pk: { S: 'a' } };
const stored = { ...Key, n: { N: '5' }, bytes: { B: new Uint8Array([0, 255]) } };
const condition = {
  TableName,
  ConditionExpression: '#n < :n',
  ExpressionAttributeNames: { '#n': 'n' },
  ExpressionAttributeValues: { ':n': { N: '1' } },
} as const;

let runtime: Runtime;
let client: DynamoDBClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new DynamoDBClient(runtime.config);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  await client.send(new PutItemCommand({ TableName, Item: stored }));
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});

type Wish = { readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE' };
type Send = (wish: Wish, key: typeof Key) => Promise<unknown>;

const writes: readonly (readonly [string, Send])[] = [
  ['PutItem', (wish, Item) => client.send(new PutItemCommand({ ...condition, ...wish, Item }))],
  [
    'UpdateItem',
    (wish, key) =>
      client.send(new UpdateItemCommand({ ...condition, ...wish, Key: key, UpdateExpression: 'SET #n = :n' })),
  ],
  ['DeleteItem', (wish, key) => client.send(new DeleteItemCommand({ ...condition, ...wish, Key: key }))],
];

describe.each(writes)('%s whose condition does not hold', (_name, send) => {
  it('shows the item when it is asked to', async () => {
    await expect(send({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }, Key)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: stored,
    });
  });

  it.each<readonly [string, Wish, typeof Key]>([
    ['it is not asked', {}, Key],
    ['it is asked not to', { ReturnValuesOnConditionCheckFailure: 'NONE' }, Key],
    ['there is none', { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }, { pk: { S: 'nobody' } }],
  ])('shows none when %s', async (_when, wish, key) => {
    const error = await send(wish, key).catch((each: unknown) => each);

    expect(error).toMatchObject({ name: 'ConditionalCheckFailedException' });
    expect(Reflect.get(Object(error), 'Item')).toBeUndefined();
  });
});

it('a transaction shows the item of each action that asks for it', async () => {
  const ask = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  const other = { pk: { S: 'b' } };
  await client.send(new PutItemCommand({ TableName, Item: { ...other, n: { N: '7' } } }));
  const TransactItems = [
    { ConditionCheck: { ...condition, ...ask, Key } },
    { Delete: { ...condition, Key: other } },
    { Put: { TableName, Item: { pk: { S: 'c' } } } },
  ];

  const error = await client.send(new TransactWriteItemsCommand({ TransactItems })).catch((each: unknown) => each);

  const { CancellationReasons } = error as TransactionCanceledException;
  expect(error).toBeInstanceOf(TransactionCanceledException);
  expect(CancellationReasons).toEqual([
    expect.objectContaining({ Code: 'ConditionalCheckFailed', Item: stored }),
    { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
    { Code: 'None' },
  ]);
});
