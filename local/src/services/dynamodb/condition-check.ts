import { AwsError } from '../../kernel/errors.ts';
import type { Item } from './attribute-value.ts';
import type { ParsedCondition } from './dynalite.ts';
import { matches } from './expressions/condition.ts';
import { meterWrite } from './metering.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

interface ConditionalRequest {
  readonly _condition?: ParsedCondition;
  readonly ReturnValuesOnConditionCheckFailure?: 'NONE' | 'ALL_OLD';
}

/** Whether the condition of a request, if there is one, holds for the stored item. */
export function conditionHolds({ _condition }: ConditionalRequest, stored: Item | undefined): boolean {
  return _condition === undefined || matches(_condition.expression, stored ?? {});
}

/**
 * A write whose condition does not hold is charged all the same.
 *
 * @throws AwsError ConditionalCheckFailedException, with the stored item if the request asks for it
 */
export function checkCondition(
  tables: Tables,
  table: Table,
  request: ConditionalRequest,
  stored: Item | undefined,
): void {
  if (conditionHolds(request, stored)) return;
  meterWrite(tables, table, stored, undefined);
  const wanted = request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && stored !== undefined;
  throw new AwsError(
    'ConditionalCheckFailedException',
    'The conditional request failed',
    400,
    wanted ? { Item: stored } : {},
  );
}
