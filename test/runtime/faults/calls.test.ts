/** Harm to calls through the AWS endpoint, and to invocations. All clients are those of the SDK, with its retries. */
import path from 'node:path';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildSync } from 'esbuild';
import type { Fault } from '../../support/faults.ts';
import type { Runtime } from '../../support/runtime.ts';
import { Assembly, arnOf } from '../lambda-fixture.ts';

/** Sends two messages, one after the other. */
const { outputFiles } = buildSync({
  stdin: {
    contents: `
      import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
      const sqs = new SQSClient({});
      export const handler = async () => {
        const send = (MessageBody) => sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody }));
        await send('first');
        await send('second');
        return 'done';
      };`,
    resolveDir: path.resolve(__dirname, '../../..'),
  },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  write: false,
});

const assembly = new Assembly().add('Sent', 'AWS::SQS::Queue', { QueueName: 'sent' }).addFunction('sender', {
  code: { 'index.js': outputFiles[0]?.text ?? '' },
  allow: [{ Action: 'sqs:SendMessage', Resource: arnOf('Sent') }],
  properties: { Timeout: 30, Environment: { Variables: { QUEUE: { Ref: 'Sent' } } } },
});

const KILLED = {
  errorType: 'Runtime.ExitError',
  errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: signal: killed$/),
};

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

async function invoke(): Promise<unknown> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'sender' }));
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

async function invokeLater(): Promise<void> {
  await lambda.send(new InvokeCommand({ FunctionName: 'sender', InvocationType: 'Event' }));
  await runtime.advance(0);
}

async function queueUrl(): Promise<string> {
  return (await sqs.send(new GetQueueUrlCommand({ QueueName: 'sent' }))).QueueUrl ?? '';
}

async function sent(): Promise<(string | undefined)[]> {
  const input = { QueueUrl: await queueUrl(), MaxNumberOfMessages: 10 };
  return ((await sqs.send(new ReceiveMessageCommand(input))).Messages ?? []).map(({ Body }) => Body);
}

const sending = { function: 'sender', service: 'sqs', operation: 'SendMessage' };
const harm = (more: Pick<Fault, 'do'> & { readonly skip?: number }): Promise<unknown> =>
  runtime.faults([{ at: 'call', match: sending, times: 1, ...more } as Fault]);

describe('a call of a function', () => {
  it.each([
    ['crash-before', 0, KILLED, []],
    ['crash-after', 0, KILLED, ['first']],
    ['crash-before', 1, KILLED, ['first']],
    ['crash-after', 1, KILLED, ['first', 'second']],
    // The SDK tries again by itself.
    ['lose-answer', 0, 'done', ['first', 'first', 'second']],
    ['lose-answer', 1, 'done', ['first', 'second', 'second']],
    ['error', 0, 'done', ['first', 'second']],
    ['throttle', 1, 'done', ['first', 'second']],
  ] as const)('%s at call %i', async (kind, skip, answer, messages) => {
    await harm({ do: kind, skip });

    const result = await invoke();

    expect(result).toEqual(answer);
    expect(await sent()).toEqual(messages);
    // An error and a lost answer are followed by one more call.
    const calls = { 'crash-before': skip + 1, 'crash-after': skip + 1 } as Record<string, number>;
    expect((await runtime.faultReport()).faults).toMatchObject([{ matched: calls[kind] ?? 3, harmed: 1 }]);
  });

  it('that fails again and again fails the function with the error of the service', async () => {
    await runtime.faults([{ at: 'call', match: sending, do: 'error' }]);

    expect(await invoke()).toMatchObject({ errorType: 'InternalFailure' });
    expect(await sent()).toEqual([]);
  });

  it('crashes the environment that makes it, and the next one is new', async () => {
    await invoke();
    await harm({ do: 'crash-before' });
    expect(await invoke()).toEqual(KILLED);

    expect(await invoke()).toBe('done');
  });

  it('is told from those of others, which cannot crash', async () => {
    await runtime.faults([
      { at: 'call', match: sending, do: 'error' },
      { at: 'call', match: { operation: 'SendMessage' }, do: 'crash-after' },
    ]);

    await sqs.send(new SendMessageCommand({ QueueUrl: await queueUrl(), MessageBody: 'by the operator' }));

    expect((await runtime.faultReport()).faults).toMatchObject([{ matched: 0 }, { matched: 0 }]);
  });
});

it('an answer that is lost over HTTP/2 cuts the connection; the client of Kinesis tries again', async () => {
  await runtime.faults([{ at: 'call', match: { service: 'kinesis' }, do: 'lose-answer', times: 1 }]);
  const once = new KinesisClient({ ...runtime.config, maxAttempts: 1 });
  await expect(once.send(new ListStreamsCommand({}))).rejects.toThrow();
  once.destroy();

  await runtime.faults([{ at: 'call', match: { service: 'kinesis' }, do: 'lose-answer', times: 1 }]);
  const kinesis = new KinesisClient(runtime.config);
  expect((await kinesis.send(new ListStreamsCommand({}))).StreamNames).toEqual([]);
  kinesis.destroy();
  expect((await runtime.faultReport()).faults).toMatchObject([{ matched: 2, harmed: 1 }]);
});

describe('an invocation', () => {
  const harmInvocation = (kind: 'error' | 'lose-result' | 'duplicate'): Promise<unknown> =>
    runtime.faults([{ at: 'invocation', match: { function: 'sender' }, do: kind, times: 1 }]);

  it('ends before the handler runs', async () => {
    await harmInvocation('error');

    expect(await invoke()).toEqual(KILLED);
    expect(await sent()).toEqual([]);
    expect(await invoke()).toBe('done');
  });

  it('does its work, and the invoker is told that it failed', async () => {
    await harmInvocation('lose-result');

    expect(await invoke()).toEqual(KILLED);
    expect(await sent()).toEqual(['first', 'second']);
  });

  it('that is asynchronous is tried again when its result is lost', async () => {
    await harmInvocation('lose-result');

    await invokeLater();
    await runtime.advance(60);

    expect(await sent()).toEqual(['first', 'second', 'first', 'second']);
  });

  it('that is asynchronous is delivered twice', async () => {
    await harmInvocation('duplicate');

    await invokeLater();

    expect((await sent()).sort()).toEqual(['first', 'first', 'second', 'second']);
  });

  it('that is synchronous is not', async () => {
    await harmInvocation('duplicate');

    await invoke();

    expect(await sent()).toEqual(['first', 'second']);
    expect((await runtime.faultReport()).faults).toMatchObject([{ matched: 0 }]);
  });
});
