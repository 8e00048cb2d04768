import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Item } from '../attribute-value.ts';
import { consumed, writeUnits } from '../capacity.ts';
import { checkCondition } from '../condition-check.ts';
import { checkItem, checkKey, checkPaths, checkUpdates } from '../dynalite.ts';
import { project } from '../expressions/projection.ts';
import { applyUpdate } from '../expressions/update.ts';
import { checkLimits, itemPermission, type KeyRequest, prepare, take } from '../item-requests.ts';
import { meterWrite } from '../metering.ts';
import type { Table } from '../table.ts';
import type { Tables } from '../tables.ts';

/** @throws AwsError ValidationException when the request does not fit the table */
export function checkUpdate(request: KeyRequest, table: Table): void {
  checkKey(request.Key, table.definition);
  checkUpdates(request._updates, table.definition);
  checkPaths(request._condition, table.definition);
}

/**
 * The item as an update leaves it: changed, or created from its key.
 *
 * @throws AwsError ValidationException when the update does not fit the item
 */
export function updated(request: KeyRequest, table: Table, stored: Item | undefined): Item {
  const before = stored ?? request.Key;
  const item = request._updates === undefined ? before : applyUpdate(request._updates.sections, before);
  checkItem(item, table.definition);
  checkLimits(item, 'Item size to update has exceeded the maximum allowed size');
  return item;
}

function returned({ ReturnValues, _updates }: KeyRequest, before: Item | undefined, after: Item): Item | undefined {
  const paths = _updates?.paths ?? [];
  switch (ReturnValues) {
    case 'ALL_OLD':
      return before;
    case 'ALL_NEW':
      return after;
    case 'UPDATED_OLD':
      return before === undefined ? undefined : project(paths, before);
    case 'UPDATED_NEW':
      return project(paths, after);
    default:
      return undefined;
  }
}

/** UpdateItem: changes attributes of one item, or creates it, if its condition holds. */
export function updateItem(tables: Tables): AnyOperation {
  return operation<unknown, { Attributes?: Item }>({
    permissions(input) {
      const request = prepare<KeyRequest>(tables, 'UpdateItem', input);
      return [itemPermission(tables, 'UpdateItem', request, [request.Key])];
    },
    run(input) {
      const request = take<KeyRequest>(tables, 'UpdateItem', input);
      const table = tables.get(request.TableName);
      checkUpdate(request, table);
      const before = table.get(request.Key);
      checkCondition(tables, table, request, before);
      const after = updated(request, table, before);
      tables.put(table, after);
      meterWrite(tables, table, before, after);
      const attributes = returned(request, before, after);
      return {
        ...(attributes !== undefined && Object.keys(attributes).length > 0 && { Attributes: attributes }),
        ...consumed(request, () => writeUnits(before, after)),
      };
    },
  });
}
