import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ThingRow, thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { ThingRows } from '../things/ports.ts';

/** Single rows of the things table. */
export class ThingRowsTable implements ThingRows {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async row(thing: string): Promise<ThingRow | undefined> {
    const key = { TableName: this.#table, Key: thingKey(thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    return Item && parseRow(ThingRow, Item, `the row of ${thing}`);
  }

  async label(thing: string, label: string | undefined, labelledFor: number): Promise<ThingRow | undefined> {
    const change =
      label === undefined ? 'SET labelledFor = :for REMOVE #label' : 'SET labelledFor = :for, #label = :label';
    try {
      const { Attributes } = await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: thingKey(thing),
          UpdateExpression: change,
          ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(labelledFor) OR labelledFor <= :for)',
          ExpressionAttributeNames: { '#label': 'label' },
          ExpressionAttributeValues: { ':for': labelledFor, ...(label !== undefined && { ':label': label }) },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return parseRow(ThingRow, Attributes, `the row of ${thing}`);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}
