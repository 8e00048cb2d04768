import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { GrantRow, type GrantTarget, grantKey } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { Ports } from '../expiring-grants/ports.ts';

type Grants = Ports['grants'];

/** Grants in the access table, to end. */
export class EndedGrants implements Grants {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async endOf(person: string, target: GrantTarget): Promise<number | undefined> {
    const get = { TableName: this.#table, Key: grantKey(person, target), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(GrantRow, Item, `a grant of ${person}`).endsAt;
  }

  async end(person: string, target: GrantTarget, now: number): Promise<boolean> {
    const command = new DeleteCommand({
      TableName: this.#table,
      Key: grantKey(person, target),
      ConditionExpression: 'endsAt <= :now',
      ExpressionAttributeValues: { ':now': now },
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
