import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import {
  counterName,
  ROLLOUT_COUNTERS_PREFIX,
  ROLLOUT_EVENT_PREFIX,
  ROLLOUTS_PARTITION,
  type RolloutDeviceRow,
  RolloutEvent,
  RolloutRow,
  rolloutCountersKey,
  rolloutDeviceKey,
  rolloutEventKey,
  rolloutKey,
  rolloutListKey,
} from '@thingstead/contracts/rollout-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { Counts, RolloutLists, Rollouts } from '../rollouts/ports.ts';
import { batchGet } from './batch-get.ts';
import { definedMembers } from './defined-members.ts';
import { isConditionFailed, throughConflicts } from './transaction-conflicts.ts';

type Action = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** Rollouts in the firmware table: their rows, counts and decisions. */
export class RolloutsTable implements Rollouts, RolloutLists {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(id: string): Promise<RolloutRow | undefined> {
    const get = { TableName: this.#table, Key: rolloutKey(id), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(RolloutRow, Item, `rollout ${id}`);
  }

  create(row: RolloutRow, event: RolloutEvent): Promise<boolean> {
    return this.#transact([
      this.#put({ ...rolloutKey(row.id), ...row }),
      this.#put({ ...rolloutListKey(row.id) }),
      this.#put({ ...rolloutEventKey(row.id, event.number), ...event }),
    ]);
  }

  async advance(was: RolloutRow, next: RolloutRow, event?: RolloutEvent): Promise<boolean> {
    const put = this.#put({ ...rolloutKey(was.id), ...next }, was);
    if (event) return this.#transact([put, this.#put({ ...rolloutEventKey(was.id, event.number), ...event })]);
    try {
      // A put it is.
      await this.#client.send(new PutCommand(put.Put as NonNullable<Action['Put']>));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  expand(was: RolloutRow, next: RolloutRow, devices: readonly RolloutDeviceRow[]): Promise<boolean> {
    const row = this.#put({ ...rolloutKey(was.id), ...next }, was);
    const rows = devices.map((each) => this.#put({ ...rolloutDeviceKey(was.id, each.order, each.thing), ...each }));
    const skipped = devices.filter(({ state }) => state === 'SKIPPED').length;
    return this.#transact([row, ...rows, ...this.#count(was.id, devices.length - skipped, skipped)]);
  }

  async counts(id: string): Promise<Counts> {
    const counts: Record<string, number> = {};
    for (const { pk, sk, ...members } of await this.#beginning(id, ROLLOUT_COUNTERS_PREFIX)) {
      for (const [name, count] of Object.entries(members)) counts[name] = (counts[name] ?? 0) + Number(count);
    }
    return counts;
  }

  async list(before: string | undefined, limit: number): Promise<readonly RolloutRow[]> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: `pk = :all${before === undefined ? '' : ' AND sk < :before'}`,
        ExpressionAttributeValues: {
          ':all': ROLLOUTS_PARTITION,
          ...(before !== undefined && { ':before': before }),
        },
        ScanIndexForward: false,
        Limit: limit,
        ConsistentRead: true,
      }),
    );
    const keys = Items.map(({ sk }) => ({ ...rolloutKey(String(sk)) }));
    const items = await batchGet(this.#client, this.#table, keys, { ConsistentRead: true });
    const rows = items.map((item) => parseRow(RolloutRow, item, `${item.pk}`));
    return rows.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  async events(id: string): Promise<readonly RolloutEvent[]> {
    const items = await this.#beginning(id, ROLLOUT_EVENT_PREFIX);
    return items.map((item) => parseRow(RolloutEvent, item, `${item.pk} ${item.sk}`));
  }

  async #beginning(id: string, prefix: string): Promise<readonly Record<string, unknown>[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :rollout AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':rollout': rolloutKey(id).pk, ':prefix': prefix },
      ConsistentRead: true,
    };
    const found: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) found.push(...Items);
    return found;
  }

  /** Whatever shard: they are summed up. */
  #count(id: string, pending: number, skipped: number): readonly Action[] {
    if (pending + skipped === 0) return [];
    const update = {
      TableName: this.#table,
      Key: rolloutCountersKey(id, 0),
      UpdateExpression: 'ADD #pending :pending, #skipped :skipped',
      ExpressionAttributeNames: {
        '#pending': counterName('PENDING', undefined),
        '#skipped': counterName('SKIPPED', undefined),
      },
      ExpressionAttributeValues: { ':pending': pending, ':skipped': skipped },
    };
    return [{ Update: update }];
  }

  /** Over this one, if it is still there as it was; else only where nothing is yet. */
  #put(row: Record<string, unknown>, was?: RolloutRow): Action {
    const same = {
      ConditionExpression: 'revision = :revision',
      ExpressionAttributeValues: { ':revision': was?.revision },
    };
    const none = { ConditionExpression: 'attribute_not_exists(pk)' };
    return { Put: { TableName: this.#table, Item: definedMembers(row), ...(was ? same : none) } };
  }

  /** False when a condition does not hold. */
  async #transact(TransactItems: Action[]): Promise<boolean> {
    try {
      await throughConflicts(() => this.#client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }
}
