import { type InputType, jsonProtocol, queryProtocol } from '../../http/protocols/index.ts';
import { together } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { internalOperation } from '../internal-operation.ts';
import { Alarms } from './alarms.ts';
import { QUERY_ERROR_CODES } from './errors.ts';
import { MetricStore } from './metric-store.ts';
import { deleteAlarms, describeAlarms, setAlarmState, switchAlarmActions } from './operations/alarms.ts';
import { getMetricData } from './operations/get-metric-data.ts';
import { getMetricStatistics } from './operations/get-metric-statistics.ts';
import { listMetrics } from './operations/list-metrics.ts';
import { putMetricAlarm } from './operations/put-metric-alarm.ts';
import { putMetricData } from './operations/put-metric-data.ts';
import type { ServiceMetric } from './record-metrics.ts';

const TIMESTAMPS: Readonly<Record<string, InputType>> = {
  StartTime: 'timestamp',
  EndTime: 'timestamp',
  'MetricData.Timestamp': 'timestamp',
};

/** Amazon CloudWatch: metrics by the minute, and alarms on one metric that publish to SNS. */
export function createCloudwatchService(kernel: Kernel): Service {
  const metrics = new MetricStore();
  metrics.onMetric = ({ namespace }) => {
    // Metrics of AWS's own services cost nothing.
    if (!namespace.startsWith('AWS/')) kernel.meter.start('cloudwatchMetric', namespace);
  };
  const alarms = new Alarms(kernel, metrics);
  return {
    name: 'cloudwatch',
    signingNames: ['monitoring'],
    protocols: [
      jsonProtocol({
        version: '1.0',
        targetPrefix: 'GraniteServiceVersion20100801',
        inputTypes: { '*': TIMESTAMPS },
        queryErrorCodes: QUERY_ERROR_CODES,
      }),
      queryProtocol({
        apiVersion: '2010-08-01',
        namespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
        errorCodes: QUERY_ERROR_CODES,
        maps: ['ExtendedStatistics'],
        inputTypes: {
          '*': {
            ...TIMESTAMPS,
            ActionsEnabled: 'boolean',
            DatapointsToAlarm: 'number',
            EvaluationPeriods: 'number',
            MaxRecords: 'number',
            Period: 'number',
            Threshold: 'number',
            'MetricData.Value': 'number',
            'MetricData.Values': 'number',
            'MetricData.Counts': 'number',
            'MetricData.StatisticValues.SampleCount': 'number',
            'MetricData.StatisticValues.Sum': 'number',
            'MetricData.StatisticValues.Minimum': 'number',
            'MetricData.StatisticValues.Maximum': 'number',
            'MetricDataQueries.MetricStat.Period': 'number',
          },
        },
      }),
    ],
    operations: {
      DeleteAlarms: deleteAlarms(alarms),
      DescribeAlarms: describeAlarms(alarms),
      DisableAlarmActions: switchAlarmActions(alarms, 'DisableAlarmActions', false),
      EnableAlarmActions: switchAlarmActions(alarms, 'EnableAlarmActions', true),
      GetMetricData: getMetricData(metrics),
      GetMetricStatistics: getMetricStatistics(metrics),
      ListMetrics: listMetrics(metrics),
      PutMetricAlarm: putMetricAlarm(alarms),
      PutMetricData: putMetricData(kernel, metrics),
      RecordServiceMetric: internalOperation<ServiceMetric, void>('cloudwatch', 'RecordServiceMetric', (metric) => {
        const { timestamp = kernel.clock.now(), unit, value } = metric;
        metrics.record(metric, timestamp, unit, (to) => to.add(value));
      }),
      SetAlarmState: setAlarmState(alarms),
    },
    state: together(metrics, alarms),
  };
}
