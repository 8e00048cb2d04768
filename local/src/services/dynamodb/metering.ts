import type { Item } from './attribute-value.ts';
import { readUnits, writeUnits } from './capacity.ts';
import { itemBytes } from './item-size.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

/**
 * Counts the write request units of storing, deleting or, when its condition did not hold, not changing an item; and
 * those of the global indexes that hold it ("Using Global Secondary Indexes", "Write capacity units" in the developer
 * guide). Tables with provisioned capacity cost by the hour, which is not metered.
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
  for (const { kind, items } of table.indexes.values()) {
    if (kind === 'local') continue;
    const keys = [items.hashKey, items.sortKey];
    const isIn = (item: Item | undefined) =>
      item !== undefined && keys.every((key) => key === undefined || item[key.name] !== undefined);
    if (isIn(before) || isIn(after)) units += writeUnits(before, after, transactional);
  }
  kernel.meter.add('dynamodbWrite', table.name, units);
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
