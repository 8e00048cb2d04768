import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { RolloutRow, rolloutKey } from '@thingstead/contracts/rollout-store';
import { parseRow } from '@thingstead/contracts/validate';

/** Rollouts in the firmware table, as far as grants depend on them. */
export class RolloutStates {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(id: string): Promise<RolloutRow | undefined> {
    const get = { TableName: this.#table, Key: rolloutKey(id), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(RolloutRow, Item, `rollout ${id}`);
  }
}
