/** `--data` and `kill -9`: what is there afterwards is the account as it was at one instant. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../../support/runtime.ts';
import { KeptAccount } from './kept-account.ts';

const TableName = 'ledger';
const account = new KeptAccount();

afterAll(() => account.remove());

function clientsOf({ config }: Runtime) {
  // A runtime that was killed must not be tried again.
  return {
    table: new DynamoDBClient({ ...config, maxAttempts: 1 }),
    queue: new SQSClient({ ...config, maxAttempts: 1 }),
  };
}

/** When something was last written to the folder. */
function lastWrite(): number {
  return Math.max(
    ...['state.sqlite', 'state.sqlite-wal'].map((name) => {
      const stat = statSync(path.join(account.folder, name), { throwIfNoEntry: false });
      return stat?.mtimeMs ?? 0;
    }),
  );
}

async function all({ table, queue }: ReturnType<typeof clientsOf>, QueueUrl: string) {
  const { Items = [] } = await table.send(new ScanCommand({ TableName }));
  const items = Items.map(({ n }) => Number(n?.N)).sort((a, b) => a - b);
  const messages: number[] = [];
  for (;;) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 };
    const { Messages = [] } = await queue.send(new ReceiveMessageCommand(input));
    if (Messages.length === 0) return { items, messages: messages.sort((a, b) => a - b) };
    messages.push(...Messages.map(({ Body }) => Number(Body)));
  }
}

/** Writes 1, 2, 3 ... first to the table and then to the queue, until the runtime is gone. */
async function write(
  { table, queue }: ReturnType<typeof clientsOf>,
  QueueUrl: string,
  from: number,
  onWrite: (n: number) => void,
) {
  for (let n = from; ; n += 1) {
    try {
      await table.send(new PutItemCommand({ TableName, Item: { n: { N: String(n) } } }));
      await queue.send(new SendMessageCommand({ QueueUrl, MessageBody: String(n) }));
    } catch {
      return;
    }
    onWrite(n);
  }
}

test('table and queue agree after each kill, and nothing that was saved is lost', async () => {
  let clients = clientsOf(await account.start());
  await clients.table.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'n', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'n', AttributeType: 'N' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const { QueueUrl = '' } = await clients.queue.send(new CreateQueueCommand({ QueueName: 'ledger' }));
  let next = 1;
  let received = 0;
  for (let round = 0; round < 3; round += 1) {
    let written = next - 1;
    let saved = 0;
    let writtenAtLastSave = 0;
    let seen = lastWrite();
    const killed = new Promise<void>((resolve) => {
      void write(clients, QueueUrl, next, (n) => {
        written = n;
        // What was written before one save has begun is in the file when the next one has ended.
        if (lastWrite() === seen) return;
        seen = lastWrite();
        saved += 1;
        if (saved === 1) writtenAtLastSave = n;
        if (saved === 3) resolve(account.kill());
      });
    });
    await killed;
    clients = clientsOf(await account.start());
    const { items, messages } = await all(clients, QueueUrl);
    const count = items.length;
    expect(items).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    // One instant: the write to the table may have been done and the one to the queue not, never the other way round.
    const inQueue = received + messages.length;
    expect([count, count - 1]).toContain(inQueue);
    expect(count).toBeGreaterThanOrEqual(writtenAtLastSave);
    expect(count).toBeLessThanOrEqual(written + 1);
    if (inQueue < count) await clients.queue.send(new SendMessageCommand({ QueueUrl, MessageBody: String(count) }));
    if (inQueue < count) await all(clients, QueueUrl);
    received = count;
    next = count + 1;
  }
});
