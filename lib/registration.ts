import type { EnvironmentOf, REGISTRATION_ENVIRONMENT } from '@thingstead/contracts/environment';
import { DEFAULT_THING_TYPE, DEVICE_POLICY_NAME } from '@thingstead/contracts/names';
import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { failuresInto } from './asynchronous-failures.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { stateTable } from './resource-names.ts';
import { invokeFunction, TopicRule } from './topic-rule.ts';

const RULE_NAME = 'thingstead_registration';

export interface RegistrationProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

/**
 * Just-in-time registration: AWS IoT announces a certificate that it does not know and whose CA it does; a function checks it
 * and activates it last. The operator registers the CAs; no CA is in this template.
 */
export class Registration extends Construct {
  constructor(scope: Construct, id: string, { config, alarms, lambdaFolder }: RegistrationProps) {
    super(scope, id);
    const table = stateTable(this, 'registration');
    const registrar = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/registration`,
      functionName: 'thingstead-registration',
      description: 'Checks certificates that connect for the first time, and activates them last',
      timeout: Duration.seconds(30),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        REGISTRATION_TABLE: table.tableName,
        DEVICE_POLICY: DEVICE_POLICY_NAME,
        DEFAULT_THING_TYPE,
        MANIFEST: config.manifest,
      } satisfies EnvironmentOf<typeof REGISTRATION_ENVIRONMENT>,
    });
    const { function: fn, role } = registrar;
    allow(role, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'], table.tableArn);
    this.#allowRegistry(role);

    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'registration-failed',
      alarms,
      errorImpact:
        'The registration function failed three times for a certificate. That device cannot join; it tries again on its next connection. The message has the event and the error.',
    });
    const asynchronous = failuresInto(this, registrar, failed.queue);

    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'registration-errors',
      alarms,
      errorImpact:
        'AWS IoT could not call the registration function. Devices that connect for the first time cannot join until it can; they try again by themselves.',
    });
    const ruleArn = Stack.of(this).formatArn({ service: 'iot', resource: 'rule', resourceName: RULE_NAME });
    const rule = new TopicRule(this, 'Rule', {
      ruleName: RULE_NAME,
      description: 'A certificate of a registered CA connected and is waiting for activation',
      sql: ['SELECT *', "FROM '$aws/events/certificates/registered/+'"],
      actions: [invokeFunction(fn, ruleArn)],
      errors: errors.queue,
      alarms,
    });
    // The first event may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);

    alarms.onUndelivered(fn, {
      name: 'registration-undelivered',
      errorImpact:
        'A certificate whose registration failed could not be put into the queue of failures either. The device tries again on its next connection; check the role of the function.',
    });
    alarms.onErrors(fn, {
      name: 'registration-function-errors',
      errorImpact:
        'The registration function fails: devices may be unable to join. Its log names the certificate and the error.',
    });
    alarms.onOwnMetric('CertificatesHeld', 'registration', {
      name: 'registration-certificates-held',
      errorImpact:
        'A certificate was not activated: it is unknown, suspicious, or not in the manifest yet. The log of the function names certificate, thing and reason; `thingstead device show <thing>` explains it.',
    });
    new CfnOutput(this, 'RuleName', { value: RULE_NAME }).overrideLogicalId('RegistrationRuleName');
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_iot.html says which resource each action takes. */
  #allowRegistry(role: NodeFunction['role']): void {
    const certificates = this.#arn('cert');
    const things = this.#arn('thing');
    const authorities = this.#arn('cacert');
    allow(
      role,
      ['iot:DescribeCertificate', 'iot:UpdateCertificate', 'iot:AttachPolicy', 'iot:AttachThingPrincipal'],
      certificates,
    );
    allow(role, ['iot:DescribeThing', 'iot:CreateThing', 'iot:UpdateThing', 'iot:ListThingPrincipals'], things);
    allow(role, 'iot:DescribeCACertificate', authorities);
    const reasons = {
      cert: 'Which certificates connect is not known beforehand; AttachPolicy and AttachThingPrincipal take the certificate as their resource.',
      thing: 'A thing is named by the certificate of a device, which is not known beforehand.',
      cacert: 'CAs are registered by the operator, beside this template.',
    };
    for (const [kind, reason] of Object.entries(reasons)) {
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${kind}/*]`,
        reason,
      );
    }
  }

  #arn(kind: 'cert' | 'thing' | 'cacert'): string {
    return Stack.of(this).formatArn({ service: 'iot', resource: kind, resourceName: '*' });
  }
}
