import type { StateValue } from '@aws-sdk/client-cloudwatch';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Alarm, AlarmState } from './alarm.ts';
import { isPercentile } from './datapoint.ts';

/** How the e-mail subject and the message name a Region. */
const REGION_NAMES: Readonly<Record<string, string>> = {
  'eu-central-1': 'EU (Frankfurt)',
  'eu-west-1': 'EU (Ireland)',
  'us-east-1': 'US East (N. Virginia)',
  'us-east-2': 'US East (Ohio)',
  'us-west-2': 'US West (Oregon)',
};

/**
 * Publishes a change of state to the topics of the new state, as the service: the topic's policy decides. A topic that
 * refuses is named in the runtime's log, as AWS names it in the alarm's history.
 */
export async function runActions(kernel: Kernel, alarm: Alarm, before: AlarmState): Promise<void> {
  const { value, reason } = alarm.state;
  const isNews = value === 'ALARM' || before.value === 'ALARM';
  const change = { alarm: alarm.configuration.name, from: before.value, to: value, reason };
  kernel.log[isNews ? 'info' : 'debug']('alarm changed its state', change);
  if (!alarm.actionsEnabled) return;
  const regionName = REGION_NAMES[kernel.region] ?? kernel.region;
  for (const TopicArn of alarm.configuration.actions[value]) {
    try {
      await kernel.call(
        'sns',
        'Publish',
        {
          TopicArn,
          Subject: `${value}: "${alarm.configuration.name}" in ${regionName}`.slice(0, 100),
          Message: JSON.stringify(message(kernel, alarm, before.value, regionName)),
        },
        kernel.serviceCaller('cloudwatch.amazonaws.com', alarm.arn),
      );
    } catch (error) {
      kernel.log.warn('an alarm could not publish to its topic', {
        alarm: alarm.configuration.name,
        topic: TopicArn,
        error,
      });
    }
  }
}

function message(kernel: Kernel, alarm: Alarm, oldState: StateValue, regionName: string): Record<string, unknown> {
  const { configuration, state } = alarm;
  const { metric, statistic, actions } = configuration;
  return {
    AlarmName: configuration.name,
    AlarmDescription: configuration.description ?? null,
    AWSAccountId: kernel.accountId,
    AlarmConfigurationUpdatedTimestamp: timestamp(alarm.configuredAt),
    NewStateValue: state.value,
    NewStateReason: state.reason,
    StateChangeTime: timestamp(state.updatedAt),
    Region: regionName,
    AlarmArn: alarm.arn,
    OldStateValue: oldState,
    OKActions: actions.OK,
    AlarmActions: actions.ALARM,
    InsufficientDataActions: actions.INSUFFICIENT_DATA,
    Trigger: {
      MetricName: metric.metricName,
      Namespace: metric.namespace,
      ...(isPercentile(statistic)
        ? { StatisticType: 'ExtendedStatistic', ExtendedStatistic: statistic }
        : { StatisticType: 'Statistic', Statistic: statistic.toUpperCase().replace('SAMPLECOUNT', 'SAMPLE_COUNT') }),
      Unit: configuration.unit ?? null,
      Dimensions: Object.entries(metric.dimensions).map(([name, value]) => ({ value, name })),
      Period: configuration.periodMs / 1000,
      EvaluationPeriods: configuration.evaluationPeriods,
      DatapointsToAlarm: configuration.datapointsToAlarm,
      ComparisonOperator: configuration.comparison,
      Threshold: configuration.threshold,
      TreatMissingData: configuration.treatMissingData,
      EvaluateLowSampleCountPercentile: '',
    },
  };
}

/** `2026-11-21T11:20:00.000+0000` */
function timestamp(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000');
}
