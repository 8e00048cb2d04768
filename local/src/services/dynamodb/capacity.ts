import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-value.ts';
import { itemBytes } from './item-size.ts';

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/** Write units of storing or deleting an item: the larger of before and after, by the kilobyte, at least one. */
export function writeUnits(before: Item | undefined, after: Item | undefined, transactional = false): number {
  const bytes = Math.max(before === undefined ? 0 : itemBytes(before), after === undefined ? 0 : itemBytes(after));
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES)) * (transactional ? 2 : 1);
}

/** Read units of so many bytes; half for eventually consistent reads. */
export function readUnits(bytes: number, consistent: boolean, transactional = false): number {
  const units = Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES));
  return transactional ? units * 2 : consistent ? units : units / 2;
}

/** The ConsumedCapacity member of an answer, if the request asks for it. */
export function consumed(
  { TableName, ReturnConsumedCapacity }: { readonly TableName: string; readonly ReturnConsumedCapacity?: string },
  units: () => number,
): { readonly ConsumedCapacity?: ConsumedCapacity } {
  if (ReturnConsumedCapacity === undefined || ReturnConsumedCapacity === 'NONE') return {};
  const capacity = units();
  return {
    ConsumedCapacity: {
      TableName,
      CapacityUnits: capacity,
      ...(ReturnConsumedCapacity === 'INDEXES' && { Table: { CapacityUnits: capacity } }),
    },
  };
}
