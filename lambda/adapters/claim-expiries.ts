import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { CLAIMS_BY_EXPIRY } from '@thingstead/contracts/registration';
import type { Claims } from '../certificate-expiries/ports.ts';

/** The index of claims in the registration table. */
export class ClaimExpiries implements Claims {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async countOf(day: string): Promise<number> {
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#table,
        IndexName: CLAIMS_BY_EXPIRY,
        KeyConditionExpression: 'expiresOn = :day',
        ExpressionAttributeValues: { ':day': day },
        Select: 'COUNT',
      },
    );
    let count = 0;
    for await (const { Count = 0 } of pages) count += Count;
    return count;
  }
}
