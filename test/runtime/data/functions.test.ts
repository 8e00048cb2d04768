/** `--data` and functions: positions in streams, events under way, and an assembly that is not the same as before. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeStreamSummaryCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Runtime } from '../../support/runtime.ts';
import { Assembly, arnOf, type Statement } from '../lambda-fixture.ts';
import { KeptAccount } from './kept-account.ts';

const readStream: Statement = {
  Action: ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
    (name) => `kinesis:${name}`,
  ),
  Resource: arnOf('telemetry'),
};

/** Logs `<word> <record>` for each record. */
const logger = (word: string) => `
  exports.handler = async ({ Records }) => {
    for (const { kinesis } of Records) {
      process.stdout.write('${word} ' + Buffer.from(kinesis.data, 'base64') + '\\n');
    }
  };`;

/** Fails until it is called for the third time at least; counts by its log. */
const failing = `
  exports.handler = async ({ fail, n }) => {
    process.stdout.write('attempt ' + n + '\\n');
    if (fail) throw new Error('not now');
  };`;

function assembly(word: string, edit: (assembly: Assembly) => void = () => {}): string {
  const made = new Assembly()
    .add('telemetry', 'AWS::Kinesis::Stream', { Name: 'telemetry', ShardCount: 1 })
    .addFunction('consumer', { code: logger(word), allow: [readStream] })
    .addFunction('worker', { code: failing })
    .add(
      'Mapping',
      'AWS::Lambda::EventSourceMapping',
      {
        FunctionName: 'consumer',
        EventSourceArn: arnOf('telemetry'),
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 10,
      },
      ['consumer'],
    );
  edit(made);
  return made.write();
}

async function logged({ config }: Runtime, group: string): Promise<readonly string[]> {
  const input = { logGroupName: `/aws/lambda/${group}`, limit: 10_000 };
  const { events = [] } = await new CloudWatchLogsClient(config).send(new FilterLogEventsCommand(input));
  return events.map(({ message = '' }) => message.trim()).filter((line) => /^(one|two|attempt) /.test(line));
}

async function put({ config }: Runtime, from: number, count: number): Promise<void> {
  const Records = Array.from({ length: count }, (_, at) => ({
    PartitionKey: 'p',
    Data: Buffer.from(String(from + at)),
  }));
  await new KinesisClient(config).send(new PutRecordsCommand({ StreamName: 'telemetry', Records }));
}

const account = new KeptAccount();

afterEach(() => account.stop());
afterAll(() => account.remove());

test('a consumer goes on where it was, with the code of the new assembly; after a kill nothing is left out', async () => {
  let runtime = await account.start({ assembly: assembly('one') });
  await put(runtime, 0, 5);
  await runtime.advance(0);
  expect(await logged(runtime, 'consumer')).toEqual([0, 1, 2, 3, 4].map((n) => `one ${n}`));
  runtime = await account.restart({ assembly: assembly('two') });
  await put(runtime, 5, 5);
  await runtime.advance(0);
  const after = await logged(runtime, 'consumer');
  expect(after).toEqual([...[0, 1, 2, 3, 4].map((n) => `one ${n}`), ...[5, 6, 7, 8, 9].map((n) => `two ${n}`)]);
  await put(runtime, 10, 200);
  await account.kill();
  runtime = await account.start({ assembly: assembly('two') });
  await runtime.advance(0);
  const stream = await new KinesisClient(runtime.config).send(
    new DescribeStreamSummaryCommand({ StreamName: 'telemetry' }),
  );
  expect(stream.StreamDescriptionSummary?.OpenShardCount).toBe(1);
  // The kill may have undone what came since the last save, never what was there at the clean stop: what is in the stream has been
  // processed, in order, at least once.
  const numbers = (await logged(runtime, 'consumer')).map((line) => Number(line.split(' ')[1]));
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  expect(distinct).toEqual(Array.from({ length: distinct.length }, (_, at) => at));
  expect(distinct.length).toBeGreaterThanOrEqual(5);
});

test('an asynchronous event that is to be tried again is tried again after a restart', async () => {
  let runtime = await account.start({ assembly: assembly('two') });
  const Payload = Buffer.from('{"fail":true,"n":7}');
  const input = { FunctionName: 'worker', InvocationType: 'Event', Payload } as const;
  await new LambdaClient(runtime.config).send(new InvokeCommand(input));
  await runtime.advance(0);
  expect(await logged(runtime, 'worker')).toEqual(['attempt 7']);
  runtime = await account.restart({ assembly: assembly('two') });
  await runtime.advance(600);
  // Two retries, and no more.
  expect(await logged(runtime, 'worker')).toEqual(['attempt 7', 'attempt 7', 'attempt 7']);
});

test('the assembly is applied like an update: new, changed, gone and retained', async () => {
  const queue = (name: string, more: object = {}) => ['AWS::SQS::Queue', { QueueName: name, ...more }] as const;
  const template = (edit: (made: Assembly) => void) => new Assembly().add('other', ...queue('other')) && edited(edit);
  function edited(edit: (made: Assembly) => void): string {
    return assembly('two', edit);
  }
  const names = async ({ config }: Runtime) => {
    const { QueueUrls = [] } = await new SQSClient(config).send(new ListQueuesCommand({}));
    return QueueUrls.map((url) => url.split('/').at(-1)).sort();
  };
  let runtime = await account.start({
    assembly: template((made) => made.add('Changes', ...queue('changes')).add('Goes', ...queue('goes'))),
  });
  const sqs = new SQSClient(runtime.config);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'changes' }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'kept' }));
  expect(await names(runtime)).toEqual(['changes', 'goes']);

  runtime = await account.restart({
    assembly: template((made) =>
      made.add('Changes', ...queue('changes', { VisibilityTimeout: 77 })).add('New', ...queue('new')),
    ),
  });
  expect(await names(runtime)).toEqual(['changes', 'new']);
  const { Attributes } = await new SQSClient(runtime.config).send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  expect(Attributes).toMatchObject({ VisibilityTimeout: '77', ApproximateNumberOfMessages: '1' });
  expect(runtime.output()).toMatch(/no longer in the template and was removed.*Goes/);

  await account.stop();
  const renamed = template((made) => made.add('Changes', ...queue('renamed')));
  await expect(account.start({ assembly: renamed })).rejects.toThrow(
    /Test\/Changes \(AWS::SQS::Queue\): NotEmulated: .*QueueName cannot change in place.*remove the folder/,
  );
  // What is refused changes nothing.
  runtime = await account.start({ assembly: template((made) => made.add('Changes', ...queue('changes'))) });
  expect(await names(runtime)).toEqual(['changes']);
});
