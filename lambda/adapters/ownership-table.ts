import { type DynamoDBDocumentClient, GetCommand, paginateQuery, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import {
  CodeRow,
  codeKey,
  GrantRow,
  type GrantTarget,
  grantKey,
  OwnerRow,
  ownerKey,
  targetKey,
  thingCodeKey,
} from '@thingstead/contracts/grants';
import {
  MemberRow,
  memberKey,
  memberPrefix,
  OwnedThingsRow,
  ownedThingsKey,
  ThingCodesRow,
  TurnRow,
  turnKey,
} from '@thingstead/contracts/ownership';
import { parseRow } from '@thingstead/contracts/validate';
import type * as v from 'valibot';
import type { Change, Owner, Rows } from '../pairing/ports.ts';
import { GrantsTable } from './grants-table.ts';
import { actionOf } from './ownership-changes.ts';
import { isConditionFailed, throughConflicts } from './transaction-conflicts.ts';

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Owners, grants and what decides about them, in the access table. */
export class OwnershipTable implements Rows {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #grants: GrantsTable;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
    this.#grants = new GrantsTable(client, table);
  }

  owner(target: GrantTarget): Promise<Owner | undefined> {
    return this.#get(OwnerRow, ownerKey(target));
  }

  async members(holder: GrantTarget, of?: GrantTarget): Promise<readonly MemberRow[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :holder AND begins_with(sk, :member)',
      ExpressionAttributeValues: { ':holder': targetKey(holder), ':member': memberPrefix(of) },
      ConsistentRead: true,
    };
    const found: MemberRow[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      found.push(...Items.map((row) => parseRow(MemberRow, row, `a member of ${targetKey(holder)}`)));
    }
    return found;
  }

  member(holder: GrantTarget, of: GrantTarget, person: string): Promise<MemberRow | undefined> {
    return this.#get(MemberRow, memberKey(holder, of, person));
  }

  grant(person: string, target: GrantTarget): Promise<GrantRow | undefined> {
    return this.#get(GrantRow, grantKey(person, target));
  }

  grants(person: string): Promise<readonly GrantRow[]> {
    return this.#grants.all(person);
  }

  async turn(person: string): Promise<TurnRow> {
    return (await this.#get(TurnRow, turnKey(person))) ?? { turn: 0 };
  }

  async ownedThings(site: string): Promise<number> {
    return (await this.#get(OwnedThingsRow, ownedThingsKey(site)))?.things ?? 0;
  }

  code(selector: string): Promise<CodeRow | undefined> {
    return this.#get(CodeRow, codeKey(selector));
  }

  async codesOf(thing: string): Promise<readonly string[]> {
    return (await this.#get(ThingCodesRow, thingCodeKey(thing)))?.hashes ?? [];
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    const TransactItems = changes.map((change) => actionOf(change, this.#table));
    try {
      // Each call has a token of its own from the SDK: one that it sends again after a lost answer has no second effect.
      await throughConflicts(() => this.#client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  async #get<Schema extends v.GenericSchema>(schema: Schema, Key: Key): Promise<v.InferOutput<Schema> | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item && parseRow(schema, Item, `${Key.pk} ${Key.sk}`);
  }
}
