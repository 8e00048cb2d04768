import { AwsError } from '../../kernel/errors.ts';
import type { Item } from './attribute-value.ts';
import type { ParsedCondition } from './dynalite.ts';
import { matches } from './expressions/condition.ts';

interface ConditionalRequest {
  readonly _condition?: ParsedCondition;
  readonly ReturnValuesOnConditionCheckFailure?: 'NONE' | 'ALL_OLD';
}

/** Whether the condition of a request, if there is one, holds for the stored item. */
export function conditionHolds({ _condition }: ConditionalRequest, stored: Item | undefined): boolean {
  return _condition === undefined || matches(_condition.expression, stored ?? {});
}

/** @throws AwsError ConditionalCheckFailedException, with the stored item if the request asks for it */
export function checkCondition(request: ConditionalRequest, stored: Item | undefined): void {
  if (conditionHolds(request, stored)) return;
  const wanted = request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && stored !== undefined;
  throw new AwsError(
    'ConditionalCheckFailedException',
    'The conditional request failed',
    400,
    wanted ? { Item: stored } : {},
  );
}
