/** Amazon EventBridge through the SDK: patterns, schedules and targets of the default bus. */
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const letIn = (queue: string, rules: readonly string[]) => ({
  Queues: [{ Ref: queue }],
  PolicyDocument: {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: arnOf(queue),
        Condition: { ArnEquals: { 'aws:SourceArn': rules.map(arnOf) } },
      },
    ],
  },
});

const assembly = new Assembly()
  .add('Eggs', 'AWS::SQS::Queue', { QueueName: 'eggs' })
  .add('Closed', 'AWS::SQS::Queue', { QueueName: 'closed' })
  .add('Dead', 'AWS::SQS::Queue', { QueueName: 'dead' })
  .add('Laid', 'AWS::Events::Rule', {
    Name: 'laid',
    EventPattern: { source: ['farm'], detail: { count: [{ numeric: ['>', 2] }] } },
    Targets: [
      { Id: 'all', Arn: arnOf('Eggs') },
      { Id: 'detail', Arn: arnOf('Eggs'), InputPath: '$.detail' },
      { Id: 'closed', Arn: arnOf('Closed'), DeadLetterConfig: { Arn: arnOf('Dead') } },
    ],
  })
  .add('Daily', 'AWS::Events::Rule', {
    Name: 'daily',
    ScheduleExpression: 'rate(1 day)',
    Targets: [{ Id: 'eggs', Arn: arnOf('Eggs'), Input: '"collect"' }],
  })
  .add('EggsPolicy', 'AWS::SQS::QueuePolicy', letIn('Eggs', ['Laid', 'Daily']))
  .add('DeadPolicy', 'AWS::SQS::QueuePolicy', letIn('Dead', ['Laid']));

let runtime: Runtime;
let events: EventBridgeClient;
let sqs: SQSClient;

beforeAll(async () => {
  runtime = await assembly.start();
  events = new EventBridgeClient(runtime.config);
  sqs = new SQSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

async function put(detail: unknown, more: object = {}) {
  const entry = { Source: 'farm', DetailType: 'Laid', Detail: JSON.stringify(detail), ...more };
  const answer = await events.send(new PutEventsCommand({ Entries: [entry] }));
  await runtime.advance(0);
  return answer;
}

async function receive(QueueName: string): Promise<unknown[]> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

describe('an event', () => {
  it('goes to the targets of the rule that it matches', async () => {
    const { Entries } = await put({ count: 3 }, { Resources: ['barn'] });

    expect(await receive('eggs')).toEqual([
      {
        version: '0',
        id: Entries?.[0]?.EventId,
        'detail-type': 'Laid',
        source: 'farm',
        account: runtime.endpoints.accountId,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        region: 'us-east-1',
        resources: ['barn'],
        detail: { count: 3 },
      },
      { count: 3 },
    ]);
  });

  it('that matches no rule goes nowhere', async () => {
    await put({ count: 2 });
    await put({ count: 3 }, { Source: 'mill' });

    expect(await receive('eggs')).toEqual([]);
  });

  it('for a target that does not let the rule in goes to its dead-letter queue', async () => {
    await put({ count: 3 });

    expect(await receive('closed')).toEqual([]);
    expect(await receive('dead')).toMatchObject([{ detail: { count: 3 } }]);
    expect(runtime.output()).toMatch(
      /events\.amazonaws\.com is not authorized to perform: sqs:SendMessage on resource: [^ ]+:closed/,
    );
  });

  it.each([
    [{ Detail: 'no json' }, 'MalformedDetail'],
    [{ Source: 'aws.s3' }, 'NotAuthorizedForSourceException'],
    [{ DetailType: '' }, 'InvalidArgument'],
  ])('with %j is refused by itself', async (more, ErrorCode) => {
    const { FailedEntryCount, Entries } = await put({}, more);

    expect(FailedEntryCount).toBe(1);
    expect(Entries).toMatchObject([{ ErrorCode }]);
  });
});

describe('a schedule', () => {
  it('runs at its rate, by the clock', async () => {
    await runtime.advance(3 * 86_400);

    expect(await receive('eggs')).toEqual(['collect', 'collect', 'collect']);
  });

  it('rests while the rule is disabled', async () => {
    await events.send(new DisableRuleCommand({ Name: 'daily' }));
    await runtime.advance(3 * 86_400);

    expect(await receive('eggs')).toEqual([]);
    expect((await events.send(new DescribeRuleCommand({ Name: 'daily' }))).State).toBe('DISABLED');
  });

  it.each(['rate(0 minutes)', 'rate(1 minutes)', 'cron(* * * *)', 'cron(0 25 * * ? *)', 'cron(0 0 * * * *)', 'daily'])(
    '%s is refused',
    async (ScheduleExpression) => {
      const command = new PutRuleCommand({ Name: 'x', ScheduleExpression });

      await expect(events.send(command)).rejects.toThrow(/not valid/);
    },
  );
});

describe('rules', () => {
  it('are listed with their targets', async () => {
    const { Rules = [] } = await events.send(new ListRulesCommand({}));
    const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: 'laid' }));

    expect(Rules.map(({ Name }) => Name)).toEqual(['laid', 'daily']);
    expect(Targets.map(({ Id }) => Id)).toEqual(['all', 'detail', 'closed']);
  });

  it('refuse targets and filters that are not emulated, by name', async () => {
    const Targets = [{ Id: 'x', Arn: 'arn:aws:states:us-east-1:123456789012:stateMachine:m' }];
    await expect(events.send(new PutTargetsCommand({ Rule: 'laid', Targets }))).rejects.toThrow('stateMachine:m');

    const EventPattern = JSON.stringify({ source: [{ wildcard: 'f*' }] });
    await expect(events.send(new PutRuleCommand({ Name: 'x', EventPattern }))).rejects.toThrow(/source.*wildcard/);
  });
});
