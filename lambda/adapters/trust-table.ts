import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { TRUST_PARTITION, TrustRow, trustKey } from '@thingstead/contracts/firmware-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { Page, TrustDocuments } from '../firmware/ports.ts';

/** Trust documents in the firmware table. */
export class TrustTable implements TrustDocuments {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async newest(): Promise<TrustRow | undefined> {
    return (await this.list({ before: undefined, limit: 1 })).rows[0];
  }

  list({
    before = Number.MAX_SAFE_INTEGER,
    limit,
  }: {
    readonly before: number | undefined;
    readonly limit: number;
  }): Promise<Page<TrustRow>> {
    return this.#query({
      KeyConditionExpression: 'pk = :trust AND sk < :before',
      ExpressionAttributeValues: { ':trust': TRUST_PARTITION, ':before': trustKey(before).sk },
      ScanIndexForward: false,
      Limit: limit,
    });
  }

  /** Those after a version, the oldest first. */
  async after(version: number, limit: number): Promise<readonly TrustRow[]> {
    const page = await this.#query({
      KeyConditionExpression: 'pk = :trust AND sk > :version',
      ExpressionAttributeValues: { ':trust': TRUST_PARTITION, ':version': trustKey(version).sk },
      Limit: limit,
    });
    return page.rows;
  }

  async create(row: TrustRow): Promise<boolean> {
    const Item = { ...trustKey(row.trust.version), ...row };
    try {
      await this.#client.send(
        new PutCommand({ TableName: this.#table, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #query(query: Omit<QueryCommandInput, 'TableName'>): Promise<Page<TrustRow>> {
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({ TableName: this.#table, ConsistentRead: true, ...query }),
    );
    const rows = Items.map((item) => parseRow(TrustRow, item, `trust document ${item.sk}`));
    return { rows, more: LastEvaluatedKey !== undefined };
  }
}
