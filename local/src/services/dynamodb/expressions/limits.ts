/** Limits of expressions ("Expression parameters" in "Quotas in Amazon DynamoDB"). */
import { invalid } from '../../../kernel/errors.ts';
import type { ParsedExpressions } from '../dynalite.ts';
import { isNode, type Operand } from './expression.ts';

/** Of the text as it is sent, with placeholders. */
const MAX_BYTES = 4096;
const MAX_OPERATORS = 300;
const MAX_IN_OPERANDS = 100;

const PARAMETERS = [
  'ConditionExpression',
  'FilterExpression',
  'KeyConditionExpression',
  'ProjectionExpression',
  'UpdateExpression',
] as const;

/** @throws AwsError ValidationException for an expression of more than 4 KB */
export function checkExpressionSizes(given: object): void {
  for (const name of PARAMETERS) {
    const text: unknown = Reflect.get(given, name);
    const bytes = typeof text === 'string' ? Buffer.byteLength(text, 'utf8') : 0;
    if (bytes <= MAX_BYTES) continue;
    throw invalid(`Invalid ${name}: Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
  }
}

/** @throws AwsError ValidationException beyond 300 operators and functions, or 100 operands of an IN */
export function checkOperators({ _condition, _filter, _updates }: ParsedExpressions): void {
  if (_condition) checkCount('ConditionExpression', [_condition.expression]);
  if (_filter) checkCount('FilterExpression', [_filter.expression]);
  if (_updates) {
    const values = _updates.sections.map(({ val }) => val);
    checkCount(
      'UpdateExpression',
      values.filter((each) => each !== undefined),
    );
  }
}

function checkCount(name: string, operands: readonly Operand[]): void {
  const count = operands.reduce((sum, each) => sum + operatorsIn(name, each), 0);
  if (count <= MAX_OPERATORS) return;
  throw invalid(`Invalid ${name}: The expression contains too many operators; operator count: ${count}`);
}

function operatorsIn(name: string, operand: Operand): number {
  if (!isNode(operand)) return 0;
  // The first is what is looked for.
  const listed = operand.args.length - 1;
  if (operand.type === 'in' && listed > MAX_IN_OPERANDS) {
    throw invalid(`Invalid ${name}: The IN operator is provided with too many operands; number of operands: ${listed}`);
  }
  return operand.args.reduce((sum, each) => sum + operatorsIn(name, each), 1);
}
