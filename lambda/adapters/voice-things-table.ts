import { BatchGetCommand, type DynamoDBDocumentClient, GetCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { THINGS_INDEXES, thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import { VoiceThingRow } from '@thingstead/contracts/voice';
import type { VoiceThings } from '../voice/ports.ts';

type Row = Record<string, unknown>;

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const MAX_BATCH = 100;
const ATTEMPTS = 5;

/** Rows of things, to read. */
export class VoiceThingsTable implements VoiceThings {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(thing: string): Promise<VoiceThingRow | undefined> {
    const key = { TableName: this.#table, Key: thingKey(thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    return described(Item ? [Item] : [])[0];
  }

  async readMany(things: readonly string[]): Promise<readonly VoiceThingRow[]> {
    const rows: VoiceThingRow[] = [];
    for (let from = 0; from < things.length; from += MAX_BATCH) {
      rows.push(...described(await this.#batch(things.slice(from, from + MAX_BATCH))));
    }
    return rows;
  }

  async namesOfSite(site: string, limit: number): Promise<readonly string[]> {
    const query = {
      TableName: this.#table,
      IndexName: THINGS_INDEXES.site,
      KeyConditionExpression: 'site = :site',
      ExpressionAttributeValues: { ':site': site },
    };
    const names: string[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client, pageSize: limit }, query)) {
      names.push(...Items.map(({ pk }) => String(pk)));
      if (names.length >= limit) break;
    }
    return names.slice(0, limit);
  }

  async #batch(things: readonly string[]): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let Keys: readonly Row[] = things.map((thing) => ({ ...thingKey(thing) }));
    for (let attempt = 0; attempt < ATTEMPTS && Keys.length > 0; attempt += 1) {
      const answer = await this.#client.send(
        new BatchGetCommand({ RequestItems: { [this.#table]: { Keys: [...Keys] } } }),
      );
      rows.push(...(answer.Responses?.[this.#table] ?? []));
      Keys = answer.UnprocessedKeys?.[this.#table]?.Keys ?? [];
    }
    if (Keys.length > 0) throw new Error(`DynamoDB left ${Keys.length} things unread`);
    return rows;
  }
}

/** Presence may have made a row before the thing has described itself. */
function described(rows: readonly Row[]): readonly VoiceThingRow[] {
  return rows
    .filter(({ describedAt }) => describedAt !== undefined)
    .map((row) => parseRow(VoiceThingRow, row, `the row of ${row.pk}`));
}
