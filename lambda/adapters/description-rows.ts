import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { DescribedThing } from '@thingstead/contracts/onboarding';
import { dueShardOf, listShardOf, thingKey, WHOLE_FLEET } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { Descriptions } from '../onboarding/ports.ts';

/** Goes when a description has it no more. */
const OPTIONAL = ['site', 'gateway', 'thingType', 'typeShard'] as const;

/** The things table in DynamoDB, as far as on-boarding writes to it. */
export class DescriptionRows implements Descriptions {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async last(thing: string): Promise<DescribedThing | undefined> {
    const key = { TableName: this.#table, Key: thingKey(thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    // Presence may have made the row.
    return Item?.describedAt === undefined ? undefined : parseRow(DescribedThing, Item, `the row of ${thing}`);
  }

  async write(description: DescribedThing, dueAt: number | undefined): Promise<boolean> {
    const members = { ...description, ...listMembers(description) };
    const set = Object.entries(members);
    const gone = OPTIONAL.filter((name) => members[name] === undefined);
    const due = ['dueShard = if_not_exists(dueShard, :dueShard)', 'dueAt = if_not_exists(dueAt, :dueAt)'];
    const assignments = [...set.map(([name]) => `#${name} = :${name}`), ...(dueAt === undefined ? [] : due)];
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: thingKey(description.thing),
          UpdateExpression: `SET ${assignments.join(', ')}${gone.length > 0 ? ` REMOVE ${gone.map((name) => `#${name}`).join(', ')}` : ''}`,
          ConditionExpression: 'attribute_not_exists(describedAt) OR describedAt < :describedAt',
          // Some of these names are reserved words of DynamoDB.
          ExpressionAttributeNames: Object.fromEntries(
            [...set.map(([name]) => name), ...gone].map((name) => [`#${name}`, name]),
          ),
          ExpressionAttributeValues: {
            ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
            ...(dueAt !== undefined && { ':dueShard': dueShardOf(description.thing), ':dueAt': dueAt }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** The partitions of the lists in which the thing is; `site` is one too. */
function listMembers({ thing, thingType, firmwareVersion }: DescribedThing): {
  readonly fleetShard: string;
  readonly firmwareShard: string;
  readonly typeShard?: string;
} {
  return {
    fleetShard: listShardOf(WHOLE_FLEET, thing),
    firmwareShard: listShardOf(firmwareVersion, thing),
    ...(thingType !== undefined && { typeShard: listShardOf(thingType, thing) }),
  };
}
