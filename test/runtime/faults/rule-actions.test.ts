/** Harm to the actions of rules. */
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { FaultOf } from '../../support/faults.ts';
import type { Runtime } from '../../support/runtime.ts';
import { Assembly, arnOf } from '../lambda-fixture.ts';

const sendTo = (queue: string) => ({ Sqs: { QueueUrl: { Ref: queue }, RoleArn: arnOf('RuleRole'), UseBase64: false } });

const assembly = new Assembly()
  .add('Good', 'AWS::SQS::Queue', { QueueName: 'good' })
  .add('Bad', 'AWS::SQS::Queue', { QueueName: 'bad' })
  .add('RuleRole', 'AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'iot.amazonaws.com' } }],
    },
    Policies: [
      {
        PolicyName: 'send',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' }],
        },
      },
    ],
  })
  .add('Rule', 'AWS::IoT::TopicRule', {
    RuleName: 'readings',
    TopicRulePayload: {
      Sql: "SELECT * FROM 'readings'",
      AwsIotSqlVersion: '2016-03-23',
      Actions: [sendTo('Good')],
      ErrorAction: sendTo('Bad'),
    },
  });

let runtime: Runtime;
let iot: IoTDataPlaneClient;
let sqs: SQSClient;

beforeAll(async () => {
  runtime = await assembly.start();
  iot = new IoTDataPlaneClient(runtime.config);
  sqs = new SQSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

async function publishOne(): Promise<void> {
  await iot.send(new PublishCommand({ topic: 'readings', payload: Buffer.from('{"n":1}') }));
  await runtime.advance(0);
}

async function bodiesIn(QueueName: string): Promise<readonly unknown[]> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

function harm(...faults: readonly Omit<FaultOf<'rule-action'>, 'at'>[]): Promise<unknown> {
  return runtime.faults(faults.map((fault) => ({ at: 'rule-action', ...fault })));
}

it('an action that fails goes to the error action, with the message as it came', async () => {
  await harm({ match: { rule: 'readings', action: 'sqs' }, do: 'error' });

  await publishOne();

  expect(await bodiesIn('good')).toEqual([]);
  expect(await bodiesIn('bad')).toMatchObject([
    {
      ruleName: 'readings',
      base64OriginalPayload: Buffer.from('{"n":1}').toString('base64'),
      failures: [{ failedAction: 'SqsAction', errorMessage: expect.stringContaining('Error Code: InternalFailure') }],
    },
  ]);
});

it('an action runs twice', async () => {
  await harm({ do: 'duplicate' });

  await publishOne();

  expect(await bodiesIn('good')).toEqual([{ n: 1 }, { n: 1 }]);
});

it('an error action that fails as well loses the message, where a plan asks for it', async () => {
  await harm({ do: 'error' }, { match: { errorAction: true }, do: 'error' });

  await publishOne();

  expect(await bodiesIn('good')).toEqual([]);
  expect(await bodiesIn('bad')).toEqual([]);
  expect((await runtime.faultReport()).faults).toMatchObject([{ harmed: 1 }, { harmed: 1 }]);
});

it('an action of another rule is left alone', async () => {
  await harm({ match: { rule: 'other' }, do: 'error' });

  await publishOne();

  expect(await bodiesIn('good')).toEqual([{ n: 1 }]);
});
