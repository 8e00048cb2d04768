import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** The namespace of the metrics that our functions write. */
export const OWN_NAMESPACE = 'Thingstead';

/** Numbers of failures are summed over this time. */
const PERIOD = Duration.minutes(5);

export interface AlarmOptions {
  /** Ends the name of the alarm: `thingstead-<name>`. */
  readonly name: string;
  /** What it means for users and what to do: the operator reads it at night. */
  readonly errorImpact: string;
}

/**
 * Makes alarms that report to the operations topic. Each costs 0.10 USD a month. Missing data is no alarm: these metrics
 * are written when something happens.
 */
export class Alarms extends Construct {
  readonly #topic: ITopic;
  readonly #all: Alarm[] = [];

  constructor(scope: Construct, id: string, topic: ITopic) {
    super(scope, id);
    this.#topic = topic;
  }

  /** All that were made so far. */
  get all(): readonly Alarm[] {
    return this.#all;
  }

  /** A queue of failures has messages in it. It stays in alarm until someone has emptied the queue. */
  onMessages(queue: IQueue, options: AlarmOptions): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM });
    this.#above(0, metric, options);
  }

  /** A function ended with an error, timeouts included. */
  onErrors(fn: LambdaFunction, options: AlarmOptions): void {
    this.#above(0, fn.metricErrors({ period: PERIOD, statistic: Stats.SUM }), options);
  }

  /** What a function failed on could not be sent to its on-failure destination: it is gone. */
  onUndelivered(fn: LambdaFunction, options: AlarmOptions): void {
    const metric = fn.metric('DestinationDeliveryFailures', { period: PERIOD, statistic: Stats.SUM });
    this.#above(0, metric, options);
  }

  /** A metric of AWS IoT about one rule counts anything. */
  onRuleMetric(metricName: string, dimensions: Readonly<Record<string, string>>, options: AlarmOptions): void {
    const metric = new Metric({
      namespace: 'AWS/IoT',
      metricName,
      dimensionsMap: { ...dimensions },
      period: PERIOD,
      statistic: Stats.SUM,
    });
    this.#above(0, metric, options);
  }

  /** A request to an HTTP API was answered with 500 or more, by a function or by the gateway itself. */
  onServerErrors(apiId: string, options: AlarmOptions): void {
    const metric = new Metric({
      namespace: 'AWS/ApiGateway',
      metricName: '5xx',
      dimensionsMap: { ApiId: apiId },
      period: PERIOD,
      statistic: Stats.SUM,
    });
    this.#above(0, metric, options);
  }

  /** A function of this capability counted anything in a metric of ours. */
  onOwnMetric(metricName: string, capability: string, options: AlarmOptions): void {
    const metric = new Metric({
      namespace: OWN_NAMESPACE,
      metricName,
      dimensionsMap: { service: capability },
      period: PERIOD,
      statistic: Stats.SUM,
    });
    this.#above(0, metric, options);
  }

  /** The greatest value of a metric is more than `threshold` in three periods on end. */
  onLag(metric: Metric, threshold: number, options: AlarmOptions): void {
    this.#above(threshold, metric.with({ period: PERIOD, statistic: Stats.MAXIMUM }), options, 3);
  }

  #above(threshold: number, metric: IMetric, { name, errorImpact }: AlarmOptions, evaluationPeriods = 1): void {
    const id = name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
    const alarm = new Alarm(this, id, {
      alarmName: `thingstead-${name}`,
      alarmDescription: errorImpact,
      metric,
      threshold,
      evaluationPeriods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
    this.#all.push(alarm);
  }
}
