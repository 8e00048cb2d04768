import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { TRANSFER_PREFIX, TransferRow, transferKey } from '@thingstead/contracts/file-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { TransferLists } from '../files/ports.ts';

/** The files table in DynamoDB, to list what is in it. */
export class TransferListsTable implements TransferLists {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async page(thing: string, before: string | undefined, limit: number) {
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :thing AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':thing': thing, ':prefix': TRANSFER_PREFIX },
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: limit,
        ...(before !== undefined && { ExclusiveStartKey: transferKey(thing, before) }),
      }),
    );
    const rows = Items.map((item) => parseRow(TransferRow, item, `a transfer of ${thing}`));
    return { rows, more: LastEvaluatedKey !== undefined };
  }
}
