import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { consumed, readUnits } from '../capacity.ts';
import { checkKey, checkPaths } from '../dynalite.ts';
import { project } from '../expressions/projection.ts';
import { type GetRequest, itemPermission, prepare, take } from '../item-requests.ts';
import { itemBytes } from '../item-size.ts';
import { meterItemRead } from '../metering.ts';
import type { Tables } from '../tables.ts';

/** GetItem: one item by its key, or the parts of it that are asked for. */
export function getItem(tables: Tables): AnyOperation {
  return operation<unknown, { Item?: Item }>({
    permissions(input) {
      const request = prepare<GetRequest>(tables, 'GetItem', input);
      return [itemPermission(tables, 'GetItem', request, [request.Key])];
    },
    run(input) {
      const request = take<GetRequest>(tables, 'GetItem', input);
      const table = tables.get(request.TableName);
      checkKey(request.Key, table.definition);
      checkPaths(request._projection, table.definition);
      const item = table.get(request.Key);
      meterItemRead(tables, table, item, request.ConsistentRead === true);
      return {
        ...(item !== undefined && {
          Item: request._projection === undefined ? item : project(request._projection.paths, item),
        }),
        ...consumed(request, () =>
          readUnits(item === undefined ? 0 : itemBytes(item), request.ConsistentRead === true),
        ),
      };
    },
  });
}
