import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { thingKey } from '@thingstead/contracts/things';
import type { Maintenance } from '../channels/ports.ts';

/** Maintenance in the things table: `mutedUntil`, which presence honours, and who has set it. */
export class ThingMaintenance implements Maintenance {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async mute(thing: string, until: number | undefined, by: string): Promise<boolean> {
    const change =
      until === undefined
        ? { UpdateExpression: 'REMOVE mutedUntil, mutedBy' }
        : {
            UpdateExpression: 'SET mutedUntil = :until, mutedBy = :by',
            ExpressionAttributeValues: { ':until': until, ':by': by },
          };
    const condition = { ConditionExpression: 'attribute_exists(pk)' };
    try {
      await this.#client.send(
        new UpdateCommand({ TableName: this.#table, Key: thingKey(thing), ...condition, ...change }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
