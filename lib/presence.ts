import type { EnvironmentOf, PRESENCE_ENVIRONMENT } from '@thingstead/contracts/environment';
import type { PresenceSettings } from '@thingstead/contracts/presence';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { lastWillSql, lifeCycleSql, shadowReportSql, willRejectedSql } from './presence-sql.ts';
import { stateTable } from './resource-names.ts';
import { republish, sendMessage, TopicRule } from './topic-rule.ts';

export interface PresenceProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  /** Takes what people are to be told. */
  readonly notices: IQueue;
}

const FUNCTION_TIMEOUT = Duration.minutes(1);
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout. */
const VISIBILITY_TIMEOUT = Duration.minutes(6);
const MAX_RECEIVES = 5;
/** A storm of reconnections waits in the queue; this many invocations work on it. */
const CONCURRENT_INVOCATIONS = 20;

/**
 * Who is connected. Life-cycle events and changes of the shadows go through one queue to one function, which keeps the row of
 * each thing; what has to be looked at later goes through a second queue to the same function. Last wills reach the shadow
 * by a rule alone.
 */
export class Presence extends Construct {
  readonly #props: PresenceProps;

  constructor(scope: Construct, id: string, props: PresenceProps) {
    super(scope, id);
    this.#props = props;
    const { alarms } = props;
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'presence-failed',
      alarms,
      errorImpact:
        'The presence function failed five times on these messages. The rows of those things may be wrong until their next connection, and a notice may be missing. Move the messages back when the cause is mended: they may come twice.',
    });
    const observations = this.#queue('Queue', 'thingstead-presence', failed.queue);
    const checks = this.#queue('ChecksQueue', 'thingstead-presence-checks', failed.queue);
    this.#consume(observations, checks);
    this.#rules(observations);
    new Rule(this, 'Sweep', {
      ruleName: 'thingstead-presence-sweep',
      description: 'Every minute: find things that sleep and are overdue',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new SqsQueue(checks, { message: RuleTargetInput.fromObject({ kind: 'sweep' }) })],
    });
  }

  #queue(id: string, queueName: string, deadLetterQueue: Queue): Queue {
    return new Queue(this, id, {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY_TIMEOUT,
      deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: MAX_RECEIVES },
    });
  }

  #consume(observations: Queue, checks: Queue): void {
    const { config, alarms, lambdaFolder, notices } = this.#props;
    const things = stateTable(this, 'things');
    const aggregates = stateTable(this, 'telemetryAggregates');
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/presence`,
      functionName: 'thingstead-presence',
      description: 'Keeps who is connected, and decides what people are told about it',
      timeout: FUNCTION_TIMEOUT,
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        THINGS_TABLE: things.tableName,
        AGGREGATES_TABLE: aggregates.tableName,
        CHECKS_QUEUE_URL: checks.queueUrl,
        NOTICES_QUEUE_URL: notices.queueUrl,
        PRESENCE_SETTINGS: JSON.stringify(settingsOf(config)),
      } satisfies EnvironmentOf<typeof PRESENCE_ENVIRONMENT>,
    });
    allow(role, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], things.tableArn);
    for (const index of [THINGS_INDEXES.due, THINGS_INDEXES.notices])
      allow(role, 'dynamodb:Query', `${things.tableArn}/index/${index}`);
    allow(role, 'dynamodb:Query', aggregates.tableArn);
    allow(role, 'sqs:SendMessage', checks.queueArn);
    allow(role, 'sqs:SendMessage', notices.queueArn);
    this.#allowIot(role);
    for (const [id, queue, maxConcurrency] of [
      ['ObservationsSource', observations, CONCURRENT_INVOCATIONS],
      ['ChecksSource', checks, CONCURRENT_INVOCATIONS],
    ] as const) {
      allow(role, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queue.queueArn);
      const source = new EventSourceMapping(this, id, {
        target: fn,
        eventSourceArn: queue.queueArn,
        batchSize: 10,
        maxConcurrency,
        reportBatchItemFailures: true,
      });
      // Lambda checks when this is made that the role may receive.
      source.node.addDependency(role);
    }
    alarms.onErrors(fn, {
      name: 'presence-function-errors',
      errorImpact:
        'The presence function fails: rows fall behind, notices are late. What it fails on comes again by itself.',
    });
    alarms.onLag(observations.metricApproximateAgeOfOldestMessage(), Duration.minutes(5).toSeconds(), {
      name: 'presence-behind',
      errorImpact: 'Who is connected is more than five minutes old. After a large outage this passes by itself.',
    });
  }

  #rules(observations: Queue): void {
    const { config, alarms } = this.#props;
    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'presence-errors',
      alarms,
      errorImpact:
        'AWS IoT could not hand on life-cycle events, changes of shadows or last wills. The rows of those things are mended by their next event or by the check of their outage.',
    }).queue;
    const toQueue = [sendMessage(observations)];
    new TopicRule(this, 'LifeCycleRule', {
      ruleName: 'thingstead_presence_life_cycle',
      description: 'A device has connected or disconnected',
      sql: lifeCycleSql(config.presence),
      ...{ actions: toQueue, errors, alarms },
    });
    new TopicRule(this, 'ShadowRule', {
      ruleName: 'thingstead_presence_shadow',
      description: 'A shadow says something else about the connection than before',
      sql: shadowReportSql(),
      ...{ actions: toQueue, errors, alarms },
    });
    new TopicRule(this, 'WillRejectedRule', {
      ruleName: 'thingstead_presence_will_rejected',
      description: 'A last will came too late for the shadow it had read',
      sql: willRejectedSql(),
      ...{ actions: toQueue, errors, alarms },
    });
    const will = new TopicRule(this, 'LastWillRule', {
      ruleName: 'thingstead_presence_last_will',
      description: 'The last will of a device into its shadow',
      sql: lastWillSql,
      actions: [
        republish(`$$aws/things/\${topic(2)}/shadow/update`, this.#arn('topic', '$aws/things/*/shadow/update')),
      ],
      ...{ errors, alarms },
    });
    allow(will.role, 'iot:GetThingShadow', this.#arn('thing', '*'));
    acknowledgeAll(
      will.role,
      ['topic/$aws/things/*/shadow/update', 'thing/*'],
      'Which device is lost is not known beforehand.',
    );
  }

  #allowIot(role: NodeFunction['role']): void {
    allow(role, 'iot:GetConnection', this.#arn('client', '*'));
    allow(role, ['iot:GetThingShadow', 'iot:UpdateThingShadow'], this.#arn('thing', '*'));
    acknowledgeAll(role, ['client/*', 'thing/*'], 'Which device connects is not known beforehand.');
  }

  #arn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
  }
}

function settingsOf({ presence, thingTypes }: PlatformConfig): PresenceSettings {
  const { offlineDelaySeconds, groupWindowSeconds } = presence;
  const times = Object.entries(thingTypes).map(
    ([type, { offlineDelaySeconds: delay, expectedIntervalSeconds: expected }]) => [
      type,
      {
        ...(delay !== undefined && { offlineDelaySeconds: delay }),
        ...(expected !== undefined && { expectedIntervalSeconds: expected }),
      },
    ],
  );
  return { offlineDelaySeconds, groupWindowSeconds, thingTypes: Object.fromEntries(times) };
}

function acknowledgeAll(role: NodeFunction['role'], resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${resource}]`,
      reason,
    );
  }
}
