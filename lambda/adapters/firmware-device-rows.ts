import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { FirmwareDeviceRow, firmwareDeviceKey } from '@thingstead/contracts/rollout-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { FirmwareDevices, RunningFirmware } from '../firmware-devices/ports.ts';

/** What each device runs and is offered, in the firmware table. */
export class FirmwareDeviceRows implements FirmwareDevices {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(thing: string): Promise<FirmwareDeviceRow | undefined> {
    const get = { TableName: this.#table, Key: firmwareDeviceKey(thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(FirmwareDeviceRow, Item, `the firmware of ${thing}`);
  }

  /** The same again is written again. */
  async writeRunning(thing: string, running: RunningFirmware): Promise<boolean> {
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: firmwareDeviceKey(thing),
      UpdateExpression: 'SET running = :running',
      ConditionExpression: 'attribute_not_exists(running) OR running.#at <= :at',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':running': withoutUndefined(running), ':at': running.at },
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

/** DynamoDB stores no `undefined`. */
function withoutUndefined(running: RunningFirmware): Record<string, unknown> {
  return Object.fromEntries(Object.entries(running).filter(([, value]) => value !== undefined));
}
