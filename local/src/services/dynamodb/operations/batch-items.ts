import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { readUnits, writeUnits } from '../capacity.ts';
import { checkItem, checkKey, checkPaths, type ParsedExpressions, validate } from '../dynalite.ts';
import { checkExpressionSizes } from '../expressions/limits.ts';
import { project } from '../expressions/projection.ts';
import { checkLimits, itemPermission, parsedOnce } from '../item-requests.ts';
import { itemBytes } from '../item-size.ts';
import { meterRead, meterWrite } from '../metering.ts';
import { tieOf } from '../table.ts';
import type { Tables } from '../tables.ts';

const MAX_GET_BYTES = 16 * 1024 * 1024;
const MAX_WRITES = 25;

interface KeysAndAttributes extends ParsedExpressions {
  readonly Keys: readonly Item[];
  readonly ConsistentRead?: boolean;
}

interface WriteRequest {
  readonly PutRequest?: { readonly Item: Item };
  readonly DeleteRequest?: { readonly Key: Item };
}

interface BatchRequest<Entry> {
  readonly RequestItems: Readonly<Record<string, Entry>>;
  readonly ReturnConsumedCapacity?: string;
}

/** RequestItems with ARNs of tables brought back to their names. */
function withNames(tables: Tables, input: unknown): unknown {
  const { RequestItems, ...rest } = (input ?? {}) as { readonly RequestItems?: unknown };
  if (typeof RequestItems !== 'object' || RequestItems === null) return input;
  const named = Object.entries(RequestItems).map(([name, value]) => [tables.nameOf(name), value]);
  return { ...rest, RequestItems: Object.fromEntries(named) };
}

function capacities(wanted: string | undefined, units: ReadonlyMap<string, number>): object {
  if (wanted === undefined || wanted === 'NONE') return {};
  return { ConsumedCapacity: [...units].map(([TableName, CapacityUnits]) => ({ TableName, CapacityUnits })) };
}

/** BatchGetItem: up to 100 items of any tables, 16 MB at most; what does not fit comes back in UnprocessedKeys. */
export function batchGetItem(tables: Tables): AnyOperation {
  const requests = parsedOnce((input) => {
    const request = validate<BatchRequest<KeysAndAttributes>>('BatchGetItem', withNames(tables, input));
    for (const entry of Object.values(request.RequestItems)) checkExpressionSizes(entry);
    return request;
  });
  return operation<unknown, object>({
    permissions: (input) =>
      Object.entries(requests.prepare(input).RequestItems).map(([TableName, entry]) =>
        itemPermission(tables, 'BatchGetItem', { ...entry, TableName }, entry.Keys),
      ),
    run(input) {
      const { RequestItems, ReturnConsumedCapacity } = requests.take(input);
      const responses: Record<string, Item[]> = {};
      const unprocessed: Record<string, { Keys: Item[] }> = {};
      const units = new Map<string, number>();
      let bytes = 0;
      for (const [name, { Keys, _projection, ConsistentRead }] of Object.entries(RequestItems)) {
        const table = tables.get(name);
        checkPaths(_projection, table.definition);
        const found: Item[] = [];
        responses[name] = found;
        for (const key of Keys) {
          checkKey(key, table.definition);
          const item = table.get(key);
          const size = item === undefined ? 0 : itemBytes(item);
          if (bytes + size > MAX_GET_BYTES) {
            unprocessed[name] ??= { Keys: [] };
            unprocessed[name].Keys.push(key);
            continue;
          }
          bytes += size;
          meterRead(tables, table, size, ConsistentRead === true);
          units.set(name, (units.get(name) ?? 0) + readUnits(size, ConsistentRead === true));
          if (item !== undefined) found.push(_projection === undefined ? item : project(_projection.paths, item));
        }
      }
      return { Responses: responses, UnprocessedKeys: unprocessed, ...capacities(ReturnConsumedCapacity, units) };
    },
  });
}

/** BatchWriteItem: up to 25 puts and deletes of any tables, each on its own. Nothing is left unprocessed here. */
export function batchWriteItem(tables: Tables): AnyOperation {
  const requests = parsedOnce((input) => {
    const request = validate<BatchRequest<readonly WriteRequest[]>>('BatchWriteItem', withNames(tables, input));
    if (Object.values(request.RequestItems).flat().length > MAX_WRITES) {
      throw invalid('Too many items requested for the BatchWriteItem call');
    }
    return request;
  });
  const itemOf = ({ PutRequest, DeleteRequest }: WriteRequest) => PutRequest?.Item ?? DeleteRequest?.Key ?? {};
  return operation<unknown, object>({
    permissions: (input) =>
      Object.entries(requests.prepare(input).RequestItems).map(([TableName, writes]) =>
        itemPermission(tables, 'BatchWriteItem', { TableName }, writes.map(itemOf)),
      ),
    run(input) {
      const { RequestItems, ReturnConsumedCapacity } = requests.take(input);
      const all = Object.entries(RequestItems).map(([name, writes]) => ({ table: tables.get(name), writes }));
      // All is checked before anything is written.
      for (const { table, writes } of all) {
        const seen = new Set<string>();
        for (const { PutRequest, DeleteRequest } of writes) {
          if (PutRequest !== undefined) {
            checkItem(PutRequest.Item, table.definition);
            checkLimits(PutRequest.Item);
          } else if (DeleteRequest !== undefined) checkKey(DeleteRequest.Key, table.definition);
          seen.add(tieOf(table.position(PutRequest?.Item ?? DeleteRequest?.Key ?? {})));
        }
        if (seen.size < writes.length) throw invalid('Provided list of item keys contains duplicates');
      }
      const units = new Map<string, number>();
      for (const { table, writes } of all) {
        for (const { PutRequest, DeleteRequest } of writes) {
          const old =
            PutRequest === undefined ? table.delete(DeleteRequest?.Key ?? {}) : tables.put(table, PutRequest.Item);
          meterWrite(tables, table, old, PutRequest?.Item);
          if (ReturnConsumedCapacity !== undefined) {
            units.set(table.name, (units.get(table.name) ?? 0) + writeUnits(old, PutRequest?.Item));
          }
        }
      }
      return { UnprocessedItems: {}, ...capacities(ReturnConsumedCapacity, units) };
    },
  });
}
