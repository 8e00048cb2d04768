import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { consumed, writeUnits } from '../capacity.ts';
import { checkCondition } from '../condition-check.ts';
import { checkKey, checkPaths } from '../dynalite.ts';
import { itemPermission, type KeyRequest, prepare, take } from '../item-requests.ts';
import { meterWrite } from '../metering.ts';
import type { Tables } from '../tables.ts';

/** DeleteItem: removes one item, if its condition holds; removing what is not there succeeds. */
export function deleteItem(tables: Tables): AnyOperation {
  return operation<unknown, { Attributes?: Item }>({
    permissions(input) {
      const request = prepare<KeyRequest>(tables, 'DeleteItem', input);
      return [itemPermission(tables, 'DeleteItem', request, [request.Key])];
    },
    run(input) {
      const request = take<KeyRequest>(tables, 'DeleteItem', input);
      const table = tables.get(request.TableName);
      checkKey(request.Key, table.definition);
      checkPaths(request._condition, table.definition);
      if (request._condition !== undefined) checkCondition(tables, table, request, table.get(request.Key));
      const old = table.delete(request.Key);
      meterWrite(tables, table, old, undefined);
      return {
        ...(old !== undefined && request.ReturnValues === 'ALL_OLD' && { Attributes: old }),
        ...consumed(request, () => writeUnits(old, undefined)),
      };
    },
  });
}
