import type { PutMetricAlarmCommandInput } from '@aws-sdk/client-cloudwatch';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { AlarmConfiguration } from '../alarm.ts';
import type { Alarms } from '../alarms.ts';
import { toRecord } from '../dimensions.ts';
import { invalidValue, missing } from '../errors.ts';
import { COMPARISON_OPERATORS, type TreatMissingData } from '../evaluate-alarm.ts';
import { checkPeriod, checkStatistic } from '../period.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_NAME = 255;
const MAX_ACTIONS = 5;
const TREATMENTS: readonly string[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

/** PutMetricAlarm on one metric: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
export function putMetricAlarm(alarms: Alarms): AnyOperation {
  return operation<PutMetricAlarmCommandInput, Record<string, never>>({
    permissions: (input) => [
      { action: 'cloudwatch:PutMetricAlarm', resource: alarms.kernel.arn('cloudwatch', `alarm:${input.AlarmName}`) },
    ],
    run(input) {
      alarms.put(read(input));
      return {};
    },
  });
}

function read(input: PutMetricAlarmCommandInput): AlarmConfiguration {
  for (const name of ['Metrics', 'ThresholdMetricId'] as const) {
    if (input[name] === undefined) continue;
    throw new AwsError(
      'NotEmulated',
      `The local runtime does not emulate ${name} of cloudwatch:PutMetricAlarm: an alarm watches one metric.`,
      501,
    );
  }
  if (input.EvaluateLowSampleCountPercentile === 'ignore') {
    throw new AwsError(
      'NotEmulated',
      'The local runtime does not emulate EvaluateLowSampleCountPercentile "ignore".',
      501,
    );
  }
  const { AlarmName, MetricName, Namespace, Threshold, EvaluationPeriods, ComparisonOperator } = input;
  if (!AlarmName) throw missing('AlarmName');
  if (AlarmName.length > MAX_NAME)
    throw invalidValue(`AlarmName has ${AlarmName.length} characters; it has up to ${MAX_NAME}.`);
  if (!MetricName || !Namespace) throw missing('MetricName and Namespace');
  if (Threshold === undefined || !Number.isFinite(Threshold)) throw missing('Threshold');
  if (!Number.isInteger(EvaluationPeriods) || EvaluationPeriods === undefined || EvaluationPeriods < 1) {
    throw invalidValue(`EvaluationPeriods is ${EvaluationPeriods}; it is a whole number from 1.`);
  }
  const datapointsToAlarm = input.DatapointsToAlarm ?? EvaluationPeriods;
  if (!Number.isInteger(datapointsToAlarm) || datapointsToAlarm < 1 || datapointsToAlarm > EvaluationPeriods) {
    throw invalidValue(`DatapointsToAlarm is ${datapointsToAlarm}; it is a whole number from 1 to EvaluationPeriods.`);
  }
  if (!ComparisonOperator || !COMPARISON_OPERATORS.includes(ComparisonOperator)) {
    throw invalidValue(`ComparisonOperator is ${ComparisonOperator}; it is one of ${COMPARISON_OPERATORS.join(', ')}.`);
  }
  if ((input.Statistic === undefined) === (input.ExtendedStatistic === undefined)) {
    throw invalidValue('Exactly one of the parameters Statistic and ExtendedStatistic must be specified.');
  }
  const periodMs = checkPeriod(input.Period);
  checkRange(periodMs, EvaluationPeriods);
  const treatMissingData = input.TreatMissingData ?? 'missing';
  if (!TREATMENTS.includes(treatMissingData)) {
    throw invalidValue(`TreatMissingData is ${treatMissingData}; it is one of ${TREATMENTS.join(', ')}.`);
  }
  return {
    name: AlarmName,
    description: input.AlarmDescription,
    metric: { namespace: Namespace, metricName: MetricName, dimensions: toRecord(input.Dimensions) },
    statistic: checkStatistic(input.Statistic ?? input.ExtendedStatistic ?? ''),
    unit: input.Unit,
    periodMs,
    threshold: Threshold,
    evaluationPeriods: EvaluationPeriods,
    datapointsToAlarm,
    comparison: ComparisonOperator,
    // "Alarms on metrics of AWS/DynamoDB always ignore missing data."
    treatMissingData: Namespace === 'AWS/DynamoDB' ? 'ignore' : (treatMissingData as TreatMissingData),
    actionsEnabled: input.ActionsEnabled ?? true,
    actions: {
      ALARM: topics(input.AlarmActions),
      OK: topics(input.OKActions),
      INSUFFICIENT_DATA: topics(input.InsufficientDataActions),
    },
  };
}

/** "An alarm's total current evaluation period can be no longer than seven days", of periods below an hour one day. */
function checkRange(periodMs: number, periods: number): void {
  const longest = periodMs < HOUR_MS ? DAY_MS : 7 * DAY_MS;
  if (periodMs * periods <= longest) return;
  throw invalidValue(
    `Metrics cannot be checked across more than ${longest / DAY_MS === 1 ? 'a day' : 'seven days'} (EvaluationPeriods * Period must be <= ${longest / 1000}).`,
  );
}

function topics(actions: readonly string[] | undefined): readonly string[] {
  if (actions && actions.length > MAX_ACTIONS) {
    throw invalidValue(`An alarm has up to ${MAX_ACTIONS} actions for a state, not ${actions.length}.`);
  }
  for (const action of actions ?? []) {
    if (!/^arn:aws:sns:[^:]+:\d{12}:[\w-]+$/.test(action)) {
      throw new AwsError(
        'NotEmulated',
        `The local runtime does not emulate the alarm action ${action}: actions are SNS topics.`,
        501,
      );
    }
  }
  return actions ?? [];
}
