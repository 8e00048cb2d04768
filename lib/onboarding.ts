import type { EnvironmentOf, ONBOARDING_ENVIRONMENT } from '@thingstead/contracts/environment';
import type { OnboardingSettings } from '@thingstead/contracts/onboarding';
import { registerTopic } from '@thingstead/contracts/topics';
import { Duration, Stack } from 'aws-cdk-lib';
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

const RULE_NAME = 'thingstead_onboarding';

export interface OnboardingProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

/**
 * A device that is connected describes itself: a function writes what it says into the registry and into the thing's row, and
 * answers with the settings of its thing type.
 */
export class Onboarding extends Construct {
  constructor(scope: Construct, id: string, { config, alarms, lambdaFolder }: OnboardingProps) {
    super(scope, id);
    const things = stateTable(this, 'things');
    const describer = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/onboarding`,
      functionName: 'thingstead-onboarding',
      description: 'Takes what a device says of itself, and answers with the settings of its type',
      timeout: Duration.seconds(30),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        THINGS_TABLE: things.tableName,
        ONBOARDING_SETTINGS: JSON.stringify(settingsOf(config)),
      } satisfies EnvironmentOf<typeof ONBOARDING_ENVIRONMENT>,
    });
    const { function: fn, role } = describer;
    allow(role, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], things.tableArn);
    this.#allowIot(role);

    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'onboarding-failed',
      alarms,
      errorImpact:
        'The onboarding function failed three times on a description. That device got no answer and describes itself again on its next connection; until then its row or its attributes may be those of before. The message has the event and the error.',
    });
    const asynchronous = failuresInto(this, describer, failed.queue);

    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'onboarding-errors',
      alarms,
      errorImpact:
        'AWS IoT could not call the onboarding function. Those devices got no answer and describe themselves again on their next connection.',
    });
    const rule = new TopicRule(this, 'Rule', {
      ruleName: RULE_NAME,
      description: 'A device describes itself',
      // Raw, so that a message that is no JSON is answered too, and no member of it can be taken for the thing.
      sql: [
        "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, timestamp() AS at",
        `FROM '${registerTopic('+')}'`,
      ],
      actions: [invokeFunction(fn, this.#arn('rule', RULE_NAME))],
      errors: errors.queue,
      alarms,
    });
    // The first description may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);

    alarms.onUndelivered(fn, {
      name: 'onboarding-undelivered',
      errorImpact:
        'A description on which the function failed could not be put into the queue of failures either. The device describes itself again on its next connection; check the role of the function.',
    });
    alarms.onErrors(fn, {
      name: 'onboarding-function-errors',
      errorImpact:
        'The onboarding function fails: rows and attributes of things may be those of before. Its log names the thing and the error.',
    });
    alarms.onOwnMetric('DescriptionsRejected', 'onboarding', {
      name: 'onboarding-descriptions-rejected',
      errorImpact:
        'A device described itself in a way that cannot be taken, and was told so. The log of the function names thing and reason; mostly its configuration or its firmware is wrong.',
    });
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_iot.html says which resource each action takes. */
  #allowIot(role: NodeFunction['role']): void {
    allow(
      role,
      ['iot:DescribeThing', 'iot:UpdateThing', 'iot:GetThingShadow', 'iot:UpdateThingShadow'],
      this.#arn('thing', '*'),
    );
    const answers = ['accepted', 'rejected'].map((verdict) => `${registerTopic('*')}/${verdict}`);
    allow(
      role,
      'iot:Publish',
      answers.map((topic) => this.#arn('topic', topic)),
    );
    for (const resource of ['thing/*', ...answers.map((topic) => `topic/${topic}`)]) {
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${resource}]`,
        'Which device describes itself is not known beforehand.',
      );
    }
  }

  #arn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
  }
}

function settingsOf({ thingTypes }: PlatformConfig): OnboardingSettings {
  const settings = Object.entries(thingTypes).map(([type, { offlineDelaySeconds, ...ofType }]) => [type, ofType]);
  return { thingTypes: Object.fromEntries(settings) };
}
