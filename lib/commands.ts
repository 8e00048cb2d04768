import { WAITING_COMMANDS } from '@thingstead/contracts/command-store';
import type { COMMANDS_ENVIRONMENT, EnvironmentOf } from '@thingstead/contracts/environment';
import { commandTopic } from '@thingstead/contracts/topics';
import { Duration, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { failuresInto } from './asynchronous-failures.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';
import { invokeFunction, TopicRule } from './topic-rule.ts';

const RULE_NAME = 'thingstead_command_outcomes';
const FUNCTION_TIMEOUT = Duration.seconds(30);
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout. */
const VISIBILITY_TIMEOUT = Duration.minutes(3);
const MAX_RECEIVES = 5;
const CONCURRENT_INVOCATIONS = 10;

export interface CommandsProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

/**
 * People have devices do something once. One function answers the routes: it puts a tick on the queue, stores the command and
 * publishes it. Another takes ticks and what devices say, publishes again what waits, and ends what nobody has done in time.
 */
export class Commands extends Construct {
  readonly #props: CommandsProps;
  readonly #tables: Readonly<Record<'commands' | 'access' | 'things', ITable>>;
  readonly #queue: Queue;

  constructor(scope: Construct, id: string, props: CommandsProps) {
    super(scope, id);
    this.#props = props;
    const [commands, access, things] = (['commands', 'access', 'things'] as const).map((name) =>
      stateTable(this, name),
    );
    this.#tables = { commands, access, things } as Record<'commands' | 'access' | 'things', ITable>;
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'commands-failed',
      alarms: props.alarms,
      errorImpact:
        'The function of command deliveries failed on these messages. A tick ({thing, id}): move it back to thingstead-commands, or that command never ends. An outcome of a device: the command expires although the device has done it; an agent says it again when it reconnects before the end.',
    }).queue;
    this.#queue = new Queue(this, 'Queue', {
      queueName: 'thingstead-commands',
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY_TIMEOUT,
      deadLetterQueue: { queue: failed, maxReceiveCount: MAX_RECEIVES },
    });
    this.#answer();
    this.#deliver(failed);
  }

  #answer(): void {
    const { api, alarms } = this.#props;
    const { function: fn, role } = this.#function('Function', 'commands', 'Answers the routes of commands');
    const actions = ['GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`);
    allow(role, actions, this.#tables.commands.tableArn);
    this.#allowDelivery(role);
    api.addRoutes('commands', fn);
    alarms.onErrors(fn, {
      name: 'commands-function-errors',
      errorImpact:
        'The function of the routes of commands does not start or ends too late: people cannot give commands.',
    });
  }

  #deliver(failed: Queue): void {
    const { alarms } = this.#props;
    const delivery = this.#function(
      'DeliveriesFunction',
      'command-deliveries',
      'Brings commands to devices and to an end',
    );
    const { function: fn, role } = delivery;
    allow(role, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], this.#tables.commands.tableArn);
    allow(role, 'dynamodb:Query', `${this.#tables.commands.tableArn}/index/${WAITING_COMMANDS}`);
    this.#allowDelivery(role);
    allow(role, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], this.#queue.queueArn);
    const source = new EventSourceMapping(this, 'Source', {
      target: fn,
      eventSourceArn: this.#queue.queueArn,
      batchSize: 10,
      maxConcurrency: CONCURRENT_INVOCATIONS,
      reportBatchItemFailures: true,
    });
    // Lambda checks when this is made that the role may receive.
    source.node.addDependency(role);
    this.#outcomes(delivery, failed);
    alarms.onErrors(fn, {
      name: 'command-deliveries-function-errors',
      errorImpact:
        'The function of command deliveries fails: outcomes are recorded late, and commands expire late. What it fails on comes again by itself.',
    });
    alarms.onUndelivered(fn, {
      name: 'command-deliveries-undelivered',
      errorImpact:
        'An outcome on which the function failed could not be put into the queue of failures either. That command expires although the device may have done it; check the role of the function.',
    });
    alarms.onOwnMetric('CommandOutcomesRefused', 'command-deliveries', {
      name: 'command-outcomes-refused',
      errorImpact:
        'A device said something about a command that cannot be read, or about one that it does not have. The log of the function names thing and reason; mostly its firmware is wrong, or its handlers take longer than commands are kept.',
    });
    alarms.onLag(this.#queue.metricApproximateAgeOfOldestMessage(), Duration.minutes(5).toSeconds(), {
      name: 'commands-behind',
      errorImpact: 'Commands that wait are published again, and expire, more than five minutes late.',
    });
  }

  #outcomes(delivery: NodeFunction, failed: Queue): void {
    const { alarms } = this.#props;
    const asynchronous = failuresInto(this, delivery, failed);
    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'commands-errors',
      alarms,
      errorImpact:
        'AWS IoT could not call the function of command deliveries with what a device said. Commands of those devices may expire although they were done; an agent says it again when it reconnects before the end.',
    }).queue;
    const rule = new TopicRule(this, 'OutcomeRule', {
      ruleName: RULE_NAME,
      description: 'A device says what became of a command, or that it listens',
      // Raw, so that a message that is no JSON is counted too, and no member of it can be taken for the thing.
      sql: [
        "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, topic(4) AS command, timestamp() AS at",
        `FROM '${commandTopic('+', '+')}/outcome'`,
      ],
      actions: [invokeFunction(delivery.function, this.#iotArn('rule', RULE_NAME))],
      ...{ errors, alarms },
    });
    // The first outcome may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);
  }

  /** What both functions need to bring a command on its way. */
  #allowDelivery(role: Role): void {
    allow(role, 'dynamodb:BatchGetItem', this.#tables.access.tableArn);
    allow(role, 'dynamodb:GetItem', this.#tables.things.tableArn);
    allow(role, 'sqs:SendMessage', this.#queue.queueArn);
    const topic = commandTopic('*', '*');
    allow(role, 'iot:Publish', this.#iotArn('topic', topic));
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:topic/${topic}]`,
      'Which device gets a command is not known beforehand.',
    );
  }

  #function(id: string, folder: string, description: string): NodeFunction {
    const { config, lambdaFolder } = this.#props;
    const { commands, access, things } = this.#tables;
    return new NodeFunction(this, id, {
      folder: `${lambdaFolder}/${folder}`,
      functionName: `thingstead-${folder}`,
      description,
      timeout: FUNCTION_TIMEOUT,
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        COMMANDS_TABLE: commands.tableName,
        ACCESS_TABLE: access.tableName,
        THINGS_TABLE: things.tableName,
        COMMANDS_QUEUE_URL: this.#queue.queueUrl,
      } satisfies EnvironmentOf<typeof COMMANDS_ENVIRONMENT>,
    });
  }

  #iotArn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
  }
}
