import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import {
  COMMAND_PREFIX,
  CommandRow,
  commandKey,
  IdempotencyRow,
  idempotencyKey,
} from '@thingstead/contracts/command-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { GivenCommands, GivenKey } from '../commands/ports.ts';

/** Others were there first, or are just now: reading again tells. */
const BY_OTHERS = ['ConditionalCheckFailed', 'TransactionConflict'];

/** The commands table in DynamoDB, as far as commands are given and listed. */
export class GivenCommandsTable implements GivenCommands {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async underKey(person: string, key: string): Promise<IdempotencyRow | undefined> {
    const get = { TableName: this.#table, Key: idempotencyKey(person, key), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(IdempotencyRow, Item, `a key of ${person}`);
  }

  async create(command: CommandRow, { person, key, row }: GivenKey, now: number): Promise<boolean> {
    const TableName = this.#table;
    const keyPut = {
      TableName,
      Item: { ...idempotencyKey(person, key), ...row },
      ConditionExpression: 'attribute_not_exists(pk) OR endsAt <= :now',
      ExpressionAttributeValues: { ':now': now },
    };
    const commandPut = {
      TableName,
      Item: { ...commandKey(command.thing, command.id), ...command },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    try {
      await this.#client.send(new TransactWriteCommand({ TransactItems: [{ Put: keyPut }, { Put: commandPut }] }));
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = (error.CancellationReasons ?? []).flatMap(({ Code }) => (Code && Code !== 'None' ? [Code] : []));
      if (reasons.length === 0 || !reasons.every((reason) => BY_OTHERS.includes(reason))) throw error;
      return false;
    }
  }

  async list(
    thing: string,
    { from, before, limit }: { readonly from: string; readonly before: string | undefined; readonly limit: number },
  ): Promise<{ readonly rows: readonly CommandRow[]; readonly more: boolean }> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :thing AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':thing': thing,
        ':from': `${COMMAND_PREFIX}${from}`,
        // No id is as great as the second.
        ':to': `${COMMAND_PREFIX}${before ?? '~'}`,
      },
      ScanIndexForward: false,
      // BETWEEN takes its ends in: one more, for the one with which the page before ended.
      Limit: before === undefined ? limit : limit + 1,
      ConsistentRead: true,
    };
    const { Items = [], LastEvaluatedKey } = await this.#client.send(new QueryCommand(query));
    const rows = Items.map((item) => parseRow(CommandRow, item, `a command of ${thing}`));
    return { rows: rows.filter(({ id }) => id !== before).slice(0, limit), more: LastEvaluatedKey !== undefined };
  }
}
