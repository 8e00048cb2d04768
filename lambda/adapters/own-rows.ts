import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { identityKey, ProfileRow, personPartition, profileKey } from '@thingstead/contracts/grants';
import { turnKey } from '@thingstead/contracts/ownership';
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

  /** A turn that was read before is not to be taken any more. */
  async close(person: string, until: number): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: turnKey(person),
        UpdateExpression: 'SET turn = if_not_exists(turn, :none) + :one, closedUntil = :until, expiresAt = :expiresAt',
        ExpressionAttributeValues: {
          ...{ ':none': 0, ':one': 1 },
          ...{ ':until': until, ':expiresAt': Math.ceil(until / 1000) },
        },
      }),
    );
  }

  async reopen(person: string): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: turnKey(person),
        UpdateExpression: 'REMOVE closedUntil, expiresAt',
        ConditionExpression: 'attribute_exists(pk)',
      }),
    );
  }

  rows(person: string): Promise<readonly Row[]> {
    return this.#partition(personPartition(person));
  }

  async connections(person: string): Promise<readonly Row[]> {
    const identityId = (await this.profile(person))?.identityId;
    if (identityId === undefined) return [];
    const { pk, sk } = identityKey(identityId);
    return (await this.#partition(pk)).filter((row) => row.sk !== sk);
  }

  async removeRows(person: string): Promise<void> {
    const profile = profileKey(person);
    const later = [profile.sk, turnKey(person).sk];
    const rows = (await this.rows(person)).map(({ sk }) => ({ pk: profile.pk, sk: String(sk) }));
    for (const row of rows) if (!later.includes(row.sk)) await this.#remove(row);
    await this.#remove(profile);
  }

  removeIdentity(identityId: string): Promise<void> {
    return this.#remove(identityKey(identityId));
  }

  async #partition(pk: string): Promise<readonly Row[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
    };
    const found: Row[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) found.push(...Items);
    return found;
  }

  async #remove(Key: { readonly pk: string; readonly sk: string }): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key }));
  }
}
