import { isDeepStrictEqual } from 'node:util';
import type { Item } from './attribute-value.ts';
import { readUnits, writeUnits } from './capacity.ts';
import { itemBytes } from './item-size.ts';
import type { SecondaryIndex, Table } from './table.ts';
import type { Tables } from './tables.ts';

/**
 * Counts the write request units of storing, deleting or, when its condition did not hold, not changing an item; and
 * those of its entries in global indexes. Tables with provisioned capacity cost by the hour, which is not metered.
 */
export function meterWrite(
  { kernel }: Tables,
  table: Table,
  before: Item | undefined,
  after: Item | undefined,
  transactional = false,
): void {
  if (table.settings.billingMode !== 'PAY_PER_REQUEST') return;
  let units = writeUnits(before, after, transactional);
  for (const index of table.indexes.values()) {
    if (index.kind === 'global') units += indexUnits(index, before, after) * (transactional ? 2 : 1);
  }
  kernel.meter.add('dynamodbWrite', table.name, units);
}

/**
 * "Using Global Secondary Indexes", "Write capacity units" in the developer guide: an entry that stays as it is costs nothing,
 * one whose index key changes costs its removal and its storing, all by the size of what the index holds.
 */
function indexUnits(index: SecondaryIndex, before: Item | undefined, after: Item | undefined): number {
  const [was, is] = [entryOf(index, before), entryOf(index, after)];
  if (was === undefined && is === undefined) return 0;
  if (was === undefined || is === undefined) return writeUnits(was, is);
  if (isDeepStrictEqual(was, is)) return 0;
  const { hashKey, sortKey } = index.items;
  const moved = [hashKey, sortKey].some((key) => key !== undefined && !isDeepStrictEqual(was[key.name], is[key.name]));
  return moved ? writeUnits(was, undefined) + writeUnits(undefined, is) : writeUnits(was, is);
}

/** What an index holds of an item; undefined when the item lacks a key of the index. */
function entryOf({ items, attributes }: SecondaryIndex, item: Item | undefined): Item | undefined {
  const isIn = [items.hashKey, items.sortKey].every((key) => key === undefined || item?.[key.name] !== undefined);
  if (item === undefined || !isIn) return undefined;
  return Object.fromEntries(Object.entries(item).filter(([name]) => attributes === undefined || attributes.has(name)));
}

/** Counts the read request units of so many bytes. */
export function meterRead(
  { kernel }: Tables,
  table: Table,
  bytes: number,
  consistent: boolean,
  transactional = false,
): void {
  if (table.settings.billingMode !== 'PAY_PER_REQUEST') return;
  kernel.meter.add('dynamodbRead', table.name, readUnits(bytes, consistent, transactional));
}

/** Counts the read of one item, which may not exist. */
export function meterItemRead(tables: Tables, table: Table, item: Item | undefined, consistent: boolean): void {
  meterRead(tables, table, item === undefined ? 0 : itemBytes(item), consistent);
}
