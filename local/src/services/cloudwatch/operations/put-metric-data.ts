import type { MetricDatum, PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import { operation } from '../../../kernel/define.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Datapoint } from '../datapoint.ts';
import { toRecord } from '../dimensions.ts';
import { invalidCombination, invalidValue, missing } from '../errors.ts';
import type { MetricStore } from '../metric-store.ts';

const DAY_MS = 86_400_000;

/** PutMetricData: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html */
export function putMetricData(kernel: Kernel, metrics: MetricStore): AnyOperation {
  return operation<PutMetricDataCommandInput, Record<string, never>>({
    permissions: (input) => [
      {
        action: 'cloudwatch:PutMetricData',
        resource: '*',
        context: { 'cloudwatch:namespace': String(input.Namespace) },
      },
    ],
    run(input) {
      const namespace = input.Namespace;
      if (!namespace) throw missing('Namespace');
      if (namespace.startsWith('AWS/')) {
        throw invalidValue('The value AWS/ for parameter Namespace is invalid: it is for the services of AWS.');
      }
      const data = input.MetricData ?? [];
      if (data.length > 1000) throw invalidValue('The collection MetricData must not have a size greater than 1000.');
      // All are checked before the first is stored.
      const prepared = data.map((datum) => ({ datum, ...prepare(datum, kernel.clock.now()) }));
      for (const { datum, timestamp, add } of prepared) {
        const identity = { namespace, metricName: datum.MetricName ?? '', dimensions: toRecord(datum.Dimensions) };
        metrics.record(identity, timestamp, datum.Unit, add);
      }
      return {};
    },
  });
}

function prepare(datum: MetricDatum, now: number): { readonly timestamp: number; add(to: Datapoint): void } {
  if (!datum.MetricName) throw missing('MetricData.member.N.MetricName');
  toRecord(datum.Dimensions);
  const timestamp = datum.Timestamp?.getTime() ?? now;
  if (timestamp < now - 14 * DAY_MS || timestamp > now + 2 * 3_600_000) {
    throw invalidValue(
      'The parameter MetricData.member.N.Timestamp must specify a time within the past two weeks and not more than two hours in the future.',
    );
  }
  const { Value, Values, Counts, StatisticValues } = datum;
  const given = [Value, Values, StatisticValues].filter((each) => each !== undefined);
  if (given.length !== 1) {
    throw invalidCombination(
      'At least one of the parameters MetricData.member.N.Value, Values and StatisticValues must be specified, and not more than one.',
    );
  }
  if (StatisticValues) {
    const { Sum = 0, SampleCount = 0, Minimum = 0, Maximum = 0 } = StatisticValues;
    return { timestamp, add: (to) => to.addSummary({ sum: Sum, count: SampleCount, min: Minimum, max: Maximum }) };
  }
  const values = Values ?? [Value ?? 0];
  if (values.some((value) => !Number.isFinite(value))) throw invalidValue('A metric value must be a finite number.');
  if (Counts && Counts.length !== values.length) {
    throw invalidCombination('The parameters Values and Counts must have the same number of members.');
  }
  return {
    timestamp,
    add(to) {
      for (const [at, value] of values.entries()) to.add(value, Counts?.[at] ?? 1);
    },
  };
}
