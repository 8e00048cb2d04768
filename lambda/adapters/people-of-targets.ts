import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { GRANTS_BY_TARGET, type GrantTarget, targetKey } from '@thingstead/contracts/grants';
import type { PeopleOfTargets } from '../voice-reports/ports.ts';

/** The access table's index of grants by what they are for. */
export class GrantsByTarget implements PeopleOfTargets {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async people(target: GrantTarget): Promise<readonly string[]> {
    const query = {
      TableName: this.#table,
      IndexName: GRANTS_BY_TARGET,
      KeyConditionExpression: 'target = :target',
      ExpressionAttributeValues: { ':target': targetKey(target) },
    };
    const people: string[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      people.push(...Items.map(({ person }) => String(person)));
    }
    return people;
  }
}
