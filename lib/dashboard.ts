import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { OWN_NAMESPACE } from './alarms.ts';

const PERIOD = Duration.minutes(5);
const WIDTH = 24;
const THIRD = WIDTH / 3;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_remove_alarm_dashboard.html */
const ALARMS_PER_WIDGET = 100;
const ALARMS_PER_ROW = 8;

export interface DashboardProps {
  readonly alarms: readonly IAlarm[];
  readonly apiId: string;
  readonly streamName: string;
}

/**
 * What an operator looks at: alarms, then the way of the data from devices to people, then files, firmware and certificates. Most of it is
 * found by search, so that a new function, rule or queue is on it by itself. A dashboard costs 3 USD a month; the first three of an
 * account are free: https://aws.amazon.com/cloudwatch/pricing
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { alarms, apiId, streamName }: DashboardProps) {
    super(scope, id);
    const dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: 'thingstead',
      defaultInterval: Duration.hours(24),
    });
    dashboard.addWidgets(...alarmWidgets(alarms));
    const rows: readonly (readonly [string, ...IWidget[]])[] = [
      [
        'Devices',
        graph('Connections', iot('Connect.Success', 'Connect.AuthError', 'Connect.ClientError', 'Connect.Throttle')),
        graph('Messages', iot('PublishIn.Success', 'PublishIn.AuthError', 'PublishIn.Throttle', 'PublishOut.Success')),
        graph('Rules', [found('AWS/IoT,RuleName', 'thingstead MetricName="TopicMatch"')]),
      ],
      [
        'What failed',
        graph('Actions of rules', [found('AWS/IoT,ActionType,RuleName', 'thingstead MetricName="Failure"')]),
        graph('Functions', [found('AWS/Lambda,FunctionName', 'thingstead MetricName="Errors"')]),
        graph('Messages that wait in queues', [
          found('AWS/SQS,QueueName', 'thingstead MetricName="ApproximateNumberOfMessagesVisible"', Stats.MAXIMUM),
        ]),
      ],
      [
        'Telemetry and people',
        graph('Telemetry: age of what is not processed yet (ms)', [
          new Metric({
            namespace: 'AWS/Kinesis',
            metricName: 'GetRecords.IteratorAgeMilliseconds',
            dimensionsMap: { StreamName: streamName },
            statistic: Stats.MAXIMUM,
            period: PERIOD,
          }),
        ]),
        graph('REST: requests and refusals', api(apiId, Stats.SUM, 'Count', '4xx', '5xx')),
        graph('REST: milliseconds, 99 %', api(apiId, Stats.p(99), 'Latency')),
      ],
      [
        'Files, firmware, certificates',
        graph('Files', [ofService('files'), ofService('file-transfers')]),
        graph('Firmware', [ofService('firmware-devices'), ofService('rollouts'), ofService('rollout-ticks')]),
        graph('Certificates', [
          ofService('certificate-renewals'),
          ofService('certificate-expiries'),
          ofService('registration'),
        ]),
      ],
    ];
    for (const [title, ...widgets] of rows) {
      dashboard.addWidgets(new TextWidget({ markdown: `## ${title}`, width: WIDTH, height: 1 }));
      dashboard.addWidgets(...widgets);
    }
  }
}

function alarmWidgets(alarms: readonly IAlarm[]): readonly IWidget[] {
  const widgets: IWidget[] = [];
  for (let at = 0; at < alarms.length; at += ALARMS_PER_WIDGET) {
    const some = alarms.slice(at, at + ALARMS_PER_WIDGET);
    const height = 1 + Math.ceil(some.length / ALARMS_PER_ROW);
    widgets.push(new AlarmStatusWidget({ title: 'Alarms', alarms: [...some], width: WIDTH, height }));
  }
  return widgets;
}

function graph(title: string, left: readonly IMetric[]): GraphWidget {
  return new GraphWidget({ title, left: [...left], width: THIRD, height: 6, period: PERIOD });
}

function iot(...metricNames: readonly string[]): readonly IMetric[] {
  return metricNames.map(
    (metricName) =>
      new Metric({
        namespace: 'AWS/IoT',
        metricName,
        dimensionsMap: { Protocol: 'MQTT' },
        statistic: Stats.SUM,
        period: PERIOD,
      }),
  );
}

function api(apiId: string, statistic: string, ...metricNames: readonly string[]): readonly IMetric[] {
  return metricNames.map(
    (metricName) =>
      new Metric({
        namespace: 'AWS/ApiGateway',
        metricName,
        dimensionsMap: { ApiId: apiId },
        statistic,
        period: PERIOD,
      }),
  );
}

/** Every metric of ours that a function writes. */
function ofService(service: string): IMetric {
  return found(`${OWN_NAMESPACE},service`, `service="${service}"`);
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html */
function found(schema: string, terms: string, statistic: string = Stats.SUM): IMetric {
  return new MathExpression({
    expression: `SEARCH('{${schema}} ${terms}', '${statistic}', ${PERIOD.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period: PERIOD,
  });
}
