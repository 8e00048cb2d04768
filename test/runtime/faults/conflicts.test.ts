/** A transaction of somebody else holds an item: what the SDK's clients see of it. */
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  type TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { Runtime } from '../../support/runtime.ts';
import { Assembly } from '../lambda-fixture.ts';

const TableName = 'things';
const assembly = new Assembly().add('Things', 'AWS::DynamoDB::Table', {
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
});
const put = (pk: string) => ({ TableName, Item: { pk: { S: pk } } });

let runtime: Runtime;
let tables: DynamoDBClient;

beforeAll(async () => {
  runtime = await assembly.start();
  tables = new DynamoDBClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  await runtime.faults([{ at: 'call', do: 'conflict', times: 1 }]);
});

async function written(): Promise<number | undefined> {
  return (await tables.send(new ScanCommand({ TableName }))).Count;
}

it('cancels a transaction, with the item that is held, and nothing is written; the next one goes through', async () => {
  const both = new TransactWriteItemsCommand({ TransactItems: [{ Put: put('a') }, { Put: put('b') }] });
  const refused: TransactionCanceledException = await tables.send(both).catch((error) => error);

  expect(refused.name).toBe('TransactionCanceledException');
  expect(refused.CancellationReasons?.map(({ Code }) => Code)).toEqual(['TransactionConflict', 'None']);
  expect(await written()).toBe(0);
  await tables.send(both);
  expect(await written()).toBe(2);
});

it('refuses the write of one item, which the SDK does not try again by itself', async () => {
  await expect(tables.send(new PutItemCommand(put('a')))).rejects.toMatchObject({
    name: 'TransactionConflictException',
  });
  expect((await runtime.faultReport()).faults).toMatchObject([{ matched: 1, harmed: 1 }]);
});

it('concerns neither reads nor batches, which are no transactions', async () => {
  await tables.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } } }));
  await tables.send(
    new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: put('a').Item } }] } }),
  );
  expect((await runtime.faultReport()).faults).toMatchObject([{ matched: 0, harmed: 0 }]);
});
