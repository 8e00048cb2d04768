import { ConditionalCheckFailedException, type TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { FIRMWARE_BY_DUE } from '@thingstead/contracts/firmware-store';
import {
  counterName,
  ROLLOUT_COUNTER_SHARDS,
  ROLLOUT_DEVICE_PREFIX,
  RolloutDeviceRow,
  rolloutCountersKey,
  rolloutDeviceKey,
} from '@thingstead/contracts/rollout-store';
import { parseRow } from '@thingstead/contracts/validate';
import { SKIPPED_ORDER } from '../rollouts/candidates.ts';
import type { OfferChange, RolloutDeviceLists, RolloutDevices, Written } from '../rollouts/ports.ts';
import { batchGet } from './batch-get.ts';
import { definedMembers } from './defined-members.ts';
import { offerUpdate } from './offers-table.ts';
import { isConditionFailed, throughConflicts } from './transaction-conflicts.ts';

type Actions = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** Sorts before all characters that names are made of: with it behind a key, one begins beyond it. */
const BEYOND = '!';
/** Sorts behind all keys of devices. */
const END = '~';

/** Devices of rollouts in the firmware table. */
export class RolloutDevicesTable implements RolloutDevices, RolloutDeviceLists {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async find(rollout: string, order: string, thing: string): Promise<RolloutDeviceRow | undefined> {
    const get = { TableName: this.#table, Key: rolloutDeviceKey(rollout, order, thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(RolloutDeviceRow, Item, `${thing} in rollout ${rollout}`);
  }

  async page(rollout: string, after: string, limit: number): Promise<readonly RolloutDeviceRow[]> {
    const query = this.#between(rollout, `${after}${BEYOND}`, SKIPPED_ORDER);
    const { Items = [] } = await this.#client.send(new QueryCommand({ ...query, Limit: limit, ConsistentRead: true }));
    return Items.map(read);
  }

  async list(
    rollout: string,
    { after, limit, state }: { readonly after: string; readonly limit: number; readonly state: string | undefined },
  ): Promise<{ readonly rows: readonly RolloutDeviceRow[]; readonly next: string | undefined }> {
    const query = this.#between(rollout, `${after}${BEYOND}`, END);
    const filter = state !== undefined && {
      FilterExpression: '#state = :state',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ':state': state },
    };
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({ ...query, ...filter, Limit: limit }),
    );
    const next = LastEvaluatedKey && String(LastEvaluatedKey.sk).slice(ROLLOUT_DEVICE_PREFIX.length);
    return { rows: Items.map(read), next };
  }

  async due(shard: string, until: number, limit: number): Promise<readonly RolloutDeviceRow[]> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: FIRMWARE_BY_DUE,
        KeyConditionExpression: 'dueShard = :shard AND dueAt <= :until',
        ExpressionAttributeValues: { ':shard': shard, ':until': until },
        Limit: limit,
      }),
    );
    const keys = Items.map(({ pk, sk }) => ({ pk, sk }));
    return (await batchGet(this.#client, this.#table, keys, { ConsistentRead: true })).map(read);
  }

  async nextDueAt(shard: string): Promise<number | undefined> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: FIRMWARE_BY_DUE,
        KeyConditionExpression: 'dueShard = :shard',
        ExpressionAttributeValues: { ':shard': shard },
        Limit: 1,
      }),
    );
    return Items[0] && Number(Items[0].dueAt);
  }

  async write(was: RolloutDeviceRow, next: RolloutDeviceRow, offer?: OfferChange): Promise<Written> {
    const put = {
      TableName: this.#table,
      Item: definedMembers({ ...rolloutDeviceKey(next.rollout, next.order, next.thing), ...next }),
      ConditionExpression: 'revision = :revision',
      ExpressionAttributeValues: { ':revision': was.revision },
    };
    const counts = this.#count(was, next);
    if (!offer && counts.length === 0) return this.#putAlone(put);
    const offers = offer ? [offerUpdate(this.#table, next, offer)] : [];
    try {
      const TransactItems = [{ Put: put }, ...offers, ...counts];
      await throughConflicts(() => this.#client.send(new TransactWriteCommand({ TransactItems })));
      return 'written';
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      const [row] = (error as TransactionCanceledException).CancellationReasons ?? [];
      return row?.Code === 'ConditionalCheckFailed' ? 'raced' : 'held';
    }
  }

  async #putAlone(put: ConstructorParameters<typeof PutCommand>[0]): Promise<Written> {
    try {
      await this.#client.send(new PutCommand(put));
      return 'written';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'raced';
      throw error;
    }
  }

  #count(was: RolloutDeviceRow, next: RolloutDeviceRow): Actions {
    const [from, to] = [counterName(was.state, was.wave), counterName(next.state, next.wave)];
    if (from === to) return [];
    return [
      {
        Update: {
          TableName: this.#table,
          Key: rolloutCountersKey(next.rollout, shardOf(next.order)),
          UpdateExpression: 'ADD #from :less, #to :more',
          ExpressionAttributeNames: { '#from': from, '#to': to },
          ExpressionAttributeValues: { ':less': -1, ':more': 1 },
        },
      },
    ];
  }

  #between(rollout: string, from: string, to: string) {
    const range = {
      ':rollout': rolloutDeviceKey(rollout, '', '').pk,
      ':from': `${ROLLOUT_DEVICE_PREFIX}${from}`,
      ':to': `${ROLLOUT_DEVICE_PREFIX}${to}`,
    };
    return {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :rollout AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: range,
    } satisfies QueryCommandInput;
  }
}

function read(item: Record<string, unknown>): RolloutDeviceRow {
  return parseRow(RolloutDeviceRow, item, `${item.pk} ${item.sk}`);
}

/** The last digit of the hash in it: those that are started after each other count in different items. */
function shardOf(order: string): number {
  return Number.parseInt(order.slice(-1), 16) % ROLLOUT_COUNTER_SHARDS;
}
