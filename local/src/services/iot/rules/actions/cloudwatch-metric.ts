import { ActionFailure, type ActionKind } from './rule-action.ts';

/** Records a value of a metric (https://docs.aws.amazon.com/iot/latest/developerguide/cloudwatch-metrics-rule-action.html). */
export const cloudwatchMetricAction: ActionKind = {
  failedAction: 'CloudwatchMetricAction',
  actionType: 'CloudwatchMetric',
  failure: 'Failed to put CloudWatch metric',
  compile(parameters) {
    const namespace = parameters.template('metricNamespace');
    const value = parameters.template('metricValue');
    const unit = parameters.template('metricUnit');
    const timestamp = parameters.optionalTemplate('metricTimestamp');
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('metricName'),
      async run(invocation, metricName) {
        const seconds = timestamp && toNumber(await timestamp(invocation), 'metricTimestamp');
        const datum = {
          MetricName: metricName,
          Value: toNumber(await value(invocation), 'metricValue'),
          Unit: await unit(invocation),
          ...(seconds !== undefined && { Timestamp: new Date(seconds * 1000) }),
        };
        const input = { Namespace: await namespace(invocation), MetricData: [datum] };
        return invocation.call('cloudwatch', 'PutMetricData', input);
      },
    };
  },
};

function toNumber(text: string, name: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new ActionFailure(`${name} is ${JSON.stringify(text)}; it has to be a number`);
}
