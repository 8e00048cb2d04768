/**
 * The smallest notice there is: a rule from a topic to a mail address. No function, no table; AWS IoT calls SNS itself.
 * `-c doorbell:email=you@example.com` says where the mail goes.
 */
import path from 'node:path';
import { App, Aws, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';

const RULE_NAME = 'doorbell';

const app = new App({ outdir: process.env.CDK_OUTDIR ?? path.join(import.meta.dirname, 'cdk.out') });
const email = app.node.tryGetContext('doorbell:email');
if (typeof email !== 'string') {
  process.stderr.write('who is to be told? -c doorbell:email=you@example.com\n');
  process.exit(1);
}

const stack = new Stack(app, 'Doorbell', { description: 'Somebody rings: a mail' });
const topic = new Topic(stack, 'Topic', { topicName: 'doorbell' });
topic.addSubscription(new EmailSubscription(email));
/** What the rule could not hand on. */
const errors = new Queue(stack, 'Errors', { queueName: 'doorbell-errors', retentionPeriod: Duration.days(14) });

const ruleArn = stack.formatArn({ service: 'iot', resource: 'rule', resourceName: RULE_NAME });
const role = new Role(stack, 'Role', {
  assumedBy: new ServicePrincipal('iot.amazonaws.com').withConditions({
    StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
    ArnLike: { 'aws:SourceArn': ruleArn },
  }),
});
role.addToPolicy(new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }));
role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [errors.queueArn] }));

const rule = new CfnTopicRule(stack, 'Rule', {
  ruleName: RULE_NAME,
  topicRulePayload: {
    description: 'Somebody rings',
    awsIotSqlVersion: '2016-03-23',
    // With messageFormat JSON the member `default` is the text; otherwise the mail would be the whole object.
    sql: ["SELECT concat('Somebody is at the ', topic(2), ' door.') AS default", "FROM 'doorbell/+'"].join('\n'),
    actions: [{ sns: { targetArn: topic.topicArn, roleArn: role.roleArn, messageFormat: 'JSON' } }],
    errorAction: { sqs: { queueUrl: errors.queueUrl, roleArn: role.roleArn, useBase64: false } },
  },
});
rule.node.addDependency(role);
app.synth();
