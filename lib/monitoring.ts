import { Aws, CfnOutput, Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { Alarms } from './alarms.ts';
import { IotLogs } from './iot-logs.ts';
import type { PlatformConfig } from './platform-config.ts';

export interface MonitoringProps {
  readonly config: PlatformConfig;
}

/** The operations topic, to which every alarm reports, the log of AWS IoT, and the budget. */
export class Monitoring extends Construct {
  readonly alarms: Alarms;

  constructor(scope: Construct, id: string, { config }: MonitoringProps) {
    super(scope, id);
    const topic = new Topic(this, 'OperationsTopic', { topicName: 'thingstead-operations', enforceSSL: true });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm:*' }) },
        },
      }),
    );
    acknowledge(
      topic,
      'AwsSolutions-SNS2',
      'CloudWatch alarms cannot publish to a topic that is encrypted with the AWS managed key, and a key of our own costs more than all the alarms. A message holds the name and the text of an alarm, nothing of a device.',
    );
    if (config.operatorEmail) topic.addSubscription(new EmailSubscription(config.operatorEmail));
    new CfnOutput(this, 'TopicArn', { value: topic.topicArn }).overrideLogicalId('OperationsTopicArn');
    this.alarms = new Alarms(this, 'Alarms', topic);
    if (config.iotLogLevel !== 'UNCHANGED') new IotLogs(this, 'IotLogs', { level: config.iotLogLevel });
    if (config.budget) this.#budget(config.budget);
  }

  #budget({ monthlyUsd, email }: NonNullable<PlatformConfig['budget']>): void {
    const subscribers = [{ subscriptionType: 'EMAIL', address: email }];
    const above = { comparisonOperator: 'GREATER_THAN', threshold: 100, thresholdType: 'PERCENTAGE' };
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: 'thingstead',
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyUsd, unit: 'USD' },
      },
      notificationsWithSubscribers: ['ACTUAL', 'FORECASTED'].map((notificationType) => ({
        notification: { notificationType, ...above },
        subscribers,
      })),
    });
  }
}
