import { BatchGetCommand, type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { GRANT_PREFIX, GrantRow, type GrantTarget, grantKey, personPartition } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { Grants } from '../authorization/access.ts';

/** The grants in the access table, to read. */
export class GrantsTable implements Grants {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** One or two keys: DynamoDB leaves nothing of so little unprocessed unless it throttles, which is an error then. */
  async find(person: string, targets: readonly GrantTarget[]): Promise<readonly GrantRow[]> {
    const Keys = targets.map((target) => grantKey(person, target));
    const { Responses, UnprocessedKeys } = await this.#client.send(
      new BatchGetCommand({ RequestItems: { [this.#table]: { Keys, ConsistentRead: true } } }),
    );
    if (Object.keys(UnprocessedKeys ?? {}).length > 0) throw new Error('DynamoDB left grants unread');
    return (Responses?.[this.#table] ?? []).map((row) => parseRow(GrantRow, row, `a grant of ${person}`));
  }

  /** All grants of a person, in force or not, by a consistent read. */
  async all(person: string): Promise<readonly GrantRow[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :person AND begins_with(sk, :grant)',
      ExpressionAttributeValues: { ':person': personPartition(person), ':grant': GRANT_PREFIX },
      ConsistentRead: true,
    };
    const found: GrantRow[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      found.push(...Items.map((row) => parseRow(GrantRow, row, `a grant of ${person}`)));
    }
    return found;
  }
}
