/**
 * The auditor of a soak: reads back every store through the SDK and compares it with what the devices say they have sent.
 * What is there was sent, and what was sent is there: once in history and roll-ups, at least once in the archive.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { platformStores } from '../platform-stores.ts';
import type { Target } from '../target.ts';
import { checkArchive, checkHistory, checkHours, checkLatest } from './compare.ts';
import type { SentMessage } from './ledger.ts';

export interface Audit {
  readonly messages: number;
  readonly readings: number;
  /** Messages that the archive has more than once, as it may. */
  readonly archivedAgain: number;
  /** One line for everything that is not as it must be; empty when all is well. */
  readonly differences: readonly string[];
}

type Account = Pick<Target, 'config' | 'outputs'>;
type Stores = ReturnType<typeof platformStores>;

/**
 * Compares the stores of an account, which nothing but the soak has used, with a ledger: a `SentMessage` in JSON per line.
 * `startedAt`: when the soak began, epoch milliseconds.
 */
export async function audit(ledgerFile: string, account: Account, startedAt: number): Promise<Audit> {
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(account.config));
  const stores = platformStores(account, tables, startedAt);
  const byThing = await readLedger(ledgerFile);
  const archived = Map.groupBy(await stores.archive(), ({ thing }) => String(thing));
  const differences: string[] = [];
  let archivedAgain = 0;
  for (const [thing, sent] of byThing) {
    const rows = archived.get(thing) ?? [];
    differences.push(...(await checkTables(thing, sent, stores)), ...checkArchive(sent, rows));
    archivedAgain += Math.max(0, rows.length - sent.length);
  }
  const unknown = [...archived.keys()].filter((thing) => !byThing.has(thing));
  differences.push(...unknown.map((thing) => `archive has ${thing}, which sent nothing`));
  differences.push(...(await checkFailures(account)));
  tables.destroy();
  const messages = [...byThing.values()].flat();
  const readings = messages.reduce((sum, each) => sum + each.readings.length, 0);
  return { messages: messages.length, readings, archivedAgain, differences };
}

async function readLedger(file: string): Promise<ReadonlyMap<string, readonly SentMessage[]>> {
  const byThing = new Map<string, SentMessage[]>();
  for await (const line of createInterface(createReadStream(file))) {
    const message = JSON.parse(line) as SentMessage;
    const sent = byThing.get(message.thing);
    if (sent) sent.push(message);
    else byThing.set(message.thing, [message]);
  }
  return byThing;
}

async function checkTables(thing: string, sent: readonly SentMessage[], stores: Stores): Promise<readonly string[]> {
  const sensors = Map.groupBy(sent, ({ sensor }) => sensor);
  const results = [...sensors].map(async ([sensor, messages]) => [
    ...checkHistory(messages, await stores.history(thing, sensor)),
    ...checkLatest(messages, await stores.latest(thing, sensor)),
    ...checkHours(messages, await stores.hours(thing, sensor)),
  ]);
  return (await Promise.all(results)).flat();
}

/** A soak sends nothing that may fail for good: the queues of failures are empty. */
async function checkFailures({ config }: Account): Promise<readonly string[]> {
  const sqs = new SQSClient(config);
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'thingstead-telemetry' }));
  const differences: string[] = [];
  for (const QueueUrl of QueueUrls) {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    const count = Number(Attributes?.ApproximateNumberOfMessages);
    if (count > 0) differences.push(`queue ${QueueUrl.split('/').at(-1)} has ${count} messages`);
  }
  sqs.destroy();
  if (QueueUrls.length === 0) differences.push('there are no queues of failures to look at');
  return differences;
}
