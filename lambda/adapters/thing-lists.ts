import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  type DynamoDBDocumentClient,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb';
import { THINGS_INDEXES, ThingRow, thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { NameRange } from '../things/name-range.ts';
import type { List, ThingLists } from '../things/ports.ts';

/** The partition key of each index; the sort key is `pk`, the name. */
const PARTITION_KEYS = {
  [THINGS_INDEXES.name]: 'fleetShard',
  [THINGS_INDEXES.site]: 'site',
  [THINGS_INDEXES.type]: 'typeShard',
  [THINGS_INDEXES.firmware]: 'firmwareShard',
  [THINGS_INDEXES.connected]: 'connectedShard',
} as const;

/** A limit of BatchGetItem. */
const MAX_KEYS = 100;
const MAX_ATTEMPTS = 6;
const BASE_WAIT_MS = 25;

/** DynamoDB has left keys unread several times on end: it is short of capacity. */
export class UnreadKeysError extends Error {
  override readonly name = 'UnreadKeysError';
}

/** The things table, to list. What comes from it may be a little old: it costs half, and indexes have nothing better. */
export class ThingListsTable implements ThingLists {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async names({ index, partition }: List, { from, to }: NameRange, limit: number): Promise<readonly string[]> {
    const query = {
      TableName: this.#table,
      IndexName: index,
      KeyConditionExpression: '#partition = :partition AND pk BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#partition': PARTITION_KEYS[index] },
      ExpressionAttributeValues: { ':partition': partition, ':from': from, ':to': to },
      Limit: limit,
    };
    const names: string[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      names.push(...Items.map(({ pk }) => String(pk)));
      if (names.length >= limit) break;
    }
    return names.slice(0, limit);
  }

  async rows(things: readonly string[]): Promise<ReadonlyMap<string, ThingRow>> {
    const rows = new Map<string, ThingRow>();
    for (let start = 0; start < things.length; start += MAX_KEYS) {
      const Keys = things.slice(start, start + MAX_KEYS).map(thingKey);
      for (const item of await this.#batch(Keys)) {
        const row = parseRow(ThingRow, item, `the row of ${item.pk}`);
        rows.set(row.pk, row);
      }
    }
    return rows;
  }

  /** @throws UnreadKeysError */
  async #batch(Keys: readonly Record<string, unknown>[]): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    let asked: BatchGetCommandInput['RequestItems'] = { [this.#table]: { Keys: [...Keys] } };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      // AWS asks for a growing wait: what throttles is the table, and the client's own retries do not see it.
      if (attempt > 0) await sleep(Math.random() * BASE_WAIT_MS * 2 ** attempt);
      const { Responses, UnprocessedKeys = {} }: BatchGetCommandOutput = await this.#client.send(
        new BatchGetCommand({ RequestItems: asked }),
      );
      found.push(...(Responses?.[this.#table] ?? []));
      if (Object.keys(UnprocessedKeys).length === 0) return found;
      asked = UnprocessedKeys;
    }
    throw new UnreadKeysError(`DynamoDB has left rows of ${this.#table} unread ${MAX_ATTEMPTS} times`);
  }
}
