import type {
  Datapoint as DatapointOutput,
  GetMetricStatisticsCommandInput,
  GetMetricStatisticsOutput,
} from '@aws-sdk/client-cloudwatch';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { STATISTICS } from '../datapoint.ts';
import { toRecord } from '../dimensions.ts';
import { missing } from '../errors.ts';
import { type MetricStore, metricKey } from '../metric-store.ts';
import { checkPeriod, checkStatistic } from '../period.ts';

/** GetMetricStatistics: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html */
export function getMetricStatistics(metrics: MetricStore): AnyOperation {
  return operation<GetMetricStatisticsCommandInput, GetMetricStatisticsOutput>({
    permissions: () => [{ action: 'cloudwatch:GetMetricStatistics', resource: '*' }],
    run(input) {
      const { Namespace: namespace, MetricName: metricName, StartTime, EndTime } = input;
      if (!namespace) throw missing('Namespace');
      if (!metricName) throw missing('MetricName');
      if (!StartTime || !EndTime) throw missing('StartTime and EndTime');
      const names: string[] = [...(input.Statistics ?? []), ...(input.ExtendedStatistics ?? [])];
      if (names.length === 0) throw missing('Statistics or ExtendedStatistics');
      for (const name of names) checkStatistic(name);
      const key = metricKey({ namespace, metricName, dimensions: toRecord(input.Dimensions) });
      const periods = metrics.range(key, StartTime.getTime(), EndTime.getTime(), checkPeriod(input.Period));
      const Datapoints = [...periods].map(([start, datapoint]): DatapointOutput => {
        const plain = names.filter((name) => STATISTICS.includes(name));
        const extended = names.filter((name) => !STATISTICS.includes(name));
        const valuesOf = (list: readonly string[]) =>
          Object.fromEntries(list.map((name) => [name, datapoint.statistic(name) ?? 0]));
        return {
          Timestamp: new Date(start),
          Unit: (datapoint.unit ?? 'None') as DatapointOutput['Unit'],
          ...valuesOf(plain),
          ...(extended.length > 0 && { ExtendedStatistics: valuesOf(extended) }),
        };
      });
      return { Label: metricName, Datapoints };
    },
  });
}
