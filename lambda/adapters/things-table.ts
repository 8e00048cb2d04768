import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { PendingNotice, pendingNoticeKey } from '@thingstead/contracts/notices';
import { PresenceRow, type PresenceState } from '@thingstead/contracts/presence';
import { listShardOf, siteOf, THINGS_INDEXES, thingKey, WHOLE_FLEET } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { IndexEntries, PendingThing, Things } from '../presence/ports.ts';

type Row = Record<string, unknown>;

const BASIS = ['gateway', 'thingType'] as const;

/** The things table in DynamoDB, as far as presence writes to it. */
export class ThingsTable implements Things {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(thing: string): Promise<PresenceRow | undefined> {
    const row = await this.#get(thingKey(thing));
    return row && parseRow(PresenceRow, row, `the row of ${thing}`);
  }

  write(thing: string, presence: PresenceState, { pending, due, basis }: IndexEntries): Promise<boolean> {
    const members = {
      presence,
      noticeGroup: pending?.groupKey,
      noticeDueAt: pending?.dueAt,
      dueShard: due?.shard,
      dueAt: due?.dueAt,
    };
    const set = Object.entries({ ...members, ...listMembers(thing, presence) }).filter(
      ([, value]) => value !== undefined,
    );
    const removed = Object.entries(members).filter(([, value]) => value === undefined);
    const remove = removed.length > 0 ? ` REMOVE ${removed.map(([name]) => name).join(', ')}` : '';
    const first = presence.revision === 1;
    const conditions = [
      first ? 'attribute_not_exists(presence)' : 'presence.revision = :before',
      ...BASIS.map((name) => (basis[name] === undefined ? `attribute_not_exists(${name})` : `${name} = :${name}`)),
    ];
    return written(
      this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: thingKey(thing),
          UpdateExpression: `SET ${set.map(([name]) => `${name} = :${name}`).join(', ')}${remove}`,
          ConditionExpression: conditions.join(' AND '),
          ExpressionAttributeValues: {
            ...Object.fromEntries(Object.entries(basis).map(([name, value]) => [`:${name}`, value])),
            ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
            ...(!first && { ':before': presence.revision - 1 }),
          },
        }),
      ),
    );
  }

  async latestPending(groupKey: string, after: number, until: number): Promise<PendingThing | undefined> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        ...this.#pendingQuery(groupKey, after + 1, until),
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    return Items.map(pendingThing)[0];
  }

  pending(groupKey: string, from: number, until: number, limit: number): Promise<readonly PendingThing[]> {
    return this.#query(this.#pendingQuery(groupKey, from, until), limit, pendingThing);
  }

  overdue(shard: string, until: number, limit: number): Promise<readonly string[]> {
    const query = {
      TableName: this.#table,
      IndexName: THINGS_INDEXES.due,
      KeyConditionExpression: 'dueShard = :shard AND dueAt <= :until',
      ExpressionAttributeValues: { ':shard': shard, ':until': until },
    };
    return this.#query(query, limit, ({ pk }) => String(pk));
  }

  async notice(groupKey: string): Promise<PendingNotice | undefined> {
    const row = await this.#get(pendingNoticeKey(groupKey));
    return row && parseRow(PendingNotice, row, `the notice of ${groupKey}`);
  }

  writeNotice(groupKey: string, notice: PendingNotice): Promise<boolean> {
    const first = notice.revision === 1;
    return written(
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...pendingNoticeKey(groupKey), ...notice },
          ConditionExpression: first ? 'attribute_not_exists(pk)' : 'revision = :before',
          ...(!first && { ExpressionAttributeValues: { ':before': notice.revision - 1 } }),
        }),
      ),
    );
  }

  #pendingQuery(groupKey: string, from: number, until: number): QueryCommandInput {
    return {
      TableName: this.#table,
      IndexName: THINGS_INDEXES.notices,
      KeyConditionExpression: 'noticeGroup = :group AND noticeDueAt BETWEEN :from AND :until',
      ExpressionAttributeValues: { ':group': groupKey, ':from': from, ':until': until },
    };
  }

  async #query<Item>(query: QueryCommandInput, limit: number, map: (row: Row) => Item): Promise<readonly Item[]> {
    const found: Item[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client, pageSize: limit }, query)) {
      found.push(...Items.map(map));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async #get(Key: { readonly pk: string; readonly sk: string }): Promise<Row | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item;
  }
}

/**
 * The partitions of the lists in which the thing is. A thing that never describes itself has them from here. An index is
 * written only when its partition changes.
 */
function listMembers(thing: string, { connected }: PresenceState): Row {
  return {
    connectedShard: listShardOf(String(connected), thing),
    fleetShard: listShardOf(WHOLE_FLEET, thing),
    site: siteOf(thing),
  };
}

function pendingThing({ pk, noticeDueAt }: Row): PendingThing {
  return { thing: String(pk), dueAt: Number(noticeDueAt) };
}

/** False when another writer was faster. */
async function written(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
