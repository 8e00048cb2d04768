import type {
  GetMetricDataCommandInput,
  GetMetricDataOutput,
  MetricDataQuery,
  MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { toRecord } from '../dimensions.ts';
import { missing } from '../errors.ts';
import { type MetricStore, metricKey } from '../metric-store.ts';
import { checkPeriod, checkStatistic } from '../period.ts';

/** GetMetricData without metric math: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
export function getMetricData(metrics: MetricStore): AnyOperation {
  return operation<GetMetricDataCommandInput, GetMetricDataOutput>({
    permissions: () => [{ action: 'cloudwatch:GetMetricData', resource: '*' }],
    run(input) {
      const { StartTime, EndTime } = input;
      if (!StartTime || !EndTime) throw missing('StartTime and EndTime');
      const results = (input.MetricDataQueries ?? []).map((query) =>
        answer(metrics, query, StartTime.getTime(), EndTime.getTime()),
      );
      if (input.ScanBy !== 'TimestampAscending') {
        for (const { Timestamps, Values } of results) {
          Timestamps?.reverse();
          Values?.reverse();
        }
      }
      return { MetricDataResults: results };
    },
  });
}

function answer(metrics: MetricStore, query: MetricDataQuery, from: number, to: number): MetricDataResult {
  if (query.Expression !== undefined) {
    throw new AwsError('NotEmulated', `The local runtime does not emulate metric math (${query.Expression}).`, 501);
  }
  const { Metric, Period, Stat } = query.MetricStat ?? {};
  if (!Metric?.Namespace || !Metric.MetricName) throw missing('MetricStat.Metric');
  const statistic = checkStatistic(Stat ?? '');
  const key = metricKey({
    namespace: Metric.Namespace,
    metricName: Metric.MetricName,
    dimensions: toRecord(Metric.Dimensions),
  });
  const periods = metrics.range(key, from, to, checkPeriod(Period));
  return {
    Id: query.Id,
    Label: query.Label ?? Metric.MetricName,
    Timestamps: [...periods.keys()].map((start) => new Date(start)),
    Values: [...periods.values()].map((datapoint) => datapoint.statistic(statistic) ?? 0),
    StatusCode: 'Complete',
  };
}
