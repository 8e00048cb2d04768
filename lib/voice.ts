import type { EnvironmentOf, VOICE_ENVIRONMENT, VOICE_REPORTS_ENVIRONMENT } from '@thingstead/contracts/environment';
import { GRANT_PREFIX, GRANTS_BY_TARGET } from '@thingstead/contracts/grants';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { Duration, Fn, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { readAccessTableStream, rows } from './access-table-stream.ts';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig, VoiceConfig } from './platform-config.ts';
import { STATE_EXPORTS, stateTable } from './resource-names.ts';
import { sendMessage, TopicRule } from './topic-rule.ts';
import { changedShadowSql } from './voice-sql.ts';

export interface VoiceProps {
  readonly config: PlatformConfig;
  readonly voice: VoiceConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

/** https://developer.amazon.com/en-US/docs/alexa/smarthome/send-events.html */
const GATEWAYS = {
  NA: 'https://api.amazonalexa.com/v3/events',
  EU: 'https://api.eu.amazonalexa.com/v3/events',
  FE: 'https://api.fe.amazonalexa.com/v3/events',
} as const;
const LWA_TOKEN_URL = 'https://api.amazon.com/auth/o2/token';

/** Alexa waits for eight seconds; a device is given six of them. */
const DIRECTIVE_TIMEOUT = Duration.seconds(10);
const REPORTS_TIMEOUT = Duration.minutes(1);
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout. */
const VISIBILITY_TIMEOUT = Duration.minutes(6);
const CONCURRENT_INVOCATIONS = 5;

/**
 * Alexa's smart home: one function answers what Alexa asks, invoked by it directly; another tells Alexa what has changed, of
 * things and of who may see them. There is nothing of it unless a skill is configured.
 */
export class Voice extends Construct {
  readonly #props: VoiceProps;
  readonly #tables: Readonly<Record<'access' | 'things' | 'telemetryAggregates' | 'voice', ITable>>;

  constructor(scope: Construct, id: string, props: VoiceProps) {
    super(scope, id);
    this.#props = props;
    this.#tables = {
      access: stateTable(this, 'access'),
      things: stateTable(this, 'things'),
      telemetryAggregates: stateTable(this, 'telemetryAggregates'),
      voice: stateTable(this, 'voice'),
    };
    this.#directives();
    const failed = new FailureQueue(this, 'ReportsFailedQueue', {
      name: 'voice-reports-failed',
      alarms: props.alarms,
      errorImpact:
        'Alexa could not be told of changes, five times. Somebody’s Alexa app shows what is no longer so until it asks again. Move the messages back when the cause is mended: what is older than what was told since is left out. Messages from the stream name its position; their people find the same by “Alexa, discover my devices”.',
    });
    const queue = new Queue(this, 'ReportsQueue', {
      queueName: 'thingstead-voice-reports',
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY_TIMEOUT,
      deadLetterQueue: { queue: failed.queue, maxReceiveCount: 5 },
    });
    this.#reports(queue, failed.queue);
    this.#rule(queue);
  }

