/** AWS::IoT::TopicRule in a cloud assembly. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetTopicRuleCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startRuntime } from '../support/runtime.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-rules-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(Resources: object, Outputs: object = {}): void {
  const Farm = {
    type: 'aws:cloudformation:stack',
    environment: 'aws://unknown-account/unknown-region',
    properties: { templateFile: 'Farm.template.json' },
  };
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ version: '1', artifacts: { Farm } }));
  writeFileSync(path.join(folder, 'Farm.template.json'), JSON.stringify({ Resources, Outputs }));
}

const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'seen' } };
const role = {
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'rule',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'iot.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    },
    Policies: [
      {
        PolicyName: 'act',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
            { Effect: 'Allow', Action: 'iot:Publish', Resource: '*' },
          ],
        },
      },
    ],
  },
};
const RoleArn = { 'Fn::GetAtt': ['Role', 'Arn'] };

function rule(payload: object, more: object = {}) {
  return {
    Type: 'AWS::IoT::TopicRule',
    Properties: { TopicRulePayload: { AwsIotSqlVersion: '2016-03-23', ...payload }, ...more },
  };
}

it('creates rules that run, under their own or a generated name', async () => {
  // GIVEN
  const sendToQueue = { Sqs: { QueueUrl: { Ref: 'Queue' }, RoleArn, UseBase64: 'false' } };
  const forward = {
    Topic: { 'Fn::Sub': `out/\${AWS::Region}/\${!topic(2)}` },
    Qos: '1',
    RoleArn,
    Headers: { ContentType: 'text/x', UserProperties: [{ Key: 'from', Value: `\${topic()}` }] },
  };
  write(
    {
      Queue: queue,
      Role: role,
      Forward: rule(
        { Sql: "SELECT a FROM 'in/+'", Actions: [{ Republish: forward }], ErrorAction: sendToQueue },
        { RuleName: 'forward', Tags: [{ Key: 'team', Value: 'farm' }] },
      ),
      StoreIt: rule({
        Sql: "SELECT *, topic() AS topic, get_user_properties('from') AS origin FROM 'out/#'",
        Actions: [sendToQueue],
        RuleDisabled: 'false',
        Description: 'generated name',
      }),
    },
    {
      Arn: { Value: { 'Fn::GetAtt': ['Forward', 'Arn'] } },
      Name: { Value: { Ref: 'StoreIt' } },
      Url: { Value: { Ref: 'Queue' } },
    },
  );
  const runtime = await startRuntime({ assembly: folder });
  try {
    const { Arn, Name, Url } = runtime.endpoints.outputs.Farm ?? {};

    // WHEN
    const data = new IoTDataPlaneClient(runtime.config);
    await data.send(new PublishCommand({ topic: 'in/x', payload: Buffer.from('{"a":1}') }));
    await runtime.advance(0);

    // THEN
    expect(Arn).toBe('arn:aws:iot:us-east-1:123456789012:rule/forward');
    expect(Name).toMatch(/^[a-zA-Z0-9_]*StoreIt[a-zA-Z0-9_]*$/);
    const { rule: found } = await new IoTClient(runtime.config).send(new GetTopicRuleCommand({ ruleName: Name }));
    expect(found).toMatchObject({ description: 'generated name', ruleDisabled: false });
    const { Messages = [] } = await new SQSClient(runtime.config).send(new ReceiveMessageCommand({ QueueUrl: Url }));
    expect(Messages.map(({ Body = '' }) => JSON.parse(Body))).toEqual([
      { a: 1, topic: 'out/us-east-1/x', origin: ['in/x'] },
    ]);
  } finally {
    await runtime.stop();
  }
});

it('lets a function decide by its own policy which rule may call it', async () => {
  // GIVEN
  const arn = { 'Fn::GetAtt': ['Function', 'Arn'] };
  const sum = (name: string) => ({
    Sql: { 'Fn::Sub': `SELECT aws_lambda('\${Function.Arn}', {"n": n}).twice AS twice, '${name}' AS rule FROM 'sum'` },
    Actions: [{ Sqs: { QueueUrl: { Ref: 'Queue' }, RoleArn } }],
  });
  const call = {
    Sql: "SELECT n FROM 'call'",
    Actions: [{ Lambda: { FunctionArn: arn } }],
    ErrorAction: { Sqs: { QueueUrl: { Ref: 'Queue' }, RoleArn } },
  };
  const permission = (name: string) => ({
    Type: 'AWS::Lambda::Permission',
    Properties: {
      FunctionName: arn,
      Action: 'lambda:InvokeFunction',
      Principal: 'iot.amazonaws.com',
      SourceAccount: { Ref: 'AWS::AccountId' },
      SourceArn: { 'Fn::Sub': `arn:aws:iot:\${AWS::Region}:\${AWS::AccountId}:rule/${name}` },
    },
  });
  const code = 'exports.handler = async ({ n }) => { console.log("called with " + n); return { twice: 2 * n }; };';
  const logging = {
    PolicyName: 'logs',
    PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }] },
  };
  write(
    {
      Queue: queue,
      Role: role,
      FunctionRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
          },
          Policies: [logging],
        },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'doubler',
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Code: { ZipFile: code },
          Role: { 'Fn::GetAtt': ['FunctionRole', 'Arn'] },
        },
      },
      MaySum: permission('sum'),
      MayCall: permission('call'),
      Sum: rule(sum('sum'), { RuleName: 'sum' }),
      NoSum: rule(sum('stranger'), { RuleName: 'stranger' }),
      Call: rule(call, { RuleName: 'call' }),
      NoCall: rule(call, { RuleName: 'uninvited' }),
    },
    { Url: { Value: { Ref: 'Queue' } } },
  );
  const runtime = await startRuntime({ assembly: folder });
  try {
    const data = new IoTDataPlaneClient(runtime.config);
    const sqs = new SQSClient(runtime.config);
    const next = async () => {
      const QueueUrl = runtime.endpoints.outputs.Farm?.Url;
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      return Messages.map(({ Body = '' }) => JSON.parse(Body));
    };

    // WHEN
    await data.send(new PublishCommand({ topic: 'sum', payload: Buffer.from('{"n":21}') }));
    await runtime.advance(0);
    const answered = await next();
    await data.send(new PublishCommand({ topic: 'call', payload: Buffer.from('{"n":5}') }));
    await runtime.advance(0);
    const failed = await next();

    // THEN
    expect(answered).toEqual([{ twice: 42, rule: 'sum' }]);
    expect(runtime.output()).toContain('aws_lambda failed');
    expect(failed).toMatchObject([
      {
        ruleName: 'uninvited',
        failures: [{ failedAction: 'LambdaAction', errorMessage: expect.stringContaining('AccessDenied') }],
      },
    ]);
    const logs = new CloudWatchLogsClient(runtime.config);
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/doubler' }));
    expect(events.filter(({ message }) => message?.includes('called with 5'))).toHaveLength(1);
  } finally {
    await runtime.stop();
  }
});

it.each([
  [
    'an action that is not emulated',
    rule({ Sql: "SELECT * FROM 'a'", Actions: [{ Timestream: { TableName: 't' } }] }),
    /Farm\/Rule[\s\S]*TopicRulePayload\.Actions\[0\]\.Timestream/,
  ],
  [
    'a property that the action does not have',
    rule({ Sql: "SELECT * FROM 'a'", Actions: [{ Lambda: { FunctionArn: 'f', Shade: 1 } }] }),
    /Farm\/Rule[\s\S]*TopicRulePayload\.Actions\[0\]\.Lambda\.Shade/,
  ],
  [
    'SQL that cannot be read',
    rule({ Sql: "SELECT *\nFROM 'a'\nWHEN 1", Actions: [] }),
    /Farm\/Rule[\s\S]*SqlParseException: line 3, column 1: expected WHERE/,
  ],
])('stops the start for %s', async (_what, resource, message) => {
  write({ Rule: resource });

  await expect(startRuntime({ assembly: folder })).rejects.toThrow(message);
});
