import type {
  ACCESS_ENVIRONMENT,
  EnvironmentOf,
  EXPIRING_GRANTS_ENVIRONMENT,
  IDENTITY_POLICIES_ENVIRONMENT,
} from '@thingstead/contracts/environment';
import { GRANT_PREFIX, PERSON_POLICY_PREFIX } from '@thingstead/contracts/grants';
import { ArnFormat, Aws, Duration, Fn, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { sessionSql } from './access-sql.ts';
import { readAccessTableStream, rows } from './access-table-stream.ts';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { STATE_EXPORTS, stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';
import { putItem, TopicRule } from './topic-rule.ts';

export interface AccessProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

const FUNCTION_TIMEOUT = Duration.minutes(1);
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout. */
const VISIBILITY_TIMEOUT = Duration.minutes(6);
const CONCURRENT_INVOCATIONS = 5;

/**
 * What hangs on the rows of the access table: IoT policies on the identities of people, their live connections, and who is told
 * about what. One function follows the table's stream; another ends grants at their time, by removing their rows. A third answers
 * the routes about oneself.
 */
export class Access extends Construct {
  readonly #props: AccessProps;
  readonly #table: ITable;

  constructor(scope: Construct, id: string, props: AccessProps) {
    super(scope, id);
    this.#props = props;
    this.#table = stateTable(this, 'access');
    const endings = this.#endings();
    this.#identityPolicies(endings);
    this.#sessions();
    this.#answer();
  }

  #answer(): void {
    const { config, alarms, lambdaFolder, api } = this.#props;
    const voice = stateTable(this, 'voice');
    const userPoolId = Fn.importValue(STATE_EXPORTS.userPoolId);
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/access`,
      functionName: 'thingstead-access',
      description: 'Answers the routes about the person who is signed in',
      // As long as the gateway waits.
      timeout: Duration.seconds(29),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        ACCESS_TABLE: this.#table.tableName,
        VOICE_TABLE: voice.tableName,
        USER_POOL_ID: userPoolId,
        APP_CLIENT_ID: Fn.importValue(STATE_EXPORTS.appClientId),
        IDENTITY_POOL_ID: Fn.importValue(STATE_EXPORTS.identityPoolId),
        CHANNELS_FUNCTION: this.#channels,
      } satisfies EnvironmentOf<typeof ACCESS_ENVIRONMENT>,
    });
    const onRows = ['ConditionCheckItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'];
    allow(
      role,
      onRows.map((name) => `dynamodb:${name}`),
      this.#table.tableArn,
    );
    allow(role, ['dynamodb:DeleteItem', 'dynamodb:GetItem'], voice.tableArn);
    allow(
      role,
      ['cognito-idp:AdminDeleteUser', 'cognito-idp:AdminGetUser'],
      this.#arn('cognito-idp', 'userpool', userPoolId),
    );
    allow(role, 'cognito-identity:DeleteIdentities', '*');
    acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'Deleting identities has no narrower resource.');
    allow(role, 'lambda:InvokeFunction', this.#channels);
    api.addRoutes('access', fn);
    alarms.onErrors(fn, {
      name: 'access-function-errors',
      errorImpact:
        'The function of the routes about oneself does not start or ends too late: apps cannot make themselves known for MQTT, and people cannot delete their accounts.',
    });
  }

  #identityPolicies(endings: Queue): void {
    const { config, alarms, lambdaFolder } = this.#props;
    const { function: fn, role } = new NodeFunction(this, 'IdentityPoliciesFunction', {
      folder: `${lambdaFolder}/identity-policies`,
      functionName: 'thingstead-identity-policies',
      description: 'Makes IoT policies, connections and watching what the grants of people say',
      timeout: FUNCTION_TIMEOUT,
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        ACCESS_TABLE: this.#table.tableName,
        ENDINGS_QUEUE_URL: endings.queueUrl,
        CHANNELS_FUNCTION: this.#channels,
        PARTITION: Aws.PARTITION,
      } satisfies EnvironmentOf<typeof IDENTITY_POLICIES_ENVIRONMENT>,
    });
    allow(
      role,
      ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      this.#table.tableArn,
    );
    allow(role, 'lambda:InvokeFunction', this.#channels);
    allow(role, 'sqs:SendMessage', endings.queueArn);
    this.#allowPolicies(role);
    const failed = new FailureQueue(this, 'IdentityPoliciesFailedQueue', {
      name: 'identity-policies-failed',
      alarms,
      errorImpact:
        'Changes of what people may reach were given up after 20 attempts: an app may still reach a thing over MQTT that is not its person’s any more, or not reach one that is. REST is not concerned. The message has the position in the stream; when the cause is mended, write the profile rows of those people again.',
    });
    // Only what something hangs on: pairing codes, invitations and attempts do not call the function.
    readAccessTableStream(this, {
      function: fn,
      role,
      failed: failed.queue,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [
        rows('person#', FilterRule.beginsWith(GRANT_PREFIX)),
        rows('person#', FilterRule.isEqual('profile')),
        { eventName: FilterRule.or('INSERT', 'MODIFY'), ...rows('identity#', FilterRule.beginsWith('session#')) },
      ],
    });
    alarms.onErrors(fn, {
      name: 'identity-policies-function-errors',
      errorImpact:
        'What people’s apps may reach over MQTT falls behind what their grants say. It comes again by itself; the log names the person.',
    });
    alarms.onLag(fn.metric('IteratorAge'), Duration.minutes(5).toMilliseconds(), {
      name: 'identity-policies-behind',
      errorImpact:
        'What people’s apps may reach over MQTT is more than five minutes behind their grants. AWS IoT takes about ten changes of policies a second.',
    });
    alarms.onOwnMetric('PeopleOverPolicyLimit', 'identity-policies', {
      name: 'identity-policies-over-limit',
      errorImpact:
        'Somebody has more grants than fit into ten policies, and does not reach the rest over MQTT. The log names them. REST is not concerned; group their things by site.',
    });
  }

  #allowPolicies(role: Role): void {
    allow(
      role,
      [
        'iot:CreatePolicy',
        'iot:CreatePolicyVersion',
        'iot:DeletePolicy',
        'iot:DeletePolicyVersion',
        'iot:GetPolicy',
        'iot:ListPolicyVersions',
      ],
      this.#arn('iot', 'policy', `${PERSON_POLICY_PREFIX}*`),
    );
    allow(role, ['iot:AttachPolicy', 'iot:DetachPolicy', 'iot:ListAttachedPolicies'], '*');
    acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'Identities of Cognito, which have the policies, have no ARN.');
    // The id of an identity begins with the region and a colon; no thing's name has one.
    allow(role, 'iot:DeleteConnection', this.#arn('iot', 'client', `${Aws.REGION}:*`));
    for (const resource of [`policy/${PERSON_POLICY_PREFIX}*`, 'client/<AWS::Region>:*']) {
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${resource}]`,
        'Which people there are is not known beforehand. Neither a device’s policy nor its connection is among them.',
      );
    }
  }

  #endings(): Queue {
    const { config, alarms, lambdaFolder } = this.#props;
    const failed = new FailureQueue(this, 'EndingsFailedQueue', {
      name: 'grant-endings-failed',
      alarms,
      errorImpact:
        'Grants could not be ended at their time. REST refuses them all the same; MQTT lets them in until DynamoDB removes their rows, within days. Move the messages back when the cause is mended.',
    });
    const queue = new Queue(this, 'EndingsQueue', {
      queueName: 'thingstead-grant-endings',
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: VISIBILITY_TIMEOUT,
      deadLetterQueue: { queue: failed.queue, maxReceiveCount: 5 },
    });
    const { function: fn, role } = new NodeFunction(this, 'ExpiringGrantsFunction', {
      folder: `${lambdaFolder}/expiring-grants`,
      functionName: 'thingstead-expiring-grants',
      description: 'Ends grants at their time',
      timeout: FUNCTION_TIMEOUT,
      memoryMegabytes: 128,
      logRetention: config.logRetentionDays,
      environment: {
        ACCESS_TABLE: this.#table.tableName,
        ENDINGS_QUEUE_URL: queue.queueUrl,
      } satisfies EnvironmentOf<typeof EXPIRING_GRANTS_ENVIRONMENT>,
    });
    allow(role, ['dynamodb:DeleteItem', 'dynamodb:GetItem'], this.#table.tableArn);
    allow(
      role,
      ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      queue.queueArn,
    );
    const source = new EventSourceMapping(this, 'EndingsSource', {
      target: fn,
      eventSourceArn: queue.queueArn,
      batchSize: 10,
      maxConcurrency: CONCURRENT_INVOCATIONS,
      reportBatchItemFailures: true,
    });
    // Lambda checks when this is made that the role may receive.
    source.node.addDependency(role);
    alarms.onErrors(fn, {
      name: 'expiring-grants-function-errors',
      errorImpact:
        'Grants with an end are ended late where MQTT is concerned; REST asks the time itself. What fails comes again by itself.',
    });
    return queue;
  }

  /** Connections of people's apps into the access table, without a function. */
  #sessions(): void {
    const { alarms } = this.#props;
    const errors = new FailureQueue(this, 'SessionsErrorQueue', {
      name: 'sessions-errors',
      alarms,
      errorImpact:
        'Connections of people’s apps could not be noted: when access is taken away from those people, these connections end with their credentials, within a day. Their policies are changed all the same.',
    });
    new TopicRule(this, 'SessionsRule', {
      ruleName: 'thingstead_sessions',
      description: 'The app of a person has connected',
      sql: sessionSql(),
      actions: [putItem(this.#table)],
      errors: errors.queue,
      alarms,
    });
  }

  /** It is asked directly, under its name. */
  get #channels(): string {
    return this.#arn('lambda', 'function', 'thingstead-channels', ArnFormat.COLON_RESOURCE_NAME);
  }

  #arn(service: string, resource: string, resourceName: string, arnFormat = ArnFormat.SLASH_RESOURCE_NAME): string {
    return Stack.of(this).formatArn({ service, resource, resourceName, arnFormat });
  }
}
