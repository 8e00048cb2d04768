/** The lists of things and the stored readings as the function uses them, on the local runtime. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, NumberValue, PutCommand } from '@aws-sdk/lib-dynamodb';
import { historyKey } from '@thingstead/contracts/telemetry-store';
import { THINGS_INDEXES, thingKey } from '@thingstead/contracts/things';
import { translation } from '../../lambda/adapters/aggregates-table.ts';
import { StoredReadings } from '../../lambda/adapters/stored-readings.ts';
import { ThingListsTable } from '../../lambda/adapters/thing-lists.ts';
import { ThingRowsTable } from '../../lambda/adapters/thing-rows.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const TableName = 'rows';
let runtime: Runtime;
let client: DynamoDBDocumentClient;
let lists: ThingListsTable;

beforeAll(async () => {
  runtime = await startRuntime();
  client = DynamoDBDocumentClient.from(new DynamoDBClient(runtime.config), translation);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'site'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: THINGS_INDEXES.site,
          KeySchema: [
            { AttributeName: 'site', KeyType: 'HASH' },
            { AttributeName: 'pk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  lists = new ThingListsTable(client, TableName);
});
afterAll(() => runtime.stop());

async function put(items: readonly Record<string, unknown>[]): Promise<void> {
  for (let start = 0; start < items.length; start += 25) {
    const puts = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
  }
}

it('rows that are more than one answer of DynamoDB has room for are read in several', async () => {
  const names = Array.from({ length: 60 }, (_, n) => `large-${n}`);
  const more = 'x'.repeat(390_000);
  for (const name of names) await client.send(new PutCommand({ TableName, Item: { ...thingKey(name), more } }));

  const rows = await lists.rows([...names, 'nothing']);

  expect([...rows.keys()].sort()).toEqual([...names].sort());
});

it('more than a hundred rows are read at once, and none of none', async () => {
  const names = Array.from({ length: 230 }, (_, n) => `many-${n}`);
  await put(names.map((name) => ({ ...thingKey(name) })));

  expect((await lists.rows(names)).size).toBe(230);
  expect(await lists.rows([])).toEqual(new Map());
});

it('names of a partition come in their order, from and to inclusive, and no more than asked for', async () => {
  const names = ['s-1', 's-10', 's-2', 's-A', 's-_', 's-a'];
  await put(names.map((name) => ({ ...thingKey(name), site: 's' })));
  const list = { index: THINGS_INDEXES.site, partition: 's' };

  expect(await lists.names(list, { from: '-', to: '~' }, 10)).toEqual(names);
  expect(await lists.names(list, { from: 's-10', to: 's-A' }, 10)).toEqual(['s-10', 's-2', 's-A']);
  expect(await lists.names(list, { from: 's-1-', to: '~' }, 2)).toEqual(['s-10', 's-2']);
});

it('a label is written over one of the same owner or an earlier one, and over none of a later one', async () => {
  const things = new ThingRowsTable(client, TableName);
  await put([thingKey('lamp')]);

  expect(await things.label('lamp', 'first', 5)).toMatchObject({ label: 'first', labelledFor: 5 });
  expect(await things.label('lamp', 'again', 5)).toMatchObject({ label: 'again' });
  expect(await things.label('lamp', 'next', 6)).toMatchObject({ label: 'next' });
  expect(await things.label('lamp', 'late', 5)).toBeUndefined();
  expect(await things.label('lamp', undefined, 6)).toEqual({ pk: 'lamp', labelledFor: 6 });
  expect(await things.label('nothing', 'x', 7)).toBeUndefined();
  expect(await things.row('nothing')).toBeUndefined();
});

it('messages come in the order of their keys, and what is left is what was not read', async () => {
  const readings = new StoredReadings(client, { history: TableName, aggregates: TableName });
  const pk = historyKey('thing', 'rain');
  const key = (second: number): string => `${new Date(second * 1000).toISOString()}#id`;
  await put(
    [0, 1, 2, 3].map((second) => ({
      pk,
      sk: key(second),
      ...(second % 2 === 0 ? { value: NumberValue.from(`${2n ** 60n}`) } : { readings: [{ value: second }] }),
    })),
  );
  const range = { from: new Date(0).toISOString(), to: new Date(3000).toISOString() };

  const first = await readings.messages('thing', 'rain', range, { limit: 2 });
  expect(first.items).toEqual([
    { pk, sk: key(0), value: 2 ** 60 },
    { pk, sk: key(1), readings: [{ value: 1 }] },
  ]);
  const second = await readings.messages('thing', 'rain', first.rest ?? range, { limit: 2 });
  expect(second.items.map(({ sk }) => sk)).toEqual([key(2)]);
  expect(second.rest).toBeUndefined();

  const batches = await readings.messages('thing', 'rain', range, { batchesOnly: true });
  expect(batches.items.map(({ sk }) => sk)).toEqual([key(1)]);
});
