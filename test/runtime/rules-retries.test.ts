/** What the engine does when the other service is busy: in one process, with a queue service that the test decides. */
import { LocalIam } from '../../local/src/iam/local-iam.ts';
import type { Caller } from '../../local/src/kernel/caller.ts';
import { operation } from '../../local/src/kernel/define.ts';
import { AwsError } from '../../local/src/kernel/errors.ts';
import { Kernel } from '../../local/src/kernel/kernel.ts';
import { createCloudwatchService } from '../../local/src/services/cloudwatch/index.ts';
import { createIamService } from '../../local/src/services/iam/index.ts';
import { createMessageBus } from '../../local/src/services/iot/message-bus.ts';
import { createRules } from '../../local/src/services/iot/rules/index.ts';

const deployment: Caller = { kind: 'deployment', arn: 'arn:aws:iam::123456789012:root', accountId: '123456789012' };

/** An account with one rule that sends to a queue, which answers each attempt with the next of `answers`. */
async function account(answers: readonly (AwsError | undefined)[]) {
  const account = { region: 'us-east-1', accountId: '123456789012' };
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => warnings.push(text), error: console.error };
  let iam: LocalIam | undefined;
  const kernel = new Kernel({ ...account, endpoint: 'http://127.0.0.1:4566', log }, ({ clock }) => {
    iam = new LocalIam({ ...account, now: () => clock.now() });
    return iam;
  });
  if (!iam) throw new Error('no IAM');
  const bus = createMessageBus(kernel);
  const { operations } = createRules(kernel, bus);
  const attempts: string[] = [];
  const SendMessage = operation<{ readonly MessageBody: string }, object>({
    permissions: () => [],
    run({ MessageBody }) {
      const answer = answers[attempts.length];
      attempts.push(MessageBody);
      if (answer) throw answer;
      return {};
    },
  });
  const silent = { signingNames: [], protocols: [], state: undefined };
  kernel.register({ name: 'iot', ...silent, operations });
  kernel.register({ name: 'sqs', ...silent, operations: { SendMessage } });
  kernel.register(createIamService(kernel, iam));
  kernel.register(createCloudwatchService(kernel));
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole' }];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await kernel.call('iam', 'CreateRole', { RoleName: 'rule', AssumeRolePolicyDocument }, deployment);
  const actions = [{ sqs: { queueUrl: 'q', roleArn: 'arn:aws:iam::123456789012:role/rule' } }];
  const topicRulePayload = { sql: "SELECT * FROM 'a'", actions, awsIotSqlVersion: '2016-03-23' };
  await kernel.call('iot', 'CreateTopicRule', { ruleName: 'send', topicRulePayload }, deployment);
  return { kernel, bus, attempts, warnings };
}

const throttled = new AwsError('ThrottlingException', 'Rate exceeded', 400);
const unavailable = new AwsError('ServiceUnavailable', 'try later', 503);
const refused = new AwsError('InvalidMessageContents', 'no', 400);

it.each([
  ['a throttled service that recovers', [throttled], 2, false],
  ['a service that is not available', [unavailable, unavailable], 3, false],
  ['three failures', [throttled, unavailable, throttled], 3, true],
  ['a refusal', [refused], 1, true],
])('%s', async (_what, answers, expectedAttempts, failed) => {
  // GIVEN
  const { kernel, bus, attempts, warnings } = await account(answers);

  // WHEN
  bus.publishFromService('a', { n: 1 });
  await kernel.activity.idle();

  // THEN
  expect(attempts).toEqual(Array.from({ length: expectedAttempts }, () => '{"n":1}'));
  expect(warnings).toEqual(failed ? ['rule action failed'] : []);
  await kernel.close();
});
