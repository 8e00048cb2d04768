import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  NumberValue,
  PutCommand,
  type TranslateConfig,
} from '@aws-sdk/lib-dynamodb';
import {
  decodeHourItem,
  encodeHourItem,
  type HourItem,
  hourKey,
  type LatestItem,
  RateItem,
  rateKey,
  StoredHourItem,
} from '@thingstead/contracts/telemetry-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { Aggregates } from '../telemetry/ports.ts';

/** How the client must translate: readings are doubles, also those beyond 2^53, which the client refuses otherwise. */
export const translation = {
  marshallOptions: { removeUndefinedValues: true },
  unmarshallOptions: { wrapNumbers: Number },
} satisfies TranslateConfig;

/** The aggregates table in DynamoDB. */
export class AggregatesTable implements Aggregates {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async hour(thing: string, sensor: string, hour: string): Promise<HourItem | undefined> {
    const key = hourKey(thing, sensor, hour);
    const item = await this.#get(key);
    return item && decodeHourItem(parseRow(StoredHourItem, item, `${key.pk} ${key.sk}`));
  }

  async rate(thing: string, hour: string): Promise<RateItem | undefined> {
    const key = rateKey(thing, hour);
    const item = await this.#get(key);
    return item && parseRow(RateItem, item, `${key.pk} ${key.sk}`);
  }

  replace(changed: HourItem | RateItem): Promise<boolean> {
    const item = 'minutes' in changed ? encodeHourItem(changed) : changed;
    return item.version === 1
      ? this.#put(item, 'attribute_not_exists(pk)')
      : this.#put(item, '#version = :before', { '#version': 'version' }, { ':before': item.version - 1 });
  }

  async putLatest(item: LatestItem): Promise<void> {
    const older = 'attribute_not_exists(pk) OR #time < :time OR (#time = :time AND messageId < :id)';
    await this.#put(item, older, { '#time': 'time' }, { ':time': item.time, ':id': item.messageId });
  }

  async #get(Key: { readonly pk: string; readonly sk: string }): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item;
  }

  async #put(
    item: object,
    ConditionExpression: string,
    ExpressionAttributeNames?: Record<string, string>,
    ExpressionAttributeValues?: Record<string, unknown>,
  ): Promise<boolean> {
    const Item = withLargeNumbers(item) as Record<string, unknown>;
    const expression = { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues };
    try {
      await this.#client.send(new PutCommand({ TableName: this.#table, Item, ...expression }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** The client takes a number beyond 2^53 only as text. */
function withLargeNumbers(value: unknown): unknown {
  if (typeof value === 'number')
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : NumberValue.from(`${value}`);
  if (Array.isArray(value)) return value.map(withLargeNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withLargeNumbers(member)]));
}
