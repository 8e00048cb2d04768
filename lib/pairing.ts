import type { EnvironmentOf, PAIRING_CODES_ENVIRONMENT, PAIRING_ENVIRONMENT } from '@thingstead/contracts/environment';
import { pairingTopic } from '@thingstead/contracts/topics';
import { Duration, Fn, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { failuresInto } from './asynchronous-failures.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { STATE_EXPORTS, stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';
import { invokeFunction, TopicRule } from './topic-rule.ts';

const RULE_NAME = 'thingstead_pairing_codes';

export interface PairingProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

/**
 * Things get owners: a device asks for a code over MQTT, and a person who types it owns the thing. Another function answers the
 * routes by which owners share, transfer and give up, and operators make sites and take devices out of service.
 */
export class Pairing extends Construct {
  readonly #props: PairingProps;
  readonly #access: ITable;

  constructor(scope: Construct, id: string, props: PairingProps) {
    super(scope, id);
    this.#props = props;
    this.#access = stateTable(this, 'access');
    this.#codes();
    this.#routes();
  }

  #codes(): void {
    const { config, alarms, lambdaFolder } = this.#props;
    const giver = new NodeFunction(this, 'CodesFunction', {
      folder: `${lambdaFolder}/pairing-codes`,
      functionName: 'thingstead-pairing-codes',
      description: 'Gives pairing codes to devices that nobody owns',
      timeout: Duration.seconds(30),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        ACCESS_TABLE: this.#access.tableName,
      } satisfies EnvironmentOf<typeof PAIRING_CODES_ENVIRONMENT>,
    });
    const { function: fn, role } = giver;
    allow(role, ['dynamodb:GetItem', 'dynamodb:PutItem'], this.#access.tableArn);
    this.#allowIot(role, 'iot:DescribeThing', ['thing/*'], 'Which device asks is not known beforehand.');
    const answers = ['accepted', 'rejected'].map((verdict) => `topic/${pairingTopic('*')}/${verdict}`);
    this.#allowIot(role, 'iot:Publish', answers, 'Which device asks is not known beforehand.');

    const failed = new FailureQueue(this, 'CodesFailedQueue', {
      name: 'pairing-codes-failed',
      alarms,
      errorImpact:
        'The function failed three times on a request for a pairing code. Whoever stands before that device has seen no code, and asks again. The message has the event and the error; delete it when the cause is gone.',
    });
    const asynchronous = failuresInto(this, giver, failed.queue);
    const errors = new FailureQueue(this, 'CodesErrorQueue', {
      name: 'pairing-codes-errors',
      alarms,
      errorImpact: 'AWS IoT could not call the function of pairing codes. Those devices show no code and ask again.',
    });
    const rule = new TopicRule(this, 'CodesRule', {
      ruleName: RULE_NAME,
      description: 'A device asks for a pairing code',
      // Raw, so that a message that is no JSON is answered too, and no member of it can be taken for the thing.
      sql: [
        "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, timestamp() AS at",
        `FROM '${pairingTopic('+')}'`,
      ],
      actions: [invokeFunction(fn, this.#arn('iot', 'rule', RULE_NAME))],
      errors: errors.queue,
      alarms,
    });
    // The first request may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);

    alarms.onUndelivered(fn, {
      name: 'pairing-codes-undelivered',
      errorImpact:
        'A request for a pairing code on which the function failed could not be put into the queue of failures either. The device asks again; check the role of the function.',
    });
    alarms.onErrors(fn, {
      name: 'pairing-codes-function-errors',
      errorImpact: 'The function of pairing codes fails: devices show no code. Its log names the thing and the error.',
    });
  }

  #routes(): void {
    const { config, alarms, lambdaFolder, api } = this.#props;
    const registration = stateTable(this, 'registration');
    const userPoolId = Fn.importValue(STATE_EXPORTS.userPoolId);
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/pairing`,
      functionName: 'thingstead-pairing',
      description: 'Answers the routes by which people get things, share them and give them up',
      // The gateway itself waits for 30 s. What a site of thousands of shares needs longer for goes on when it is asked again.
      timeout: Duration.seconds(25),
      memoryMegabytes: 512,
      logRetention: config.logRetentionDays,
      environment: {
        ACCESS_TABLE: this.#access.tableName,
        REGISTRATION_TABLE: registration.tableName,
        USER_POOL_ID: userPoolId,
      } satisfies EnvironmentOf<typeof PAIRING_ENVIRONMENT>,
    });
    const onRows = ['BatchGetItem', 'ConditionCheckItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'];
    const actions = onRows.map((name) => `dynamodb:${name}`);
    allow(role, actions, this.#access.tableArn);
    allow(role, ['dynamodb:GetItem', 'dynamodb:PutItem'], registration.tableArn);
    const reason = 'Which device an operator takes out of service is not known beforehand.';
    this.#allowIot(role, 'iot:ListThingPrincipals', ['thing/*'], reason);
    this.#allowIot(role, 'iot:UpdateCertificate', ['cert/*'], reason);
    this.#allowIot(role, 'iot:DeleteConnection', ['client/*'], reason);
    allow(role, 'cognito-idp:AdminGetUser', this.#arn('cognito-idp', 'userpool', userPoolId));
    api.addRoutes('pairing', fn);
    alarms.onErrors(fn, {
      name: 'pairing-function-errors',
      errorImpact:
        'The function of the routes of pairing does not start or ends too late: people cannot pair, share or give up things.',
    });
  }

  #allowIot(role: Role, action: string, resources: readonly string[], reason: string): void {
    const arns = resources.map((each) => {
      const [kind = '', ...name] = each.split('/');
      return this.#arn('iot', kind, name.join('/'));
    });
    allow(role, action, arns);
    for (const each of resources) {
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${each}]`,
        reason,
      );
    }
  }

  #arn(service: string, resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service, resource, resourceName });
  }
}
