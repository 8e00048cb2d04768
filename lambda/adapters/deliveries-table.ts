import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { DELIVERY_RETENTION_DAYS, DeliveryRow, dayKey, deliveryKey } from '@thingstead/contracts/notifications';
import { parseRow } from '@thingstead/contracts/validate';
import type { Claim, Deliveries } from '../notifications/ports.ts';

const DAY_MS = 86_400_000;
/** Notices of one person that come at the same moment meet at the count of the day. */
const ATTEMPTS = 5;

type Actions = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** A transaction did not come through, or a record was gone when it was looked at. Nothing was written. */
export class ClaimFailedError extends Error {
  override readonly name = 'ClaimFailedError';
}

/** Delivery records and counts of the day, in the notifications table. */
export class DeliveriesTable implements Deliveries {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async of(noticeId: string): Promise<readonly DeliveryRow[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': deliveryKey(noticeId, '').pk },
      ConsistentRead: true,
    };
    const rows: DeliveryRow[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) {
      rows.push(...Items.map((row) => parseRow(DeliveryRow, row, `the delivery of ${noticeId} to ${row.sk}`)));
    }
    return rows;
  }

  async claim(delivery: DeliveryRow, dailyLimit: number | undefined): Promise<Claim> {
    const put = { Put: { ...this.#new(delivery) } };
    const actions = dailyLimit === undefined ? [put] : [put, this.#count(delivery, dailyLimit)];
    const [record, count] = await this.#transact(actions);
    if (record === 'ConditionalCheckFailed') return this.#existing(delivery);
    return { status: count === 'ConditionalCheckFailed' ? 'over-limit' : 'claimed' };
  }

  async release(delivery: DeliveryRow, counted: boolean): Promise<void> {
    const { noticeId, person, token } = delivery;
    const remove = {
      Delete: {
        TableName: this.#table,
        Key: deliveryKey(noticeId, person),
        ConditionExpression: '#status = :claimed AND #token = :token',
        ExpressionAttributeNames: { '#status': 'status', '#token': 'token' },
        ExpressionAttributeValues: { ':claimed': 'claimed', ':token': token },
      },
    };
    const uncount = {
      Update: {
        TableName: this.#table,
        Key: dayKey(person, dayOf(delivery)),
        UpdateExpression: 'ADD notices :minusOne',
        ExpressionAttributeValues: { ':minusOne': -1 },
      },
    };
    await this.#transact(counted ? [remove, uncount] : [remove]);
  }

  async settle(
    { noticeId, person, token }: DeliveryRow,
    status: 'sent' | 'unconfirmed',
    messageId?: string,
  ): Promise<void> {
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: deliveryKey(noticeId, person),
          UpdateExpression: `SET #status = :status${messageId === undefined ? '' : ', messageId = :messageId'}`,
          ConditionExpression: '#status = :claimed AND #token = :token',
          ExpressionAttributeNames: { '#status': 'status', '#token': 'token' },
          ExpressionAttributeValues: {
            ...{ ':status': status, ':claimed': 'claimed', ':token': token },
            ...(messageId !== undefined && { ':messageId': messageId }),
          },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async refuse(delivery: DeliveryRow): Promise<void> {
    try {
      await this.#client.send(new PutCommand(this.#new(delivery)));
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  #new(delivery: DeliveryRow) {
    return {
      TableName: this.#table,
      Item: { ...deliveryKey(delivery.noticeId, delivery.person), ...delivery, expiresAt: expiry(delivery) },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
  }

  #count(delivery: DeliveryRow, limit: number): Actions[number] {
    return {
      Update: {
        TableName: this.#table,
        Key: dayKey(delivery.person, dayOf(delivery)),
        UpdateExpression: 'ADD notices :one SET expiresAt = :expiresAt',
        ConditionExpression: 'attribute_not_exists(notices) OR notices < :limit',
        ExpressionAttributeValues: { ':one': 1, ':limit': limit, ':expiresAt': expiry(delivery) },
      },
    };
  }

  /** A record of our own token is a claim whose answer was lost on the way. */
  async #existing(delivery: DeliveryRow): Promise<Claim> {
    const Key = deliveryKey(delivery.noticeId, delivery.person);
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    if (!Item) throw new ClaimFailedError(`${Key.pk} ${Key.sk} was given up a moment ago`);
    const existing = parseRow(DeliveryRow, Item, `${Key.pk} ${Key.sk}`);
    if (existing.token === delivery.token && existing.status === 'claimed') return { status: 'claimed' };
    return { status: 'existing', delivery: existing };
  }

  /** The code of each action that failed; empty when all was written. @throws ClaimFailedError after conflicts */
  async #transact(TransactItems: Actions): Promise<readonly (string | undefined)[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#client.send(new TransactWriteCommand({ TransactItems }));
        return [];
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error;
        const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
        if (codes.includes('ConditionalCheckFailed')) return codes;
        if (attempt === ATTEMPTS) throw new ClaimFailedError(codes.join(', '), { cause: error });
      }
    }
  }
}

/** `2026-11-21`, in UTC. */
function dayOf({ at }: DeliveryRow): string {
  return new Date(at).toISOString().slice(0, 10);
}

function expiry({ at }: DeliveryRow): number {
  return Math.ceil((at + DELIVERY_RETENTION_DAYS * DAY_MS) / 1000);
}
