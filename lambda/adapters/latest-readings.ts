import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { latestKey } from '@thingstead/contracts/telemetry-store';
import type { Readings } from '../presence/ports.ts';

/** The latest values in the aggregates table. */
export class LatestReadings implements Readings {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** A thing has few sensors: their items fit one page. */
  async lastArrival(thing: string): Promise<number | undefined> {
    const { pk, sk } = latestKey(thing, '');
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :thing AND begins_with(sk, :latest)',
        ProjectionExpression: 'receivedAt',
        ExpressionAttributeValues: { ':thing': pk, ':latest': sk },
      }),
    );
    const arrivals = Items.map(({ receivedAt }) => Number(receivedAt)).filter(Number.isFinite);
    return arrivals.length > 0 ? Math.max(...arrivals) : undefined;
  }
}
