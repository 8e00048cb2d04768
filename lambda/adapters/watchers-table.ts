import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import {
  ProfileRow,
  personPartition,
  type Target,
  ThingPreferencesRow,
  watcherKey,
} from '@thingstead/contracts/notifications';
import { parseRow } from '@thingstead/contracts/validate';
import type { Directory, Person } from '../notifications/ports.ts';

const PERSON = personPartition('');
const THING = 'thing#';

/** People, their preferences and what they watch, in the notifications table. */
export class WatchersTable implements Directory {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async watchers(target: Target): Promise<readonly string[]> {
    const rows = await this.#rows(watcherKey(target, '').pk, PERSON);
    return rows.map(({ sk }) => String(sk).slice(PERSON.length));
  }

  async person(id: string): Promise<Person> {
    const pk = personPartition(id);
    const [profiles, things] = await Promise.all([this.#rows(pk, 'profile'), this.#rows(pk, THING)]);
    const { topicArn, preferences = {} } = parseRow(ProfileRow, profiles[0] ?? {}, `the profile of ${id}`);
    const byThing = things.map((row) => {
      const thing = String(row.sk).slice(THING.length);
      return [thing, parseRow(ThingPreferencesRow, row, `preferences of ${id} for ${thing}`).preferences] as const;
    });
    return { topicArn, preferences, things: new Map(byThing) };
  }

  /** Consistent: what a person has asked for holds at once. */
  async #rows(pk: string, prefix: string): Promise<readonly Record<string, unknown>[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
      ConsistentRead: true,
    };
    const rows: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) rows.push(...Items);
    return rows;
  }
}
