/** Asynchronous invocation: retries by the clock, what becomes of an event that cannot be processed. */
import { DeleteRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { GetQueueUrlCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const attempt = `
  exports.handler = async (event) => {
    if (event.fail) throw new Error('no eggs');
    return { eggs: 2 };
  };`;

const sendTo = (queue: string) => ({ Action: 'sqs:SendMessage', Resource: arnOf(queue) });

const assembly = new Assembly()
  .add('Failures', 'AWS::SQS::Queue', { QueueName: 'failures' })
  .add('Successes', 'AWS::SQS::Queue', { QueueName: 'successes' })
  .add('Dead', 'AWS::SQS::Queue', { QueueName: 'dead' })
  .addFunction('worker', {
    code: attempt,
    allow: [sendTo('Failures'), sendTo('Successes'), sendTo('Dead')],
    properties: { DeadLetterConfig: { TargetArn: arnOf('Dead') } },
  })
  .add('Settings', 'AWS::Lambda::EventInvokeConfig', {
    FunctionName: { Ref: 'worker' },
    Qualifier: '$LATEST',
    DestinationConfig: {
      OnFailure: { Destination: arnOf('Failures') },
      OnSuccess: { Destination: arnOf('Successes') },
    },
  })
  .addFunction('impatient', { code: attempt, allow: [sendTo('Failures')] })
  .add('ImpatientSettings', 'AWS::Lambda::EventInvokeConfig', {
    FunctionName: { Ref: 'impatient' },
    Qualifier: '$LATEST',
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnFailure: { Destination: arnOf('Failures') } },
  })
  .addFunction('forbidden', {
    code: attempt,
    allow: [sendTo('Dead')],
    properties: { DeadLetterConfig: { TargetArn: arnOf('Dead') } },
  });

let runtime: Runtime;
let lambda: LambdaClient;
let sqs: SQSClient;

beforeAll(async () => {
  runtime = await assembly.start();
  lambda = new LambdaClient({ ...runtime.config, maxAttempts: 1 });
  sqs = new SQSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

async function start(FunctionName: string, event: unknown): Promise<string | undefined> {
  const Payload = Buffer.from(JSON.stringify(event));
  const answer = await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
  expect(answer.StatusCode).toBe(202);
  return answer.$metadata.requestId;
}

async function receive(QueueName: string): Promise<Message[]> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
  return (await sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
}

describe('a destination that the role may not send to', () => {
  const dead = { TargetArn: arnOf('Dead') };
  const onFailure = { OnFailure: { Destination: arnOf('Dead') } };
  const worker = (more: object = {}) =>
    new Assembly()
      .add('Dead', 'AWS::SQS::Queue', { QueueName: 'dead' })
      .add('Stream', 'AWS::Kinesis::Stream', { Name: 'stream' })
      .addFunction('worker', {
        code: attempt,
        allow: [{ Action: ['kinesis:*'], Resource: arnOf('Stream') }],
        ...more,
      });

  it.each<readonly [string, Assembly]>([
    ['the dead-letter queue of a function', worker({ properties: { DeadLetterConfig: dead } })],
    [
      'the destination of failed invocations',
      worker().add('Settings', 'AWS::Lambda::EventInvokeConfig', {
        FunctionName: { Ref: 'worker' },
        Qualifier: '$LATEST',
        DestinationConfig: onFailure,
      }),
    ],
    [
      'the destination of an event source',
      worker().add('Mapping', 'AWS::Lambda::EventSourceMapping', {
        EventSourceArn: arnOf('Stream'),
        FunctionName: { Ref: 'worker' },
        StartingPosition: 'LATEST',
        DestinationConfig: onFailure,
      }),
    ],
  ])('stops the start: %s', async (_what, refused) => {
    await expect(refused.start()).rejects.toThrow(
      /role does not have permissions to call SendMessage on SQS.*worker-role.*sqs:SendMessage.*:dead/s,
    );
  });
});

describe('an asynchronous invocation', () => {
  it('that succeeds tells the success destination', async () => {
    const requestId = await start('worker', { fail: false });
    await runtime.advance(0);

    const [message] = await receive('successes');
    expect(JSON.parse(message?.Body ?? '')).toMatchObject({
      version: '1.0',
      requestContext: { requestId, condition: 'Success', approximateInvokeCount: 1 },
      requestPayload: { fail: false },
      responseContext: { statusCode: 200, executedVersion: '$LATEST' },
      responsePayload: { eggs: 2 },
    });
    expect(await receive('failures')).toEqual([]);
  });

  it('that fails is retried after one and after two minutes, then goes to destination and dead-letter queue', async () => {
    // GIVEN
    const requestId = await start('worker', { fail: true });

    // WHEN
    await runtime.advance(60 + 119);
    const tooEarly = await receive('failures');
    await runtime.advance(2);

    // THEN
    expect(tooEarly).toEqual([]);
    const [message] = await receive('failures');
    expect(JSON.parse(message?.Body ?? '')).toMatchObject({
      requestContext: { requestId, condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { fail: true },
      responseContext: { functionError: 'Unhandled' },
      responsePayload: { errorType: 'Error', errorMessage: 'no eggs' },
    });
    const [dead] = await receive('dead');
    expect(dead?.Body).toBe('{"fail":true}');
    expect(dead?.MessageAttributes).toMatchObject({
      RequestID: { StringValue: requestId },
      ErrorCode: { StringValue: '200' },
      ErrorMessage: { StringValue: 'no eggs' },
    });
  });

  it('is not retried when its settings say so', async () => {
    await start('impatient', { fail: true });
    await runtime.advance(0);

    const [message] = await receive('failures');
    expect(JSON.parse(message?.Body ?? '').requestContext.approximateInvokeCount).toBe(1);
  });

  it('that finds no concurrency waits, and is given up when it is too old', async () => {
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'impatient', ReservedConcurrentExecutions: 0 }),
    );
    await start('impatient', {});

    await runtime.advance(59);
    expect(await receive('failures')).toEqual([]);
    await runtime.advance(1);

    const [message] = await receive('failures');
    expect(JSON.parse(message?.Body ?? '')).toMatchObject({
      requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 },
      requestPayload: {},
    });
  });

  it('whose dead-letter queue the role may no longer use says so by name', async () => {
    const RoleName = 'forbidden-role';
    await new IAMClient(runtime.config).send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'allow' }));
    await start('forbidden', { fail: true });
    await runtime.advance(181);

    expect(await receive('dead')).toEqual([]);
    expect(runtime.output()).toMatch(
      /forbidden-role.*is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:[^ ]+:dead/,
    );
  });

  it('takes one megabyte at most', async () => {
    await expect(start('worker', 'x'.repeat(1024 * 1024))).rejects.toMatchObject({ name: 'RequestTooLargeException' });
  });
});
