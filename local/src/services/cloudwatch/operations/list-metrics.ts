import type { ListMetricsCommandInput, ListMetricsOutput } from '@aws-sdk/client-cloudwatch';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { toDimensions } from '../dimensions.ts';
import type { MetricStore } from '../metric-store.ts';
import { page } from '../page.ts';

/** ListMetrics: 500 to a page. */
export function listMetrics(metrics: MetricStore): AnyOperation {
  return operation<ListMetricsCommandInput, ListMetricsOutput>({
    permissions: () => [{ action: 'cloudwatch:ListMetrics', resource: '*' }],
    run(input) {
      const { Namespace, MetricName, Dimensions = [] } = input;
      const matching = [...metrics.all].filter(
        ({ namespace, metricName, dimensions }) =>
          (Namespace === undefined || namespace === Namespace) &&
          (MetricName === undefined || metricName === MetricName) &&
          Dimensions.every(
            ({ Name = '', Value }) => Name in dimensions && (Value === undefined || dimensions[Name] === Value),
          ),
      );
      const { items, NextToken } = page(matching, 500, input.NextToken);
      return {
        Metrics: items.map(({ namespace, metricName, dimensions }) => ({
          Namespace: namespace,
          MetricName: metricName,
          Dimensions: toDimensions(dimensions),
        })),
        NextToken,
      };
    },
  });
}
