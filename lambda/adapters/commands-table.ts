import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import {
  COMMAND_PREFIX,
  CommandRow,
  commandKey,
  type LateOutcome,
  WAITING_COMMANDS,
} from '@thingstead/contracts/command-store';
import type { CommandState } from '@thingstead/contracts/commands';
import { parseRow } from '@thingstead/contracts/validate';
import { isWaiting } from '../command-deliveries/life-cycle.ts';
import type { Commands, Step } from '../command-deliveries/ports.ts';

/** The commands table in DynamoDB, as far as commands go on in it. */
export class CommandsTable implements Commands {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(thing: string, id: string): Promise<CommandRow | undefined> {
    const key = { TableName: this.#table, Key: commandKey(thing, id), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    return Item && parseRow(CommandRow, Item, `command ${id} of ${thing}`);
  }

  change(command: CommandRow, from: CommandState, step: Step): Promise<boolean> {
    const members = Object.entries(step).filter(([, value]) => value !== undefined);
    const assignments = members.map(([name]) => `#${name} = :${name}`).join(', ');
    return this.#update(command, {
      // What has ended leaves the index of those that wait.
      UpdateExpression: `SET ${assignments}${isWaiting(step) ? '' : ' REMOVE waiting'}`,
      ConditionExpression: '#state = :from',
      // Some of these names are reserved words of DynamoDB.
      ExpressionAttributeNames: Object.fromEntries(members.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':from': from,
        ...Object.fromEntries(members.map(([name, value]) => [`:${name}`, value])),
      },
    });
  }

  recordLate(command: CommandRow, outcome: LateOutcome): Promise<boolean> {
    return this.#update(command, {
      UpdateExpression: 'SET lateOutcome = :outcome',
      ConditionExpression: '#state = :expired AND attribute_not_exists(lateOutcome)',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':outcome': outcome, ':expired': 'EXPIRED' },
    });
  }

  advance(command: CommandRow, to: number): Promise<boolean> {
    return this.#update(command, {
      UpdateExpression: 'SET tick = :to',
      ConditionExpression: 'tick < :to',
      ExpressionAttributeValues: { ':to': to },
    });
  }

  async waiting(thing: string, limit: number): Promise<readonly string[]> {
    const query = {
      TableName: this.#table,
      IndexName: WAITING_COMMANDS,
      KeyConditionExpression: 'waiting = :thing',
      ExpressionAttributeValues: { ':thing': thing },
      Limit: limit,
    };
    const { Items = [] } = await this.#client.send(new QueryCommand(query));
    return Items.map(({ sk }) => String(sk).slice(COMMAND_PREFIX.length));
  }

  /** False when the condition does not hold. */
  async #update(
    { thing, id }: Pick<CommandRow, 'thing' | 'id'>,
    update: Omit<UpdateCommandInput, 'TableName' | 'Key'>,
  ): Promise<boolean> {
    try {
      await this.#client.send(new UpdateCommand({ TableName: this.#table, Key: commandKey(thing, id), ...update }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
