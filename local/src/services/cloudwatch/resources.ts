import type { ResourceHandler } from '../../template/resource-handler.ts';

/** All but the name: an alarm of another name is another alarm. */
const ALARM_PROPERTIES = [
  ...['ActionsEnabled', 'AlarmActions', 'AlarmDescription', 'ComparisonOperator', 'DatapointsToAlarm', 'Dimensions'],
  ...['EvaluationPeriods', 'ExtendedStatistic', 'InsufficientDataActions', 'MetricName', 'Namespace', 'OKActions'],
  ...['Period', 'Statistic', 'Tags', 'Threshold', 'TreatMissingData', 'Unit'],
];

/** What CloudFormation creates in CloudWatch. */
export const cloudwatchResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::CloudWatch::Alarm',
    properties: {
      ActionsEnabled: 'executed',
      AlarmActions: 'executed',
      AlarmDescription: 'executed',
      AlarmName: 'executed',
      ComparisonOperator: 'executed',
      DatapointsToAlarm: 'executed',
      Dimensions: [{ Name: 'executed', Value: 'executed' }],
      EvaluationPeriods: 'executed',
      ExtendedStatistic: 'executed',
      InsufficientDataActions: 'executed',
      MetricName: 'executed',
      Namespace: 'executed',
      OKActions: 'executed',
      Period: 'executed',
      Statistic: 'executed',
      Tags: 'declared',
      Threshold: 'executed',
      TreatMissingData: 'executed',
      Unit: 'executed',
    },
    async create({ kernel, caller, generatedName, properties }) {
      const AlarmName = String(properties.AlarmName ?? generatedName);
      const numbers = ['DatapointsToAlarm', 'EvaluationPeriods', 'Period', 'Threshold'];
      const input = Object.fromEntries(
        Object.entries(properties)
          .filter(([name]) => name !== 'Tags')
          .map(([name, value]) => [name, numbers.includes(name) ? Number(value) : value]),
      );
      await kernel.call(
        'cloudwatch',
        'PutMetricAlarm',
        { ...input, AlarmName, ActionsEnabled: String(properties.ActionsEnabled ?? true) === 'true' },
        caller,
      );
      return { ref: AlarmName, attributes: { Arn: kernel.arn('cloudwatch', `alarm:${AlarmName}`) } };
    },
    update: { properties: ALARM_PROPERTIES, by: 'create' },
    delete: ({ kernel, caller }, { ref }) => kernel.call('cloudwatch', 'DeleteAlarms', { AlarmNames: [ref] }, caller),
  },
];
