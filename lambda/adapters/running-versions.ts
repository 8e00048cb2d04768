import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { listShardOf, thingKey } from '@thingstead/contracts/things';
import type { RunningFirmware, RunningVersions } from '../firmware-devices/ports.ts';

/**
 * The things table, as far as the version that runs is written to it. A description of the device writes the version, too: a device
 * says both at each start, so that they end alike.
 */
export class RunningVersionRows implements RunningVersions {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async write(thing: string, { version, counter, at }: RunningFirmware): Promise<boolean> {
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: thingKey(thing),
      UpdateExpression:
        'SET firmwareVersion = :version, firmwareShard = :shard, firmwareCounter = :counter, firmwareAt = :at',
      ConditionExpression: 'attribute_not_exists(firmwareAt) OR firmwareAt <= :at',
      ExpressionAttributeValues: {
        ':version': version,
        ':shard': listShardOf(version, thing),
        ':counter': counter,
        ':at': at,
      },
    });
    try {
      await this.#client.send(update);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
