import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { checkKey, checkPaths } from '../dynalite.ts';
import { project } from '../expressions/projection.ts';
import { type GetRequest, itemPermission, parsedOnce, prepare } from '../item-requests.ts';
import { itemBytes } from '../item-size.ts';
import { meterRead } from '../metering.ts';
import type { Table } from '../table.ts';
import type { Tables } from '../tables.ts';
import { checkBytes, checkCount, checkDistinct } from './transact-write-items.ts';

/** What was asked for, found. */
interface Found {
  readonly request: GetRequest;
  readonly table: Table;
  readonly key: Item;
  readonly item: Item | undefined;
}

/** @throws AwsError ValidationException for a key that is wrong or there twice, and beyond 4 MB */
function find(tables: Tables, requests: readonly GetRequest[]): readonly Found[] {
  const located = requests.map((request) => ({ request, key: request.Key, table: tables.get(request.TableName) }));
  for (const { request, table } of located) {
    checkKey(request.Key, table.definition);
    checkPaths(request._projection, table.definition);
  }
  checkDistinct(located);
  const found = located.map((each) => ({ ...each, item: each.table.get(each.key) }));
  checkBytes(found.map(({ item }) => item));
  return found;
}

/** TransactGetItems: up to 100 items, 4 MB together, as they are at one moment. */
export function transactGetItems(tables: Tables): AnyOperation {
  const requests = parsedOnce((input) => {
    const { TransactItems } = (input ?? {}) as { readonly TransactItems?: unknown };
    return checkCount(TransactItems).map((each) => {
      const { Get } = (each ?? {}) as { readonly Get?: unknown };
      if (Get === undefined) throw invalid('TransactItems can only contain Get');
      return prepare<GetRequest>(tables, 'GetItem', Get);
    });
  });
  return operation<unknown, { Responses: readonly { Item?: Item }[] }>({
    permissions: (input) =>
      requests.prepare(input).map((request) =>
        itemPermission(tables, 'GetItem', request, [request.Key], {
          'dynamodb:EnclosingOperation': 'TransactGetItems',
        }),
      ),
    run: (input) => ({
      Responses: find(tables, requests.take(input)).map(({ request: { _projection }, table, item }) => {
        meterRead(tables, table, item === undefined ? 0 : itemBytes(item), true, true);
        if (item === undefined) return {};
        return { Item: _projection === undefined ? item : project(_projection.paths, item) };
      }),
    }),
  });
}
