import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { checkKey, checkPaths } from '../dynalite.ts';
import { project } from '../expressions/projection.ts';
import { type GetRequest, itemPermission, parsedOnce, prepare } from '../item-requests.ts';
import { itemBytes } from '../item-size.ts';
import { meterRead } from '../metering.ts';
import type { Tables } from '../tables.ts';
import { checkCount } from './transact-write-items.ts';

/** TransactGetItems: up to 100 items as they are at one moment. */
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
      Responses: requests.take(input).map(({ TableName, Key, _projection }) => {
        const table = tables.get(TableName);
        checkKey(Key, table.definition);
        checkPaths(_projection, table.definition);
        const item = table.get(Key);
        meterRead(tables, table, item === undefined ? 0 : itemBytes(item), true, true);
        if (item === undefined) return {};
        return { Item: _projection === undefined ? item : project(_projection.paths, item) };
      }),
    }),
  });
}
