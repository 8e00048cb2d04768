import { randomBytes, randomUUID } from 'node:crypto';
import type { KeptRecord } from '../../../kernel/kept-state.ts';
import { type Item, sameItem } from '../attribute-value.ts';
import { itemBytes } from '../item-size.ts';

/** "All data in DynamoDB Streams is subject to a 24-hour lifetime." */
export const RETENTION_MS = 24 * 3_600_000;
/** Expired records are let go in lots, so that adding a record does not move all others. */
const TRIM_LOT = 1024;

export const VIEW_TYPES = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES'] as const;
export type ViewType = (typeof VIEW_TYPES)[number];

/** Who changed an item, when it was not a caller of the API. */
export interface UserIdentity {
  readonly Type: 'Service';
  /** `dynamodb.amazonaws.com` for items that expired. */
  readonly PrincipalId: string;
}

/** One change of an item, with the images that the view type keeps. */
export interface ChangeRecord {
  readonly eventId: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly sequenceNumber: bigint;
  /** Epoch milliseconds, virtual time. */
  readonly createdAt: number;
  readonly keys: Item;
  readonly oldImage: Item | undefined;
  readonly newImage: Item | undefined;
  readonly bytes: number;
  readonly userIdentity: UserIdentity | undefined;
}

export interface TableStreamOptions {
  readonly tableName: string;
  readonly tableArn: string;
  readonly keySchema: readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[];
  readonly viewType: ViewType;
  /** Epoch milliseconds; the label, which tells the streams of a table apart, is made from it. */
  readonly createdAt: number;
  /** Virtual time, epoch milliseconds. */
  now(): number;
  /** Called after a record was added. */
  added(): void;
}

/** A stream as it is kept, without its records. */
export interface KeptStream
  extends Pick<TableStreamOptions, 'tableName' | 'tableArn' | 'keySchema' | 'viewType' | 'createdAt'> {
  readonly arn: string;
  readonly shardId: string;
  readonly disabledAt: number | undefined;
  /** How many records there have been before the first one that is kept. */
  readonly first: number;
  /** False when it is not the newest stream of its table. */
  readonly isOfTable: boolean;
}

export interface KeptChange {
  readonly streamArn: string;
  readonly record: ChangeRecord;
}

/**
 * The changes of one table in the order in which they happened, in one shard.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
export class TableStream {
  readonly options: TableStreamOptions;
  readonly label: string;
  readonly arn: string;
  shardId: string;
  readonly startingSequenceNumber: bigint;
  /** When the stream was switched off; undefined while it takes records. */
  disabledAt: number | undefined;
  #records: ChangeRecord[] = [];
  /** The position of the first record that is kept; positions count every record the stream ever had. */
  #first = 0;

  constructor(options: TableStreamOptions) {
    this.options = options;
    this.label = new Date(options.createdAt).toISOString().slice(0, -1);
    this.arn = `${options.tableArn}/stream/${this.label}`;
    this.shardId = `shardId-${String(options.createdAt).padStart(20, '0')}-${randomBytes(4).toString('hex')}`;
    // 26 digits for as long as milliseconds have 13, so that the order of the texts is the order of the numbers, too.
    this.startingSequenceNumber = BigInt(options.createdAt) * 10n ** 13n;
  }

  /** The position after the newest record. */
  get end(): number {
    return this.#first + this.#records.length;
  }

  /** The number of the newest record; below that of the first one when there was none. */
  get lastSequenceNumber(): bigint {
    return this.startingSequenceNumber + BigInt(this.end);
  }

  *save(isOfTable: boolean): Generator<KeptRecord> {
    const { tableName, tableArn, keySchema, viewType, createdAt } = this.options;
    const { arn, shardId, disabledAt } = this;
    const kept: KeptStream = {
      ...{ tableName, tableArn, keySchema, viewType, createdAt },
      ...{ arn, shardId, disabledAt, first: this.#first, isOfTable },
    };
    yield [`stream/${arn}`, kept];
    for (const record of this.#records) {
      yield [`change/${arn}/${record.sequenceNumber}`, { streamArn: arn, record } satisfies KeptChange, record];
    }
  }

  /** Takes over a kept stream, its records in their order. */
  restore({ shardId, disabledAt, first }: KeptStream, records: readonly ChangeRecord[]): void {
    this.shardId = shardId;
    this.disabledAt = disabledAt;
    this.#first = first;
    this.#records = [...records];
  }

  /** Records a change; writing an item as it is leaves no record. */
  changed(old: Item | undefined, item: Item | undefined, userIdentity?: UserIdentity): void {
    const { keySchema, viewType, now, added } = this.options;
    const either = item ?? old;
    if (either === undefined || (old !== undefined && item !== undefined && sameItem(old, item))) return;
    const keys: Record<string, Item[string]> = {};
    for (const { AttributeName } of keySchema) {
      const value = either[AttributeName];
      if (value !== undefined) keys[AttributeName] = value;
    }
    const oldImage = viewType === 'OLD_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES' ? old : undefined;
    const newImage = viewType === 'NEW_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES' ? item : undefined;
    this.#trim();
    this.#records.push({
      eventId: randomUUID().replaceAll('-', ''),
      eventName: old === undefined ? 'INSERT' : item === undefined ? 'REMOVE' : 'MODIFY',
      sequenceNumber: this.lastSequenceNumber + 1n,
      createdAt: now(),
      keys,
      oldImage,
      newImage,
      bytes: itemBytes(keys) + itemBytes(oldImage ?? {}) + itemBytes(newImage ?? {}),
      userIdentity,
    });
    added();
  }

  /** The record at a position; undefined beyond the end, and for what is no longer kept. */
  at(position: number): ChangeRecord | undefined {
    return this.#records[position - this.#first];
  }

  /** The position of a sequence number, which need not be one of a record that is still kept. */
  positionOf(sequenceNumber: bigint): number {
    return Number(sequenceNumber - this.startingSequenceNumber) - 1;
  }

  /** The position of the oldest record that is not older than 24 hours. */
  horizon(): number {
    const oldest = this.options.now() - RETENTION_MS;
    let position = this.#first;
    for (
      let record = this.at(position);
      record !== undefined && record.createdAt < oldest;
      record = this.at(position)
    ) {
      position += 1;
    }
    return position;
  }

  #trim(): void {
    const kept = this.horizon();
    if (kept - this.#first < TRIM_LOT) return;
    this.#records.splice(0, kept - this.#first);
    this.#first = kept;
  }
}
