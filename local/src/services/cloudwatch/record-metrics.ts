import type { Caller } from '../../kernel/caller.ts';
import type { Kernel } from '../../kernel/kernel.ts';

/** One value of a metric that a service publishes: the input of the internal operation `RecordServiceMetric`. */
export interface ServiceMetric {
  /** `AWS/SQS`. */
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** One of CloudWatch's units: `Count`, `Milliseconds`. */
  readonly unit?: string | undefined;
  /** Epoch milliseconds; now when not given. */
  readonly timestamp?: number | undefined;
}

/** Records metrics of a service through CloudWatch's internal operation. `caller` is that service. */
export async function recordMetrics(kernel: Kernel, caller: Caller, metrics: readonly ServiceMetric[]): Promise<void> {
  for (const metric of metrics) await kernel.call('cloudwatch', 'RecordServiceMetric', metric, caller);
}
