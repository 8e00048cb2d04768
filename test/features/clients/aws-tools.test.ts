/** The AWS CLI and boto3, unmodified, against the deployed platform. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeWithTools, pythonWithBoto3 } from '../../support/tools.ts';

let platform: Platform;
const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-tools-'));

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[]): Ended {
  return spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: platform.cliEnvironment });
}

/** The bucket of the archive: its name has account and region in it. */
function archiveBucket(): string {
  const { stdout } = run('aws', ['s3api', 'list-buckets', '--query', 'Buckets[].Name', '--output', 'json']);
  const names: readonly string[] = JSON.parse(stdout);
  return names.find((each) => each.startsWith('thingstead-archive-')) ?? '';
}

describeWithTools(['aws'], 'the AWS CLI', () => {
  function aws(...args: readonly string[]): Ended {
    return run('aws', ['--output', 'json', ...args]);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what the CLI prints has no types; the expectations name what they read.
  function answer(...args: readonly string[]): any {
    const { status, stdout, stderr } = aws(...args);
    if (status !== 0) throw new Error(`aws ${args.join(' ')} exited ${status}: ${stderr}`);
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  }

  it('iot: makes a thing, describes and lists it, and is told what is absent', () => {
    answer('iot', 'create-thing', '--thing-name', 'cli-thing', '--attribute-payload', 'attributes={color=red}');

    expect(answer('iot', 'describe-thing', '--thing-name', 'cli-thing').attributes).toEqual({ color: 'red' });
    expect(JSON.stringify(answer('iot', 'list-things'))).toContain('cli-thing');
    const absent = aws('iot', 'describe-thing', '--thing-name', 'absent');
    expect(absent.status).not.toBe(0);
    expect(absent.stderr).toContain('ResourceNotFoundException');
  });

  it('iot-data: keeps a shadow and publishes', () => {
    const payload = path.join(folder, 'shadow.json');
    writeFileSync(payload, '{"state":{"desired":{"on":true},"reported":{"on":false}}}');
    const shadow = path.join(folder, 'out.json');
    answer('iot-data', 'update-thing-shadow', '--thing-name', 'cli-thing', '--payload', `file://${payload}`, shadow);
    answer('iot-data', 'get-thing-shadow', '--thing-name', 'cli-thing', shadow);

    expect(JSON.parse(readFileSync(shadow, 'utf8')).state.delta).toEqual({ on: true });
    answer('iot-data', 'delete-thing-shadow', '--thing-name', 'cli-thing', shadow);
    expect(aws('iot-data', 'get-thing-shadow', '--thing-name', 'cli-thing', shadow).stderr).toContain(
      'ResourceNotFoundException',
    );
  });

  it('dynamodb: what was published is found by a query', async () => {
    const payload = path.join(folder, 'reading.json');
    writeFileSync(payload, '{"id":"cli-1","value":7}');
    answer(
      'iot-data',
      'publish',
      '--topic',
      'device/cli-thing/sensor/n/v1',
      '--qos',
      '1',
      '--payload',
      `file://${payload}`,
    );
    await platform.idle();

    const found = answer(
      ...['dynamodb', 'query', '--table-name', 'thingstead-telemetry-history', '--consistent-read'],
      ...['--key-condition-expression', 'pk = :pk'],
      ...['--expression-attribute-values', '{":pk":{"S":"cli-thing#n"}}'],
    );
    expect(found.Items).toEqual([expect.objectContaining({ messageId: { S: 'cli-1' }, value: { N: '7' } })]);
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GettingStarted.html
  it('dynamodb: the table of AWS’s first steps', () => {
    const table = ['--table-name', 'Music'];
    const json = JSON.stringify;
    const key = { Artist: { S: 'Acme Band' }, SongTitle: { S: 'Happy Day' } };
    answer(
      ...['dynamodb', 'create-table', ...table, '--billing-mode', 'PAY_PER_REQUEST', '--attribute-definitions'],
      ...['AttributeName=Artist,AttributeType=S', 'AttributeName=SongTitle,AttributeType=S', '--key-schema'],
      ...['AttributeName=Artist,KeyType=HASH', 'AttributeName=SongTitle,KeyType=RANGE'],
    );
    const item = { ...key, AlbumTitle: { S: 'Songs About Life' }, Awards: { N: '10' } };
    answer('dynamodb', 'put-item', ...table, '--item', json(item));

    const updated = answer(
      ...['dynamodb', 'update-item', ...table, '--key', json(key), '--return-values', 'ALL_NEW'],
      ...['--update-expression', 'SET AlbumTitle = :new'],
      ...['--expression-attribute-values', json({ ':new': { S: 'Updated Album Title' } })],
    );
    expect(updated.Attributes).toEqual({ ...item, AlbumTitle: { S: 'Updated Album Title' } });
    expect(answer('dynamodb', 'get-item', ...table, '--consistent-read', '--key', json(key)).Item.Awards).toEqual({
      N: '10',
    });
    const again = ['--condition-expression', 'attribute_not_exists(Artist)'];
    expect(aws('dynamodb', 'put-item', ...table, '--item', json(item), ...again).stderr).toContain(
      'ConditionalCheckFailedException',
    );
    expect(answer('dynamodb', 'delete-table', ...table).TableDescription.TableStatus).toBe('DELETING');
  });

  it('s3: copies there and back, also in parts, lists and removes', () => {
    const bucket = archiveBucket();
    const source = path.join(folder, 'large.bin');
    // The CLI sends what is larger than 8 MiB in parts.
    writeFileSync(source, Buffer.alloc(9 * 1024 * 1024, 'thingstead'));

    expect(run('aws', ['s3', 'cp', source, `s3://${bucket}/cli/large file.bin`])).toMatchObject({ status: 0 });
    expect(run('aws', ['s3', 'ls', `s3://${bucket}/cli/`]).stdout).toContain('large file.bin');
    const copy = path.join(folder, 'copy.bin');
    expect(run('aws', ['s3', 'cp', `s3://${bucket}/cli/large file.bin`, copy])).toMatchObject({ status: 0 });
    expect(readFileSync(copy).equals(readFileSync(source))).toBe(true);
    expect(run('aws', ['s3', 'rm', `s3://${bucket}/cli/`, '--recursive'])).toMatchObject({ status: 0 });
    expect(answer('s3api', 'list-objects-v2', '--bucket', bucket, '--prefix', 'cli/').Contents).toBeUndefined();
  });

  it('sqs: sends, receives, deletes', () => {
    // Version 1 of the CLI takes the address of SQS from this option alone.
    const endpoint = ['--endpoint-url', platform.cliEnvironment.AWS_ENDPOINT_URL ?? ''];
    const url = answer('sqs', ...endpoint, 'get-queue-url', '--queue-name', 'thingstead-telemetry-errors').QueueUrl;
    answer('sqs', ...endpoint, 'send-message', '--queue-url', url, '--message-body', 'hello');

    const [message] = answer('sqs', ...endpoint, 'receive-message', '--queue-url', url).Messages;
    expect(message.Body).toBe('hello');
    answer('sqs', ...endpoint, 'delete-message', '--queue-url', url, '--receipt-handle', message.ReceiptHandle);
  });

  // https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
  it('sns: what is published to a topic comes out of the queue that has subscribed', async () => {
    const endpoint = ['--endpoint-url', platform.cliEnvironment.AWS_ENDPOINT_URL ?? ''];
    const topic = answer('sns', 'create-topic', '--name', 'cli-topic').TopicArn;
    const queue = topic.replace(':sns:', ':sqs:').replace('cli-topic', 'cli-queue');
    const allowed = {
      ...{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: queue },
      Condition: { ArnEquals: { 'aws:SourceArn': topic } },
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allowed] });
    const attributes = JSON.stringify({ Policy });
    const created = answer('sqs', ...endpoint, 'create-queue', '--queue-name', 'cli-queue', '--attributes', attributes);
    answer('sns', 'subscribe', '--topic-arn', topic, '--protocol', 'sqs', '--notification-endpoint', queue);
    answer('sns', 'publish', '--topic-arn', topic, '--subject', 'greeting', '--message', 'hello');
    await platform.idle();

    const [message] = answer('sqs', ...endpoint, 'receive-message', '--queue-url', created.QueueUrl).Messages;
    expect(JSON.parse(message.Body)).toMatchObject({ TopicArn: topic, Subject: 'greeting', Message: 'hello' });
  });

  it('kinesis: puts a record and reads it back', () => {
    const stream = ['--stream-name', 'thingstead-telemetry'];
    const data = path.join(folder, 'record');
    writeFileSync(data, '{"no":"reading"}');
    const put = answer('kinesis', 'put-record', ...stream, '--partition-key', 'k', '--data', `fileb://${data}`);
    const position = ['--shard-iterator-type', 'AT_SEQUENCE_NUMBER', '--starting-sequence-number', put.SequenceNumber];
    const { ShardIterator } = answer(
      'kinesis',
      'get-shard-iterator',
      ...stream,
      '--shard-id',
      put.ShardId,
      ...position,
    );

    const [record] = answer('kinesis', 'get-records', '--shard-iterator', ShardIterator).Records;
    expect(Buffer.from(record.Data, 'base64').toString()).toBe('{"no":"reading"}');
  });

  it('logs and cloudwatch: writes and reads events, metrics and alarms', () => {
    answer('logs', 'create-log-group', '--log-group-name', 'cli');
    answer('logs', 'create-log-stream', '--log-group-name', 'cli', '--log-stream-name', 'one');
    const events = JSON.stringify([{ timestamp: Date.now(), message: 'hello' }]);
    answer('logs', 'put-log-events', '--log-group-name', 'cli', '--log-stream-name', 'one', '--log-events', events);
    expect(answer('logs', 'filter-log-events', '--log-group-name', 'cli').events).toEqual([
      expect.objectContaining({ message: 'hello' }),
    ]);

    answer('cloudwatch', 'put-metric-data', '--namespace', 'Cli', '--metric-name', 'Visits', '--value', '3');
    expect(answer('cloudwatch', 'list-metrics', '--namespace', 'Cli').Metrics).toHaveLength(1);
    expect(answer('cloudwatch', 'describe-alarms').MetricAlarms.length).toBeGreaterThan(0);
  });
});

describeWithTools(['boto3'], 'boto3', () => {
  it('makes the same journey', async () => {
    const script = path.resolve(__dirname, '../../support/aws_journey.py');

    const { status, stdout, stderr } = run(pythonWithBoto3() ?? 'python3', [script, archiveBucket()]);
    await platform.idle();

    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      account: '123456789012',
      thing: { color: 'red' },
      absentThing: 'ResourceNotFoundException',
      things: expect.arrayContaining(['boto3-thing']),
      delta: { on: true },
      absentShadow: 'ResourceNotFoundException',
      item: 'boto3-thing',
      condition: 'ConditionalCheckFailedException',
      deleted: true,
      object: 'hello',
      keys: ['boto3/a b.txt'],
      absentObject: 'NoSuchKey',
      message: 'hello',
      record: '{"no": "reading"}',
      log: ['hello'],
      metrics: ['Visits'],
      alarms: true,
    });
    expect(await platform.history('boto3-thing', 'counter')).toEqual([
      expect.objectContaining({ messageId: 'boto3-1', value: 7 }),
    ]);
  });
});
