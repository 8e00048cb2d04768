import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Things } from '../command-deliveries/ports.ts';

const Presence = v.object({ presence: v.optional(v.object({ connected: v.boolean() })) });

/** The things table in DynamoDB: which things there are, and whether presence takes them for connected. */
export class ConnectedThings implements Things {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async find(thing: string): Promise<{ readonly connected: boolean } | undefined> {
    const get = {
      TableName: this.#table,
      Key: thingKey(thing),
      // Also there when presence knows nothing of it.
      ProjectionExpression: 'pk, presence.connected',
      ConsistentRead: true,
    };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && { connected: parseRow(Presence, Item, `the row of ${thing}`).presence?.connected ?? false };
  }
}
