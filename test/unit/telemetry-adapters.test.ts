/** The aggregates table and the quarantine queue as the function uses them, on the local runtime. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { type LatestItem, latestKey, rateKey } from '@thingstead/contracts/telemetry-store';
import { AggregatesTable, translation } from '../../lambda/adapters/aggregates-table.ts';
import { QuarantineQueue } from '../../lambda/adapters/quarantine-queue.ts';
import { parseRecord } from '../../lambda/telemetry/message.ts';
import { addToHour, groupByHour } from '../../lambda/telemetry/roll-up.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';
import { DAY_MS, HOUR, recordOf } from './telemetry-fixture.ts';

const TableName = 'aggregates';
let runtime: Runtime;
let client: DynamoDBDocumentClient;
let table: AggregatesTable;

beforeAll(async () => {
  runtime = await startRuntime();
  client = DynamoDBDocumentClient.from(new DynamoDBClient(runtime.config), translation);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  table = new AggregatesTable(client, TableName);
});
afterAll(() => runtime.stop());

function hourItem(sensor: string, ...values: readonly unknown[]) {
  const messages = values.flatMap((value, n) => {
    const parsed = parseRecord(recordOf({ sensor, payload: { id: `s-${n}`, value, time: HOUR + n } }, n), DAY_MS);
    return parsed.kind === 'message' ? [parsed.message] : [];
  });
  const [group] = groupByHour(messages);
  const item = group && addToHour(undefined, group, 400);
  if (!item) throw new Error('nothing to write');
  return item;
}

describe('an hour item', () => {
  it.each([
    ['ordinary numbers', [21.5, -3, 0]],
    ['numbers beyond 2^53, and tiny ones', [1e100, 2 ** 60, -1e21, 1e-100, 1.7976931348623157e99]],
    ['booleans and texts', [true, false, 'open', '']],
  ])('of %s comes back as it was written', async (what, values) => {
    const item = hourItem(what.replaceAll(/\W/g, '_'), ...values);

    expect(await table.replace(item)).toBe(true);

    expect(await table.hour(item.thing, item.sensor, '2026-11-21T10')).toEqual(JSON.parse(JSON.stringify(item)));
  });

  it('is written over the version that was read, and over no other', async () => {
    const item = hourItem('versions', 1);
    const written = await Promise.all(Array.from({ length: 5 }, () => table.replace(item)));
    expect(written.filter(Boolean)).toHaveLength(1);

    expect(await table.replace({ ...item, version: 2 })).toBe(true);
    expect(await table.replace({ ...item, version: 2 })).toBe(false);
    expect(await table.replace({ ...item, version: 4 })).toBe(false);
    expect((await table.hour('thing1', 'versions', '2026-11-21T10'))?.version).toBe(2);
  });
});

it('a rate item comes back as it was written', async () => {
  const item = {
    ...rateKey('t', '2026-11-21T10'),
    thing: 't',
    messages: 3,
    shards: { a: '1' },
    reported: false,
    version: 1,
    expiresAt: 9,
  };

  expect(await table.replace(item)).toBe(true);

  expect(await table.rate('t', '2026-11-21T10')).toEqual(item);
});

it('a latest value gives way to a later time, or to a later id at the same time, and to nothing else', async () => {
  const item = (time: number, messageId: string): LatestItem => ({
    ...{
      ...latestKey('t', 's'),
      thing: 't',
      sensor: 's',
      value: `${time}${messageId}`,
      time,
      receivedAt: time,
      messageId,
    },
  });
  const seen: unknown[] = [];
  for (const [time, id] of [
    [5, 'b'],
    [4, 'c'],
    [5, 'a'],
    [5, 'b'],
    [5, 'c'],
    [6, 'a'],
  ] as const) {
    await table.putLatest(item(time, id));
    seen.push((await client.send(new GetCommand({ TableName, Key: latestKey('t', 's') }))).Item?.value);
  }

  expect(seen).toEqual(['5b', '5b', '5b', '5b', '5c', '6a']);
});

it('a quarantined message is in the queue whole', async () => {
  const sqs = new SQSClient(runtime.config);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'quarantine' }));
  const message = {
    ...{ thing: 't', sensor: 's', reason: 'value: missing', shardId: 'shard', sequenceNumber: '1', receivedAt: 1 },
    message: { readings: Array.from({ length: 10_000 }, (_, n) => ({ wrong: n })) },
  };

  await new QuarantineQueue(sqs, QueueUrl ?? '').send(message);

  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(JSON.parse(Messages?.[0]?.Body ?? '')).toEqual(message);
});
