/**
 * What state an alarm should have, given its last datapoints.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
import type { ComparisonOperator, StateValue } from '@aws-sdk/client-cloudwatch';

export type TreatMissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

export interface Rule {
  readonly comparison: ComparisonOperator;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: TreatMissingData;
}

const COMPARISONS: Partial<
  Record<ComparisonOperator, { readonly words: string; holds(a: number, b: number): boolean }>
> = {
  GreaterThanThreshold: { words: 'greater than', holds: (a, b) => a > b },
  GreaterThanOrEqualToThreshold: { words: 'greater than or equal to', holds: (a, b) => a >= b },
  LessThanThreshold: { words: 'less than', holds: (a, b) => a < b },
  LessThanOrEqualToThreshold: { words: 'less than or equal to', holds: (a, b) => a <= b },
};

/** The operators that compare with a threshold; those of anomaly detection are not emulated. */
export const COMPARISON_OPERATORS = Object.keys(COMPARISONS);

export function isBreaching({ comparison, threshold }: Rule, value: number): boolean {
  return COMPARISONS[comparison]?.holds(value, threshold) ?? false;
}

/**
 * AWS looks at more periods than the alarm asks for, so that single gaps do not count: two more, as in its own examples.
 */
export function evaluationRange({ evaluationPeriods }: Rule): number {
  return evaluationPeriods + 2;
}

/**
 * The state for the values of the last `evaluationRange` periods, newest first, undefined where there was none.
 * `current` is the state that `ignore` keeps.
 */
export function stateFor(rule: Rule, values: readonly (number | undefined)[], current: StateValue): StateValue {
  const { evaluationPeriods, datapointsToAlarm, treatMissingData } = rule;
  const existing = values.flatMap((value, age) => (value === undefined ? [] : [{ value, age: age + 1 }]));
  const counted = existing.slice(0, evaluationPeriods);
  const breaching = counted.filter(({ value }) => isBreaching(rule, value));
  if (breaching.length >= datapointsToAlarm) return 'ALARM';
  const filled = evaluationPeriods - counted.length;
  if (filled === 0) return 'OK';
  switch (treatMissingData) {
    case 'notBreaching':
      return 'OK';
    case 'breaching':
      return breaching.length + filled >= datapointsToAlarm ? 'ALARM' : 'OK';
    case 'ignore':
      return breaching.length < counted.length ? 'OK' : current;
    case 'missing': {
      if (counted.length === 0) return 'INSUFFICIENT_DATA';
      // All that is known is breaching, and since long enough.
      const oldest = breaching.at(-1)?.age ?? 0;
      return breaching.length === counted.length && oldest >= datapointsToAlarm ? 'ALARM' : 'OK';
    }
  }
}

/** The sentence that AWS gives as reason of a state. `values` are those of existing datapoints, newest first. */
export function reasonFor(
  rule: Rule,
  state: StateValue,
  values: readonly { readonly value: number; readonly at: number }[],
): string {
  const { datapointsToAlarm, evaluationPeriods, threshold } = rule;
  const words = COMPARISONS[rule.comparison]?.words ?? '';
  if (values.length === 0) {
    return state === 'INSUFFICIENT_DATA'
      ? 'Insufficient Data: no datapoints were received'
      : `Threshold Crossed: no datapoints were received for ${evaluationPeriods} period${evaluationPeriods > 1 ? 's' : ''} and ${evaluationPeriods} missing datapoint${evaluationPeriods > 1 ? 's were' : ' was'} treated as [${state === 'ALARM' ? 'Breaching' : 'NonBreaching'}].`;
  }
  const shown = values.slice(0, evaluationPeriods);
  const relevant = shown.filter(({ value }) => isBreaching(rule, value) === (state === 'ALARM'));
  const list = relevant.map(({ value, at }) => `${decimal(value)} (${dayAndTime(at)})`).join(', ');
  const [count, verb] = [relevant.length, relevant.length === 1 ? 'was' : 'were'];
  const not = state === 'ALARM' ? '' : 'not ';
  const minimum =
    state === 'ALARM'
      ? ` (minimum ${datapointsToAlarm} datapoint${datapointsToAlarm > 1 ? 's' : ''} for OK -> ALARM transition)`
      : '';
  return `Threshold Crossed: ${count} out of the last ${shown.length} datapoint${shown.length > 1 ? 's' : ''} [${list}] ${verb} ${not}${words} the threshold (${decimal(threshold)})${minimum}.`;
}

function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** `21/11/26 11:20:00`, as in AWS's sentence. */
function dayAndTime(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const [year = '', month, day] = date.split('-');
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}
