import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { parseRow } from '@thingstead/contracts/validate';
import { ReportedRow, reportedKey } from '@thingstead/contracts/voice';
import type { Reported } from '../voice-reports/ports.ts';

/** What Alexa was told, in the voice table. */
export class ReportedChanges implements Reported {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async last(person: string, thing: string): Promise<ReportedRow | undefined> {
    const key = { TableName: this.#table, Key: reportedKey(person, thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    return Item && parseRow(ReportedRow, Item, `what ${person} was told of ${thing}`);
  }

  /** A later change may have been written while this one was sent: it stays. */
  async write(person: string, thing: string, { version, at }: ReportedRow): Promise<void> {
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...reportedKey(person, thing), version, at },
          ConditionExpression: 'attribute_not_exists(pk) OR version < :version OR #at < :at',
          ExpressionAttributeNames: { '#at': 'at' },
          ExpressionAttributeValues: { ':version': version, ':at': at },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async forget(person: string, thing: string): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key: reportedKey(person, thing) }));
  }
}