  #directives(): void {
    const { config, voice, alarms, lambdaFolder } = this.#props;
    const { access, telemetryAggregates, voice: links } = this.#tables;
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/voice`,
      functionName: 'thingstead-voice',
      description: 'Answers what Alexa asks for a person',
      timeout: DIRECTIVE_TIMEOUT,
      // People wait for the first answer as well; with more memory it starts faster.
      memoryMegabytes: 512,
      logRetention: config.logRetentionDays,
      environment: {
        ...this.#environment(),
        AGGREGATES_TABLE: telemetryAggregates.tableName,
        USER_POOL_ID: Fn.importValue(STATE_EXPORTS.userPoolId),
        ALEXA_CLIENT_ID: Fn.importValue(STATE_EXPORTS.alexaClientId),
      } satisfies EnvironmentOf<typeof VOICE_ENVIRONMENT>,
    });
    allow(role, ['dynamodb:BatchGetItem', 'dynamodb:Query'], access.tableArn);
    this.#allowThings(role);
    allow(role, 'dynamodb:GetItem', telemetryAggregates.tableArn);
    allow(role, 'dynamodb:PutItem', links.tableArn);
    this.#allowTokens(role, ['kms:Encrypt']);
    const shadows = Stack.of(this).formatArn({ service: 'iot', resource: 'thing', resourceName: '*' });
    allow(role, ['iot:GetThingShadow', 'iot:UpdateThingShadow'], shadows);
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:thing/*]',
      'Which things people have is not known beforehand. The function asks the grants of whoever speaks.',
    );
    // Alexa is told the skill by its id, and no other skill may call.
    // https://developer.amazon.com/en-US/docs/alexa/smarthome/steps-to-build-a-smart-home-skill.html
    fn.addPermission('Alexa', {
      principal: new ServicePrincipal('alexa-connectedhome.amazon.com'),
      eventSourceToken: voice.skillId,
    });
    alarms.onErrors(fn, {
      name: 'voice-function-errors',
      errorImpact: 'Alexa gets no answers: people hear that the device does not respond. The log has the error.',
    });
    alarms.onOwnMetric('DirectivesFailed', 'voice', {
      name: 'voice-directives-failed',
      errorImpact:
        'Something that Alexa asked failed by our fault, and it was told so. The log of the function names directive, thing and error.',
    });
  }

  #reports(queue: Queue, failed: Queue): void {
    const { config, alarms, lambdaFolder } = this.#props;
    const { access, voice: links } = this.#tables;
    const { function: fn, role } = new NodeFunction(this, 'ReportsFunction', {
      folder: `${lambdaFolder}/voice-reports`,
      functionName: 'thingstead-voice-reports',
      description: 'Tells Alexa what has changed, of things and of who may see them',
      timeout: REPORTS_TIMEOUT,
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        ...this.#environment(),
        EVENT_GATEWAY_URL: this.#props.voice.eventGatewayUrl ?? GATEWAYS[this.#props.voice.gateway],
        REPORTS_QUEUE_URL: queue.queueUrl,
      } satisfies EnvironmentOf<typeof VOICE_REPORTS_ENVIRONMENT>,
    });
    allow(role, 'dynamodb:BatchGetItem', access.tableArn);
    allow(role, 'dynamodb:Query', `${access.tableArn}/index/${GRANTS_BY_TARGET}`);
    this.#allowThings(role);
    const onRows = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].map((name) => `dynamodb:${name}`);
    allow(role, onRows, links.tableArn);
    this.#allowTokens(role, ['kms:Encrypt', 'kms:Decrypt']);
    allow(
      role,
      ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      queue.queueArn,
    );
    const source = new EventSourceMapping(this, 'QueueSource', {
      target: fn,
      eventSourceArn: queue.queueArn,
      batchSize: 5,
      maxConcurrency: CONCURRENT_INVOCATIONS,
      reportBatchItemFailures: true,
    });
    // Lambda checks when this is made that the role may receive.
    source.node.addDependency(role);
    // The second reader of this stream; there should be no more than two.
    readAccessTableStream(this, {
      function: fn,
      role,
      failed,
      startingPosition: StartingPosition.LATEST,
      filters: [
        rows('person#', FilterRule.beginsWith(GRANT_PREFIX)),
        { eventName: FilterRule.isEqual('REMOVE'), ...rows('person#', FilterRule.isEqual('profile')) },
      ],
    });
    alarms.onErrors(fn, {
      name: 'voice-reports-function-errors',
      errorImpact: 'Alexa is told of changes late. What the function fails on comes again by itself.',
    });
    alarms.onLag(queue.metricApproximateAgeOfOldestMessage(), Duration.minutes(5).toSeconds(), {
      name: 'voice-reports-behind',
      errorImpact:
        'What Alexa shows is more than five minutes old. Mostly its event gateway or Login with Amazon is down.',
    });
  }

  #rule(queue: Queue): void {
    const { alarms } = this.#props;
    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'voice-errors',
      alarms,
      errorImpact:
        'AWS IoT could not hand on changes of shadows. Alexa shows what was before until it asks, or until the next change.',
    });
    new TopicRule(this, 'Rule', {
      ruleName: 'thingstead_voice',
      description: 'Something has changed of which Alexa can know',
      sql: changedShadowSql(),
      actions: [sendMessage(queue)],
      errors: errors.queue,
      alarms,
    });
  }

  #environment() {
    const { voice } = this.#props;
    const { access, things, voice: links } = this.#tables;
    return {
      ACCESS_TABLE: access.tableName,
      THINGS_TABLE: things.tableName,
      VOICE_TABLE: links.tableName,
      VOICE_KEY_ARN: Fn.importValue(STATE_EXPORTS.voiceKeyArn),
      LWA_TOKEN_URL: voice.lwaTokenUrl ?? LWA_TOKEN_URL,
      SKILL_CLIENT_ID: voice.clientId,
      SKILL_CLIENT_SECRET_ARN: voice.clientSecretArn,
    };
  }

  #allowThings(role: Role): void {
    const { things } = this.#tables;
    allow(role, ['dynamodb:GetItem', 'dynamodb:BatchGetItem'], things.tableArn);
    allow(role, 'dynamodb:Query', `${things.tableArn}/index/${THINGS_INDEXES.site}`);
  }

  #allowTokens(role: Role, actions: readonly string[]): void {
    allow(role, actions, Fn.importValue(STATE_EXPORTS.voiceKeyArn));
    allow(role, 'secretsmanager:GetSecretValue', this.#props.voice.clientSecretArn);
  }
}
