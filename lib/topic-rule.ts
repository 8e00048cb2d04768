import { Aws, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';

/** One action of a rule, and what the rule's role must be allowed for it. */
export interface RuleAction {
  /** Gets the role of the rule, in which the action's permissions belong. */
  bind(role: Role): CfnTopicRule.ActionProperty;
}

export interface TopicRuleProps {
  /** `[a-zA-Z0-9_]+`; a limit of AWS IoT. */
  readonly ruleName: string;
  readonly description: string;
  /** The statement, one line each. Functions in it that read (`get_thing_shadow`) name the rule's role. */
  readonly sql: readonly string[] | ((roleArn: string) => readonly string[]);
  readonly actions: readonly RuleAction[];
  /** Takes what an action could not do, with the original payload in base64. */
  readonly errors: IQueue;
  readonly alarms: Alarms;
}

/**
 * A rule as all of ours are: SQL version 2016-03-23, an error action, a role for this rule alone, and alarms for what never
 * reaches an error action: SQL that fails, a rule that is named and not there, an error action that fails itself.
 */
export class TopicRule extends Construct {
  readonly ruleArn: string;
  readonly role: Role;

  constructor(scope: Construct, id: string, { ruleName, description, sql, actions, errors, alarms }: TopicRuleProps) {
    super(scope, id);
    this.ruleArn = Stack.of(this).formatArn({ service: 'iot', resource: 'rule', resourceName: ruleName });
    // https://docs.aws.amazon.com/iot/latest/developerguide/iot-create-role.html: no other rule may use the role.
    const principal = new ServicePrincipal('iot.amazonaws.com').withConditions({
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      ArnLike: { 'aws:SourceArn': this.ruleArn },
    });
    const role = new Role(this, 'Role', { assumedBy: principal });
    this.role = role;
    const lines = typeof sql === 'function' ? sql(role.roleArn) : sql;
    allow(role, 'sqs:SendMessage', errors.queueArn);
    const rule = new CfnTopicRule(this, 'Rule', {
      ruleName,
      topicRulePayload: {
        description,
        awsIotSqlVersion: '2016-03-23',
        sql: lines.join('\n'),
        actions: actions.map((action) => action.bind(role)),
        errorAction: { sqs: { queueUrl: errors.queueUrl, roleArn: role.roleArn, useBase64: false } },
      },
    });
    // The role's policy is a resource of its own, and messages may come as soon as the rule is there.
    rule.node.addDependency(role);
    this.#alarms(ruleName, alarms);
  }

  #alarms(RuleName: string, alarms: Alarms): void {
    const name = RuleName.replace(/^thingstead_/, '');
    alarms.onRuleMetric(
      'ParseError',
      { RuleName },
      {
        name: `${name}-parse-errors`,
        errorImpact: `Messages for rule ${RuleName} were no JSON where its SQL needs JSON. They are lost: AWS IoT calls no error action for these. The log group AWSIotLogsV2 names the client.`,
      },
    );
    alarms.onRuleMetric(
      'RuleMessageThrottled',
      { RuleName },
      {
        name: `${name}-throttled`,
        errorImpact: `AWS IoT had more messages for rule ${RuleName} than the account's quota allows. They are lost: no error action sees them. Ask for a higher quota of rule evaluations, or find the thing that sends too much.`,
      },
    );
    alarms.onRuleMetric(
      'RuleNotFound',
      { RuleName },
      {
        name: `${name}-rule-not-found`,
        errorImpact: `Devices publish to rule ${RuleName} by Basic Ingest and it is not there or disabled. Their messages are lost, though acknowledged. Deploy the platform stack again.`,
      },
    );
    alarms.onRuleMetric(
      'ErrorActionFailure',
      { RuleName, ActionType: 'SQS' },
      {
        name: `${name}-error-action-failures`,
        errorImpact: `An action of rule ${RuleName} failed, and then its error action. Those messages are lost. Check the error queue and the role of the rule.`,
      },
    );
  }
}

/** Calls a function, asynchronously, with what the SQL gives. The permission names the rule, so no other may call it. */
export function invokeFunction(fn: LambdaFunction, ruleArn: string): RuleAction {
  fn.addPermission('Rule', {
    principal: new ServicePrincipal('iot.amazonaws.com'),
    sourceArn: ruleArn,
    sourceAccount: Aws.ACCOUNT_ID,
  });
  return { bind: () => ({ lambda: { functionArn: fn.functionArn } }) };
}

/** Writes the members of what the SQL gives as the attributes of one item. */
export function putItem(table: { readonly tableName: string; readonly tableArn: string }): RuleAction {
  return {
    bind(role) {
      allow(role, 'dynamodb:PutItem', table.tableArn);
      return { dynamoDBv2: { putItem: { tableName: table.tableName }, roleArn: role.roleArn } };
    },
  };
}

/** Puts what the SQL gives on a stream. `partitionKey` is a substitution template. */
export function putRecord(
  stream: { readonly streamName: string; readonly streamArn: string },
  partitionKey: string,
): RuleAction {
  return {
    bind(role) {
      allow(role, 'kinesis:PutRecord', stream.streamArn);
      return { kinesis: { streamName: stream.streamName, partitionKey, roleArn: role.roleArn } };
    },
  };
}

/** Puts what the SQL gives on a queue. */
export function sendMessage(queue: IQueue): RuleAction {
  return {
    bind(role) {
      allow(role, 'sqs:SendMessage', queue.queueArn);
      return { sqs: { queueUrl: queue.queueUrl, roleArn: role.roleArn, useBase64: false } };
    },
  };
}

/** Publishes what the SQL gives, with QoS 1. `topic` is a substitution template, `$$` for the `$` of a reserved topic. */
export function republish(topic: string, topicArn: string): RuleAction {
  return {
    bind(role) {
      allow(role, 'iot:Publish', topicArn);
      return { republish: { topic, qos: 1, roleArn: role.roleArn } };
    },
  };
}

/** Hands what the SQL gives to a delivery stream, as one line. */
export function deliver(deliveryStream: { readonly name: string; readonly arn: string }): RuleAction {
  return {
    bind(role) {
      allow(role, 'firehose:PutRecord', deliveryStream.arn);
      return { firehose: { deliveryStreamName: deliveryStream.name, separator: '\n', roleArn: role.roleArn } };
    },
  };
}
