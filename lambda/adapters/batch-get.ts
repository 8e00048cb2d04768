import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';

type Item = Record<string, unknown>;

/** A limit of BatchGetItem. */
const MAX_KEYS = 100;
const MAX_ATTEMPTS = 6;
const BASE_WAIT_MS = 25;

/** DynamoDB has left keys unread several times on end: it is short of capacity. */
export class UnreadKeysError extends Error {
  override readonly name = 'UnreadKeysError';
}

/** Reads rows of one table by their keys, in no order; what is not there is left out. @throws UnreadKeysError */
export async function batchGet(
  client: DynamoDBDocumentClient,
  table: string,
  keys: readonly Item[],
  options: { readonly ConsistentRead?: boolean } = {},
): Promise<readonly Item[]> {
  const found: Item[] = [];
  for (let start = 0; start < keys.length; start += MAX_KEYS) {
    found.push(...(await readBatch(client, table, { Keys: keys.slice(start, start + MAX_KEYS), ...options })));
  }
  return found;
}

async function readBatch(
  client: DynamoDBDocumentClient,
  table: string,
  request: NonNullable<BatchGetCommandInput['RequestItems']>[string],
): Promise<readonly Item[]> {
  const found: Item[] = [];
  let asked: BatchGetCommandInput['RequestItems'] = { [table]: request };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    // AWS asks for a growing wait: what throttles is the table, and the client's own retries do not see it.
    if (attempt > 0) await sleep(Math.random() * BASE_WAIT_MS * 2 ** attempt);
    const { Responses, UnprocessedKeys = {} }: BatchGetCommandOutput = await client.send(
      new BatchGetCommand({ RequestItems: asked }),
    );
    found.push(...(Responses?.[table] ?? []));
    if (Object.keys(UnprocessedKeys).length === 0) return found;
    asked = UnprocessedKeys;
  }
  throw new UnreadKeysError(`DynamoDB has left rows of ${table} unread ${MAX_ATTEMPTS} times`);
}
