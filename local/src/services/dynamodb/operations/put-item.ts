import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { consumed, writeUnits } from '../capacity.ts';
import { checkCondition } from '../condition-check.ts';
import { checkItem, checkPaths } from '../dynalite.ts';
import { checkLimits, itemPermission, type PutRequest, prepare, take } from '../item-requests.ts';
import { meterWrite } from '../metering.ts';
import type { Table } from '../table.ts';
import type { Tables } from '../tables.ts';

/** @throws AwsError ValidationException when the item does not fit the table */
export function checkPut({ Item, _condition }: PutRequest, table: Table): void {
  checkItem(Item, table.definition);
  checkPaths(_condition, table.definition);
  checkLimits(Item);
}

/** PutItem: creates or replaces an item, if its condition holds. */
export function putItem(tables: Tables): AnyOperation {
  return operation<unknown, { Attributes?: Item }>({
    permissions(input) {
      const request = prepare<PutRequest>(tables, 'PutItem', input);
      return [itemPermission(tables, 'PutItem', request, [request.Item])];
    },
    run(input) {
      const request = take<PutRequest>(tables, 'PutItem', input);
      const table = tables.get(request.TableName);
      checkPut(request, table);
      if (request._condition !== undefined) checkCondition(tables, table, request, table.get(request.Item));
      const old = tables.put(table, request.Item);
      meterWrite(tables, table, old, request.Item);
      return {
        ...(old !== undefined && request.ReturnValues === 'ALL_OLD' && { Attributes: old }),
        ...consumed(request, () => writeUnits(old, request.Item)),
      };
    },
  });
}
