import type { CHANNELS_ENVIRONMENT, EnvironmentOf, NOTIFICATIONS_ENVIRONMENT } from '@thingstead/contracts/environment';
import { PERSON_TOPIC_PREFIX } from '@thingstead/contracts/notifications';
import { Duration, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { stateTable } from './resource-names.ts';

export interface NotificationsProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

const FUNCTION_TIMEOUT = Duration.minutes(1);
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout. */
const VISIBILITY_TIMEOUT = Duration.minutes(6);
/** SNS takes 300 publishes a second in the smallest regions; each invocation makes at most 20 at a time. */
const CONCURRENT_INVOCATIONS = 5;

/**
 * What people are told, on the channels they have chosen. One function takes notices from the queue and publishes to people's
 * topics; another is invoked directly and keeps channels, preferences and who watches what. Topics are made as people come.
 */
export class Notifications extends Construct {
  /** Takes notices: `Notice` of the contracts. */
  readonly queue: Queue;
  readonly #props: NotificationsProps;
  readonly #table: ITable;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    this.#props = props;
    this.#table = stateTable(this, 'notifications');
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'notices-failed',
      alarms: props.alarms,
      errorImpact:
        'A notice could not be sent, and then the message is the notice: move it back, people who have it do not get it again. Or it is not known whether one person got one; then the message names both, and is never sent again: tell the person, and delete it.',
    });
    this.queue = new Queue(this, 'Queue', {
      queueName: 'thingstead-notices',
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY_TIMEOUT,
      deadLetterQueue: { queue: failed.queue, maxReceiveCount: 5 },
    });
    this.#deliver(failed.queue);
    this.#channels();
  }

  #deliver(failed: Queue): void {
    const { config, alarms, lambdaFolder } = this.#props;
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/notifications`,
      functionName: 'thingstead-notifications',
      description: 'Tells people what they watch, each notice at most once',
      timeout: FUNCTION_TIMEOUT,
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        NOTIFICATIONS_TABLE: this.#table.tableName,
        FAILED_QUEUE_URL: failed.queueUrl,
        NOTICES_PER_DAY: `${config.notifications.noticesPerPersonPerDay}`,
      } satisfies EnvironmentOf<typeof NOTIFICATIONS_ENVIRONMENT>,
    });
    const onRows = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].map((name) => `dynamodb:${name}`);
    allow(role, onRows, this.#table.tableArn);
    this.#allowTopics(role, ['sns:Publish']);
    allow(role, 'sqs:SendMessage', failed.queueArn);
    allow(role, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], this.queue.queueArn);
    const source = new EventSourceMapping(this, 'Source', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      batchSize: 5,
      maxConcurrency: CONCURRENT_INVOCATIONS,
      reportBatchItemFailures: true,
    });
    // Lambda checks when this is made that the role may receive.
    source.node.addDependency(role);
    alarms.onErrors(fn, {
      name: 'notifications-function-errors',
      errorImpact: 'The notifications function fails: people are told late. What it fails on comes again by itself.',
    });
    alarms.onOwnMetric('NoticesOverLimit', 'notifications', {
      name: 'notifications-over-limit',
      errorImpact:
        'Somebody had more notices on this day than the limit, and was told so once. The log of the function names them. Something they watch goes on and off all the time, or thingstead:notifications is too low.',
    });
  }

  #channels(): void {
    const { config, alarms, lambdaFolder } = this.#props;
    const things = stateTable(this, 'things');
    const { function: fn, role } = new NodeFunction(this, 'ChannelsFunction', {
      folder: `${lambdaFolder}/channels`,
      functionName: 'thingstead-channels',
      description: 'Keeps the channels and preferences of people, and who watches what',
      timeout: Duration.seconds(30),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        NOTIFICATIONS_TABLE: this.#table.tableName,
        THINGS_TABLE: things.tableName,
        PUSH_APPLICATIONS: JSON.stringify(config.push),
      } satisfies EnvironmentOf<typeof CHANNELS_ENVIRONMENT>,
    });
    const onRows = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].map((name) => `dynamodb:${name}`);
    allow(role, onRows, this.#table.tableArn);
    allow(role, 'dynamodb:UpdateItem', things.tableArn);
    this.#allowTopics(role, [
      'sns:CreateTopic',
      'sns:DeleteTopic',
      'sns:Subscribe',
      'sns:Unsubscribe',
      'sns:ListSubscriptionsByTopic',
    ]);
    for (const arn of [config.push.apnsArn, config.push.fcmArn]) if (arn !== undefined) allowPush(role, arn);
    alarms.onErrors(fn, {
      name: 'channels-function-errors',
      errorImpact:
        'The channels function fails: people cannot change how they are told. Its log names the action and the error.',
    });
  }

  /** SNS takes the topic as the resource, also for actions on its subscriptions. */
  #allowTopics(role: Role, actions: readonly string[]): void {
    const resource = `${PERSON_TOPIC_PREFIX}*`;
    allow(role, actions, Stack.of(this).formatArn({ service: 'sns', resource }));
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:sns:<AWS::Region>:<AWS::AccountId>:${resource}]`,
      'Each person has a topic, made with the first channel.',
    );
  }
}

function allowPush(role: Role, applicationArn: string): void {
  const endpoints = `${applicationArn.replace(':app/', ':endpoint/')}/*`;
  allow(role, 'sns:CreatePlatformEndpoint', applicationArn);
  allow(role, ['sns:GetEndpointAttributes', 'sns:SetEndpointAttributes', 'sns:DeleteEndpoint'], endpoints);
  acknowledge(
    role,
    `AwsSolutions-IAM5[Resource::${endpoints}]`,
    'Each telephone is an endpoint of the application, made when it is registered.',
  );
}
