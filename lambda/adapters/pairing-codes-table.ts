import { type DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { codeKey, type GrantTarget, ownerKey, thingCodeKey } from '@thingstead/contracts/grants';
import { ThingCodesRow } from '@thingstead/contracts/ownership';
import { parseRow } from '@thingstead/contracts/validate';
import type { Codes, NewCode } from '../pairing-codes/ports.ts';
import { isConditionFailed, throughConflicts } from './transaction-conflicts.ts';

/** Pairing codes in the access table: one row by selector, and one by thing that says which of them hold. */
export class PairingCodesTable implements Codes {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async hasOwner(target: GrantTarget): Promise<boolean> {
    return (await this.#get(ownerKey(target))) !== undefined;
  }

  async shown(thing: string): Promise<ThingCodesRow | undefined> {
    const row = await this.#get(thingCodeKey(thing));
    return row && parseRow(ThingCodesRow, row, `the codes of ${thing}`);
  }

  async put({ selector, row, shown, before, now }: NewCode): Promise<boolean> {
    const TableName = this.#table;
    const byThing = before
      ? {
          ConditionExpression: '#request = :request AND asked = :asked AND windowEndsAt = :windowEndsAt',
          // A reserved word of DynamoDB.
          ExpressionAttributeNames: { '#request': 'request' },
          ExpressionAttributeValues: {
            ':request': before.request,
            ':asked': before.asked,
            ':windowEndsAt': before.windowEndsAt,
          },
        }
      : { ConditionExpression: 'attribute_not_exists(pk)' };
    const TransactItems = [
      {
        Put: {
          TableName,
          Item: { ...codeKey(selector), ...row },
          ConditionExpression: 'attribute_not_exists(pk) OR endsAt <= :now OR attemptsLeft <= :none',
          ExpressionAttributeValues: { ':now': now, ':none': 0 },
        },
      },
      { Put: { TableName, Item: { ...thingCodeKey(row.thing), ...shown, expiresAt: row.expiresAt }, ...byThing } },
    ];
    try {
      await throughConflicts(() => this.#client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  async #get(Key: ReturnType<typeof codeKey>): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item;
  }
}
