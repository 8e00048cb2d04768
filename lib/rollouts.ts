import type { EnvironmentOf, ROLLOUT_TICKS_ENVIRONMENT, ROLLOUTS_ENVIRONMENT } from '@thingstead/contracts/environment';
import { FIRMWARE_SHADOW } from '@thingstead/contracts/firmware';
import { FIRMWARE_BY_DUE } from '@thingstead/contracts/firmware-store';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { Duration, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';

const TICK_TIMEOUT = Duration.seconds(60);
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout. */
const VISIBILITY_TIMEOUT = Duration.minutes(6);
const MAX_RECEIVES = 5;
/** Rollouts that are moved on at the same time. */
const CONCURRENT_TICKS = 10;
/** Lists by which a rollout finds its devices. */
const LISTS = [THINGS_INDEXES.site, THINGS_INDEXES.type, THINGS_INDEXES.firmware, THINGS_INDEXES.connected];

export interface RolloutsProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

/**
 * Releases are brought to devices, a few at first. One function answers the routes; another takes ticks from a queue, of which each
 * brings the next one. What devices say of their updates comes to the function that answers devices about firmware.
 */
export class Rollouts extends Construct {
  /** Of ticks: whoever finds a rollout that has nothing under way, and should, sends one. */
  readonly queue: IQueue;
  readonly #props: RolloutsProps;
  readonly #firmware: ITable;
  readonly #things: ITable;

  constructor(scope: Construct, id: string, props: RolloutsProps) {
    super(scope, id);
    this.#props = props;
    this.#firmware = stateTable(this, 'firmware');
    this.#things = stateTable(this, 'things');
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'rollouts-failed',
      alarms: props.alarms,
      errorImpact:
        'The function that moves rollouts on failed on these ticks ({rollout, tick}), and those rollouts stand still: nothing starts, and nothing times out. The log of the function says why. Then resume them (thingstead rollout resume), or move the messages back to thingstead-rollouts.',
    }).queue;
    this.queue = new Queue(this, 'Queue', {
      queueName: 'thingstead-rollouts',
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY_TIMEOUT,
      deadLetterQueue: { queue: failed, maxReceiveCount: MAX_RECEIVES },
    });
    this.#answer();
    this.#tick();
  }

  #answer(): void {
    const { config, lambdaFolder, api, alarms } = this.#props;
    const access = stateTable(this, 'access');
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/rollouts`,
      functionName: 'thingstead-rollouts',
      description: 'Answers the routes of rollouts',
      timeout: Duration.seconds(25),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        FIRMWARE_TABLE: this.#firmware.tableName,
        THINGS_TABLE: this.#things.tableName,
        ACCESS_TABLE: access.tableName,
        ROLLOUTS_QUEUE_URL: this.queue.queueUrl,
      } satisfies EnvironmentOf<typeof ROLLOUTS_ENVIRONMENT>,
    });
    const actions = ['BatchGetItem', 'GetItem', 'PutItem', 'Query'].map((name) => `dynamodb:${name}`);
    allow(role, actions, this.#firmware.tableArn);
    this.#allowLists(role);
    allow(role, 'dynamodb:BatchGetItem', access.tableArn);
    allow(role, 'sqs:SendMessage', this.queue.queueArn);
    api.addRoutes('rollouts', fn);
    alarms.onErrors(fn, {
      name: 'rollouts-function-errors',
      errorImpact:
        'The function of the routes of rollouts does not start or ends too late: operators can neither begin rollouts nor stop them. Withdrawing the release stops them too.',
    });
  }

  #tick(): void {
    const { config, lambdaFolder, alarms } = this.#props;
    const { history, aggregates } = {
      history: stateTable(this, 'telemetryHistory'),
      aggregates: stateTable(this, 'telemetryAggregates'),
    };
    const { function: fn, role } = new NodeFunction(this, 'TicksFunction', {
      folder: `${lambdaFolder}/rollout-ticks`,
      functionName: 'thingstead-rollout-ticks',
      description: 'Moves rollouts on',
      timeout: TICK_TIMEOUT,
      memoryMegabytes: 512,
      logRetention: config.logRetentionDays,
      environment: {
        FIRMWARE_TABLE: this.#firmware.tableName,
        THINGS_TABLE: this.#things.tableName,
        HISTORY_TABLE: history.tableName,
        AGGREGATES_TABLE: aggregates.tableName,
        ROLLOUTS_QUEUE_URL: this.queue.queueUrl,
      } satisfies EnvironmentOf<typeof ROLLOUT_TICKS_ENVIRONMENT>,
    });
    const actions = ['BatchGetItem', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'];
    allow(
      role,
      actions.map((name) => `dynamodb:${name}`),
      this.#firmware.tableArn,
    );
    allow(role, 'dynamodb:Query', `${this.#firmware.tableArn}/index/${FIRMWARE_BY_DUE}`);
    this.#allowLists(role);
    allow(role, 'dynamodb:GetItem', this.#things.tableArn);
    allow(role, 'dynamodb:Query', aggregates.tableArn);
    allow(role, 'sqs:SendMessage', this.queue.queueArn);
    allowFirmwareShadows(role);
    allow(role, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], this.queue.queueArn);
    const source = new EventSourceMapping(this, 'Source', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      // A tick may start a hundred devices.
      batchSize: 1,
      maxConcurrency: CONCURRENT_TICKS,
      reportBatchItemFailures: true,
    });
    // Lambda checks when this is made that the role may receive.
    source.node.addDependency(role);
    alarms.onErrors(fn, {
      name: 'rollout-ticks-function-errors',
      errorImpact:
        'The function that moves rollouts on does not start or ends too late. Ticks come again by themselves; meanwhile rollouts stand still.',
    });
    alarms.onOwnMetric('RolloutsStopped', 'rollout-ticks', {
      name: 'rollouts-stopped',
      errorImpact:
        'A rollout was aborted or paused by what became of its devices, or of its release. Its report (thingstead rollout show) names the numbers. Devices that were not started are untouched.',
    });
    alarms.onLag(this.queue.metricApproximateAgeOfOldestMessage(), Duration.minutes(30).toSeconds(), {
      name: 'rollouts-behind',
      errorImpact: 'Ticks wait: rollouts start devices late, and notice failures late.',
    });
  }

  #allowLists(role: Role): void {
    allow(role, 'dynamodb:BatchGetItem', this.#things.tableArn);
    allow(
      role,
      'dynamodb:Query',
      LISTS.map((index) => `${this.#things.tableArn}/index/${index}`),
    );
  }
}

/** May write what firmware a device is to have. */
export function allowFirmwareShadows(role: Role): void {
  const resourceName = `*/${FIRMWARE_SHADOW}`;
  allow(role, 'iot:UpdateThingShadow', Stack.of(role).formatArn({ service: 'iot', resource: 'thing', resourceName }));
  acknowledge(
    role,
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:thing/${resourceName}]`,
    'Which device gets a release is not known beforehand.',
  );
}
