import {
  type DynamoDBDocumentClient,
  paginateQuery,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import {
  decodeHourItem,
  type HourItem,
  historyKey,
  LatestItem,
  latestKey,
  StoredHourItem,
} from '@thingstead/contracts/telemetry-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { KeyRange, Readings, StoredMessage, StoredPage } from '../things/ports.ts';

/** The smallest text that follows another one in the order of DynamoDB's keys. */
const NEXT = '\u0000';

/** History and roll-ups, to read. The client must translate numbers as `translation` of the aggregates table says. */
export class StoredReadings implements Readings {
  readonly #client: DynamoDBDocumentClient;
  readonly #history: string;
  readonly #aggregates: string;

  constructor(client: DynamoDBDocumentClient, tables: { readonly history: string; readonly aggregates: string }) {
    this.#client = client;
    this.#history = tables.history;
    this.#aggregates = tables.aggregates;
  }

  async messages(
    thing: string,
    sensor: string,
    range: KeyRange,
    { limit, batchesOnly = false }: { readonly limit?: number; readonly batchesOnly?: boolean },
  ): Promise<StoredPage<StoredMessage>> {
    const page = await this.#query(this.#history, historyKey(thing, sensor), range, {
      ...(limit !== undefined && { Limit: limit }),
      ...(batchesOnly && { FilterExpression: 'attribute_exists(readings)' }),
    });
    const items = page.items.map((item) => ({ ...item, sk: String(item.sk) }));
    return { items, rest: page.rest };
  }

  async hours(thing: string, sensor: string, range: KeyRange, limit: number): Promise<StoredPage<HourItem>> {
    const pk = historyKey(thing, sensor);
    const { items, rest } = await this.#query(this.#aggregates, pk, range, { Limit: limit });
    return { items: items.map((item) => decodeHourItem(parseRow(StoredHourItem, item, `${pk} ${item.sk}`))), rest };
  }

  async latest(thing: string): Promise<readonly LatestItem[]> {
    const { pk, sk } = latestKey(thing, '');
    const query = {
      TableName: this.#aggregates,
      KeyConditionExpression: 'pk = :thing AND begins_with(sk, :latest)',
      ExpressionAttributeValues: { ':thing': pk, ':latest': sk },
    };
    const found: LatestItem[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      found.push(...Items.map((item) => parseRow(LatestItem, item, `${pk} ${item.sk}`)));
    }
    return found;
  }

  /** BETWEEN includes its end, and no key is a bare time: `to` is excluded. */
  async #query(
    TableName: string,
    pk: string,
    { from, to }: KeyRange,
    options: { readonly Limit?: number; readonly FilterExpression?: string },
  ): Promise<StoredPage<Record<string, unknown>>> {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await this.#client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': pk, ':from': from, ':to': to },
        ...options,
      }),
    );
    return { items: Items, rest: LastEvaluatedKey && { from: `${LastEvaluatedKey.sk}${NEXT}`, to } };
  }
}
