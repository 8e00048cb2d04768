/** What Query and Scan have in common: pages of at most 1 MB, filters, projections, and where the next page starts. */
import { invalid } from '../../kernel/errors.ts';
import { type AttributeValue, type Item, typeOf } from './attribute-value.ts';
import { consumed, readUnits } from './capacity.ts';
import { checkPaths, type ParsedExpressions } from './dynalite.ts';
import { matches } from './expressions/condition.ts';
import { project } from './expressions/projection.ts';
import type { Entry, ItemCollection, Position } from './item-collection.ts';
import { itemBytes } from './item-size.ts';
import { meterRead } from './metering.ts';
import { type SecondaryIndex, type Table, tieOf } from './table.ts';
import type { Tables } from './tables.ts';

const PAGE_BYTES = 1024 * 1024;

export interface PageRequest extends ParsedExpressions {
  readonly TableName: string;
  readonly IndexName?: string;
  readonly ExclusiveStartKey?: Item;
  readonly Limit?: number;
  readonly Select?: 'ALL_ATTRIBUTES' | 'ALL_PROJECTED_ATTRIBUTES' | 'SPECIFIC_ATTRIBUTES' | 'COUNT';
  readonly ConsistentRead?: boolean;
  readonly ReturnConsumedCapacity?: string;
}

export interface Page {
  readonly Items?: readonly Item[];
  readonly Count: number;
  readonly ScannedCount: number;
  readonly LastEvaluatedKey?: Item;
}

/** What a request reads: the table itself or one of its indexes. */
export interface Source {
  readonly items: ItemCollection;
  readonly index: SecondaryIndex | undefined;
}

/** @throws AwsError ValidationException when there is no such index, or it cannot be read this way */
export function sourceOf(request: PageRequest, table: Table): Source {
  checkPaths(request._filter, table.definition);
  checkPaths(request._projection, table.definition);
  if (request.IndexName === undefined) return { items: table.items, index: undefined };
  const index = table.indexes.get(request.IndexName);
  if (index === undefined) throw invalid(`The table does not have the specified index: ${request.IndexName}`);
  if (index.kind === 'global' && request.ConsistentRead) {
    throw invalid('Consistent reads are not supported on global secondary indexes');
  }
  if (index.kind === 'global' && request.Select === 'ALL_ATTRIBUTES' && index.attributes !== undefined) {
    throw invalid(
      `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${request.IndexName} because its projection type is not ALL`,
    );
  }
  checkProjected(request, index);
  return { items: index.items, index };
}

/** A local index fetches what it does not hold from the table, a global one cannot. */
function checkProjected({ IndexName, _projection }: PageRequest, { kind, attributes }: SecondaryIndex): void {
  if (kind === 'local' || attributes === undefined) return;
  const heads = (_projection?.paths ?? []).map(([head]) => String(head));
  const missing = heads.filter((head) => !attributes.has(head));
  if (missing.length === 0) return;
  throw invalid(
    `One or more parameter values were invalid: Global secondary index ${IndexName} does not project [${missing.join(', ')}]`,
  );
}

function keyNames({ items }: Source, table: Table): readonly string[] {
  const { hashKey, sortKey } = items;
  return [...new Set([...table.keyNames, hashKey.name, ...(sortKey === undefined ? [] : [sortKey.name])])];
}

/** @throws AwsError ValidationException when ExclusiveStartKey is not a key of the table and index */
export function startOf(request: PageRequest, source: Source, table: Table): Position | undefined {
  const key = request.ExclusiveStartKey;
  if (key === undefined) return undefined;
  const names = keyNames(source, table);
  const types = new Map(table.definition.AttributeDefinitions.map((each) => [each.AttributeName, each.AttributeType]));
  const fits =
    Object.keys(key).length === names.length &&
    names.every((name) => {
      const value = key[name];
      return value !== undefined && typeOf(value) === types.get(name);
    });
  const position = fits
    ? source.items.positionOf(key, source.index === undefined ? '' : tieOf(table.position(key)))
    : undefined;
  if (position === undefined) throw invalid('The provided starting key is invalid');
  return position;
}

/** What a reader of the index sees of an item. */
function visible(item: Item, { index }: Source, request: PageRequest): Item {
  const attributes = index?.attributes;
  if (attributes === undefined) return item;
  // A local index fetches what it does not hold from the table.
  if (index?.kind === 'local' && (request.Select === 'ALL_ATTRIBUTES' || request._projection !== undefined))
    return item;
  const result: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(item)) if (attributes.has(name)) result[name] = value;
  return result;
}

/** Reads entries up to the limit of the request or 1 MB, and answers as Query and Scan do. */
export function readPage(
  tables: Tables,
  entries: Iterable<Entry>,
  request: PageRequest,
  source: Source,
  table: Table,
): Page {
  const found: Item[] = [];
  let [scanned, bytes] = [0, 0];
  let last: Item | undefined;
  for (const { item } of entries) {
    const seen = visible(item, source, request);
    scanned += 1;
    bytes += itemBytes(seen);
    if (request._filter === undefined || matches(request._filter.expression, seen)) {
      found.push(request._projection === undefined ? seen : project(request._projection.paths, seen));
    }
    if (scanned === request.Limit || bytes >= PAGE_BYTES) {
      last = item;
      break;
    }
  }
  meterRead(tables, table, bytes, request.ConsistentRead === true);
  const names = keyNames(source, table);
  return {
    ...(request.Select !== 'COUNT' && { Items: found }),
    Count: found.length,
    ScannedCount: scanned,
    ...(last !== undefined && {
      LastEvaluatedKey: project(
        names.map((name) => [name]),
        last,
      ),
    }),
    ...consumed(request, () => readUnits(bytes, request.ConsistentRead === true)),
  };
}
