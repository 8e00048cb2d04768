import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { THINGS_INDEXES, ThingRow, thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { NameRange } from '../things/name-range.ts';
import type { List, ThingLists } from '../things/ports.ts';
import { batchGet } from './batch-get.ts';

/** The partition key of each index; the sort key is `pk`, the name. */
const PARTITION_KEYS = {
  [THINGS_INDEXES.name]: 'fleetShard',
  [THINGS_INDEXES.site]: 'site',
  [THINGS_INDEXES.type]: 'typeShard',
  [THINGS_INDEXES.firmware]: 'firmwareShard',
  [THINGS_INDEXES.connected]: 'connectedShard',
} as const;

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
    const items = await batchGet(this.#client, this.#table, things.map(thingKey));
    const rows = items.map((item) => parseRow(ThingRow, item, `the row of ${item.pk}`));
    return new Map(rows.map((row) => [row.pk, row]));
  }
}
