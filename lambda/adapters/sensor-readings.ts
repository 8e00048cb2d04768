import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { LatestItem, latestKey } from '@thingstead/contracts/telemetry-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { SensorReading, SensorReadings } from '../voice/ports.ts';

/** Latest values of single sensors, in the aggregates table. */
export class LatestSensorReadings implements SensorReadings {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async latest(thing: string, sensor: string): Promise<SensorReading | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key: latestKey(thing, sensor) }));
    if (!Item) return undefined;
    const { value, time, receivedAt } = parseRow(LatestItem, Item, `the latest ${sensor} of ${thing}`);
    return { value, at: time, receivedAt };
  }
}
