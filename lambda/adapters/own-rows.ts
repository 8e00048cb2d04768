import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { identityKey, ProfileRow, personPartition, profileKey } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { People } from '../access/ports.ts';

type Row = Readonly<Record<string, unknown>>;

/** What the access table has about one person, for that person. */
export class OwnRows implements People {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async profile(person: string): Promise<ProfileRow | undefined> {
    const query = { TableName: this.#table, Key: profileKey(person), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(query));
    return Item && parseRow(ProfileRow, Item, `the profile of ${person}`);
  }

  async nameIdentity(person: string, identityId: string, before: string | undefined): Promise<boolean> {
    const TableName = this.#table;
    const profile = {
      TableName,
      Key: profileKey(person),
      UpdateExpression: 'SET person = :person, identityId = :identityId',
      ConditionExpression: before === undefined ? 'attribute_not_exists(identityId)' : 'identityId = :before',
      ExpressionAttributeValues: {
        ':person': person,
        ':identityId': identityId,
        ...(before !== undefined && { ':before': before }),
      },
    };
    const identity = {
      TableName,
      Item: { ...identityKey(identityId), person },
      ConditionExpression: 'attribute_not_exists(pk) OR person = :person',
      ExpressionAttributeValues: { ':person': person },
    };
    const old = before === undefined ? [] : [{ Delete: { TableName, Key: identityKey(before) } }];
    try {
      await this.#client.send(
        new TransactWriteCommand({ TransactItems: [{ Update: profile }, { Put: identity }, ...old] }),
      );
      return true;
    } catch (error) {
      if (error instanceof TransactionCanceledException) return false;
      throw error;
    }
  }

  async rows(person: string): Promise<readonly Row[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': personPartition(person) },
      ConsistentRead: true,
    };
    const found: Row[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) found.push(...Items);
    return found;
  }

  async removeRows(person: string): Promise<void> {
    const { pk, sk } = profileKey(person);
    for (const row of await this.rows(person)) if (row.sk !== sk) await this.#remove({ pk, sk: String(row.sk) });
    await this.#remove({ pk, sk });
  }

  removeIdentity(identityId: string): Promise<void> {
    return this.#remove(identityKey(identityId));
  }

  async #remove(Key: { readonly pk: string; readonly sk: string }): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key }));
  }
}
