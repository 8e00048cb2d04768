import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  FilesAccountRow,
  filesAccountKey,
  TRANSFER_PREFIX,
  TransferRow,
  transferKey,
} from '@thingstead/contracts/file-store';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Occupied, Step, Transfers } from '../file-transfers/ports.ts';
import { isConditionFailed, throughConflicts } from './transaction-conflicts.ts';

const OccupyingRow = v.pick(TransferRow, ['state', 'direction', 'size', 'bytes', 'endsAt']);

/** The files table in DynamoDB, as far as transfers go on in it. DynamoDB removes rows late: they are none from `expiresAt` on. */
export class TransfersTable implements Transfers {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  constructor(client: DynamoDBDocumentClient, table: string, now: () => number) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  async read(thing: string, id: string): Promise<TransferRow | undefined> {
    const key = { TableName: this.#table, Key: transferKey(thing, id), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    const row = Item && parseRow(TransferRow, Item, `transfer ${id} of ${thing}`);
    return row && row.expiresAt > this.#now() / 1000 ? row : undefined;
  }

  /** The version first: whatever begins after it makes `create` fail. */
  async occupied(thing: string): Promise<Occupied> {
    const key = { TableName: this.#table, Key: filesAccountKey(thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(key));
    const version = Item && parseRow(FilesAccountRow, Item, `the account of ${thing}`).version;
    const rows: v.InferOutput<typeof OccupyingRow>[] = [];
    const query = {
      FilterExpression: 'expiresAt > :now',
      ProjectionExpression: '#state, direction, #size, #bytes, endsAt',
      ExpressionAttributeNames: { '#state': 'state', '#size': 'size', '#bytes': 'bytes' },
    };
    for await (const item of this.#all(thing, query, {}))
      rows.push(parseRow(OccupyingRow, item, `a transfer of ${thing}`));
    return { rows, version };
  }

  async create(row: TransferRow, version: number | undefined): Promise<boolean> {
    const TableName = this.#table;
    const transfer = {
      TableName,
      Item: { ...transferKey(row.thing, row.id), ...row },
      ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
      ExpressionAttributeValues: { ':now': Math.floor(this.#now() / 1000) },
    };
    const account = {
      TableName,
      Key: filesAccountKey(row.thing),
      UpdateExpression: 'SET version = :next',
      ConditionExpression: version === undefined ? 'attribute_not_exists(version)' : 'version = :version',
      ExpressionAttributeValues: {
        ':next': (version ?? 0) + 1,
        ...(version !== undefined && { ':version': version }),
      },
    };
    const command = new TransactWriteCommand({ TransactItems: [{ Put: transfer }, { Update: account }] });
    try {
      await throughConflicts(() => this.#client.send(command));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  change(row: TransferRow, step: Step): Promise<boolean> {
    const members = Object.entries(step).filter(([, value]) => value !== undefined);
    const as = (name: 'uploadId' | 'bytes'): string =>
      row[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :was${name}`;
    const names = [...members.map(([name]) => name), 'state', 'uploadId', 'bytes'];
    return this.#update(row, {
      UpdateExpression: `SET ${members.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: `#state = :from AND ${as('uploadId')} AND ${as('bytes')}`,
      // Some of these names are reserved words of DynamoDB.
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':from': row.state,
        ...(row.uploadId !== undefined && { ':wasuploadId': row.uploadId }),
        ...(row.bytes !== undefined && { ':wasbytes': row.bytes }),
        ...Object.fromEntries(members.map(([name, value]) => [`:${name}`, value])),
      },
    });
  }

  async progress(row: TransferRow, transferred: number): Promise<void> {
    await this.#update(row, {
      UpdateExpression: 'SET transferred = :bytes',
      ConditionExpression: '#state = :state AND (attribute_not_exists(transferred) OR transferred < :bytes)',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':state': row.state, ':bytes': transferred },
    });
  }

  async waiting(thing: string): Promise<readonly TransferRow[]> {
    const rows: TransferRow[] = [];
    const query = {
      FilterExpression: 'expiresAt > :now AND direction = :direction AND #state IN (:stored, :delivering)',
      ExpressionAttributeNames: { '#state': 'state' },
    };
    const values = { ':direction': 'to-device', ':stored': 'STORED', ':delivering': 'DELIVERING' };
    for await (const item of this.#all(thing, query, values)) {
      const row = parseRow(TransferRow, item, `a transfer of ${thing}`);
      if (row.endsAt > this.#now()) rows.push(row);
    }
    return rows;
  }

  async *#all(
    thing: string,
    query: { readonly FilterExpression: string; readonly ExpressionAttributeNames: Record<string, string> },
    values: Readonly<Record<string, unknown>>,
  ): AsyncGenerator<unknown> {
    const input = {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :thing AND begins_with(sk, :prefix)',
      ...query,
      ExpressionAttributeValues: {
        ...values,
        ':thing': thing,
        ':prefix': TRANSFER_PREFIX,
        ':now': Math.floor(this.#now() / 1000),
      },
    };
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, input)) yield* Items;
  }

  /** False when the condition does not hold. */
  async #update(
    { thing, id }: Pick<TransferRow, 'thing' | 'id'>,
    update: {
      readonly UpdateExpression: string;
      readonly ConditionExpression: string;
      readonly ExpressionAttributeNames: Record<string, string>;
      readonly ExpressionAttributeValues: Record<string, unknown>;
    },
  ): Promise<boolean> {
    try {
      await this.#client.send(new UpdateCommand({ TableName: this.#table, Key: transferKey(thing, id), ...update }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
