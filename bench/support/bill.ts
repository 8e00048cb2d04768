import { type BillableItem, cost } from '../../local/src/meter/prices.ts';

const READ_UNIT_BYTES = 4096;
const WRITE_UNIT_BYTES = 1024;
/** An index that holds keys only: those of the table and its own. */
const INDEX_ENTRY_UNITS = 1;

/** What is billed, by item. */
export class Bill {
  readonly counts = new Map<BillableItem, number>();

  add(item: BillableItem, count = 1): void {
    this.counts.set(item, (this.counts.get(item) ?? 0) + count);
  }

  /** A row that is read by a consistent read, or what a query has read. */
  read(bytes: number, consistent = true): void {
    this.add('dynamodbRead', Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) / (consistent ? 1 : 2));
  }

  /** In a transaction each unit costs twice. */
  write(bytes: number, transaction = false): void {
    this.add('dynamodbWrite', Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES)) * (transaction ? 2 : 1));
  }

  /** Entries of an index that are put or deleted. */
  index(entries: number): void {
    this.add('dynamodbWrite', entries * INDEX_ENTRY_UNITS);
  }

  of(item: BillableItem): number {
    return this.counts.get(item) ?? 0;
  }

  usd(...items: readonly BillableItem[]): number {
    const billed = items.length > 0 ? items : [...this.counts.keys()];
    return billed.reduce((sum, item) => sum + cost(item, this.of(item)), 0);
  }
}

/** Rows are never changed, and each is read and written several times. */
const sizes = new WeakMap<object, number>();

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemBytes(row: object): number {
  const known = sizes.get(row);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const name in row) {
    const value: unknown = row[name as keyof typeof row];
    if (value !== undefined) bytes += name.length + valueBytes(value);
  }
  sizes.set(row, bytes);
  return bytes;
}

/** All texts here are ASCII. */
function valueBytes(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value === 'number') return Math.ceil((Math.log10(Math.abs(value) + 1) + 1) / 2) + 1;
  if (Array.isArray(value)) return 3 + value.reduce((sum, each) => sum + 1 + valueBytes(each), 0);
  if (typeof value === 'object' && value !== null) return 3 + Object.keys(value).length + itemBytes(value);
  return 1;
}
