import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  type GrantRow,
  identityKey,
  PersonId,
  ProfileRow,
  profileKey,
  SessionRow,
  sessionKey,
} from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { People, Sessions } from '../identity-policies/ports.ts';
import { GrantsTable } from './grants-table.ts';

const IdentityRow = v.object({ person: PersonId });

/** People, their identities and connections, in the access table. */
export class PeopleTable implements People, Sessions {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async profile(person: string): Promise<ProfileRow | undefined> {
    const row = await this.#get(profileKey(person));
    return row && parseRow(ProfileRow, row, `the profile of ${person}`);
  }

  grants(person: string): Promise<readonly GrantRow[]> {
    return new GrantsTable(this.#client, this.#table).all(person);
  }

  async personOf(identityId: string): Promise<string | undefined> {
    const row = await this.#get(identityKey(identityId));
    return row && parseRow(IdentityRow, row, `the person of ${identityId}`).person;
  }

  async noteReduction(person: string, at: number): Promise<void> {
    await unlessRefused(
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: profileKey(person),
          UpdateExpression: 'SET accessReducedAt = :at',
          ConditionExpression:
            'attribute_exists(pk) AND (attribute_not_exists(accessReducedAt) OR accessReducedAt < :at)',
          ExpressionAttributeValues: { ':at': at },
        }),
      ),
    );
  }

  async all(identityId: string): Promise<readonly SessionRow[]> {
    const { pk, sk } = sessionKey(identityId, '');
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :session)',
      ExpressionAttributeValues: { ':pk': pk, ':session': sk },
      ConsistentRead: true,
    };
    const found: SessionRow[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      found.push(...Items.map((row) => parseRow(SessionRow, row, `a connection of ${identityId}`)));
    }
    return found;
  }

  async forget(identityId: string, { clientId, connectedAt }: SessionRow): Promise<void> {
    await unlessRefused(
      this.#client.send(
        new DeleteCommand({
          TableName: this.#table,
          Key: sessionKey(identityId, clientId),
          ConditionExpression: 'connectedAt = :connectedAt',
          ExpressionAttributeValues: { ':connectedAt': connectedAt },
        }),
      ),
    );
  }

  async #get(Key: { readonly pk: string; readonly sk: string }): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item;
  }
}

/** A condition that does not hold means that there is nothing to do. */
async function unlessRefused(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
