/** Metrics written into the log: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
import type { ServiceMetric } from '../cloudwatch/record-metrics.ts';

interface Directive {
  readonly Namespace?: unknown;
  readonly Dimensions?: unknown;
  readonly Metrics?: unknown;
}

/** The metrics in one log event; none for a line that is not in the embedded metric format. */
export function embeddedMetrics(message: string): readonly ServiceMetric[] {
  if (!message.startsWith('{') || !message.includes('"_aws"')) return [];
  let root: Readonly<Record<string, unknown>>;
  try {
    root = JSON.parse(message) as typeof root;
  } catch {
    // Not JSON: AWS keeps the line and takes no metric from it.
    return [];
  }
  const { Timestamp, CloudWatchMetrics } = Object(root._aws) as { Timestamp?: unknown; CloudWatchMetrics?: unknown };
  if (!Array.isArray(CloudWatchMetrics) || typeof Timestamp !== 'number') return [];
  return CloudWatchMetrics.flatMap((directive: unknown) => metricsOf(root, Object(directive) as Directive, Timestamp));
}

function metricsOf(
  root: Readonly<Record<string, unknown>>,
  { Namespace, Dimensions, Metrics }: Directive,
  timestamp: number,
): readonly ServiceMetric[] {
  if (typeof Namespace !== 'string' || !Array.isArray(Metrics)) return [];
  const sets = Array.isArray(Dimensions) && Dimensions.length > 0 ? Dimensions : [[]];
  const metrics: ServiceMetric[] = [];
  for (const metric of Metrics) {
    const { Name, Unit } = Object(metric) as { Name?: unknown; Unit?: unknown };
    if (typeof Name !== 'string') continue;
    const values = [root[Name]].flat().filter((value): value is number => typeof value === 'number');
    for (const set of sets) {
      const names = Array.isArray(set) ? set.map(String) : [];
      if (names.some((name) => root[name] === undefined)) continue;
      const dimensions = Object.fromEntries(names.map((name) => [name, String(root[name])]));
      for (const value of values) {
        const unit = typeof Unit === 'string' ? Unit : undefined;
        metrics.push({ namespace: Namespace, metricName: Name, dimensions, value, unit, timestamp });
      }
    }
  }
  return metrics;
}
