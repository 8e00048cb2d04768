import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { OwnerRow, ownerKey } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import { targetsAbout } from '../authorization/access.ts';
import type { Owners } from '../things/ports.ts';

/** Who owns what, in the access table. */
export class OwnerRows implements Owners {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** One or two keys: DynamoDB leaves nothing of so little unprocessed unless it throttles, which is an error then. */
  async since(thing: string): Promise<number | undefined> {
    const Keys = targetsAbout({ kind: 'thing', name: thing }).map(ownerKey);
    const { Responses, UnprocessedKeys = {} } = await this.#client.send(
      new BatchGetCommand({ RequestItems: { [this.#table]: { Keys, ConsistentRead: true } } }),
    );
    if (Object.keys(UnprocessedKeys).length > 0) throw new Error('DynamoDB left owners unread');
    const rows = (Responses?.[this.#table] ?? []).map((row) => parseRow(OwnerRow, row, `the owner of ${thing}`));
    return rows.length === 0 ? undefined : Math.max(...rows.map(({ since }) => since));
  }
}
