/** Amazon CloudWatch through the SDK: metrics, and alarms by the clock. */
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type MetricAlarm,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { CreateTopicCommand, SetTopicAttributesCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let client: CloudWatchClient;
let sns: SNSClient;
let sqs: SQSClient;
let advanced = 0;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new CloudWatchClient(runtime.config);
  sns = new SNSClient(runtime.config);
  sqs = new SQSClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  advanced = 0;
  await toNextMinute();
});

const now = () => Date.now() + advanced * 1000;

async function advance(seconds: number): Promise<void> {
  advanced += seconds;
  await runtime.advance(seconds);
}

/** A test that begins with a minute does not see it end by itself. */
function toNextMinute(): Promise<void> {
  return advance(Math.ceil((60_000 - (now() % 60_000)) / 1000));
}

async function put(value: number, more: object = {}): Promise<void> {
  const MetricData = [{ MetricName: 'Eggs', Value: value, Unit: 'Count' as const, ...more }];
  await client.send(new PutMetricDataCommand({ Namespace: 'Farm', MetricData }));
}

async function putAlarm(more: Partial<PutMetricAlarmCommandInput> = {}): Promise<void> {
  await client.send(
    new PutMetricAlarmCommand({
      AlarmName: 'too-many',
      Namespace: 'Farm',
      MetricName: 'Eggs',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 10,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      ...more,
    }),
  );
}

async function alarm(AlarmName = 'too-many'): Promise<MetricAlarm> {
  await advance(0);
  const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
  return MetricAlarms[0] ?? {};
}

const topics = (count: number) => Array.from({ length: count }, (_, at) => `arn:aws:sns:us-east-1:123456789012:t${at}`);

const state = async (name?: string) => (await alarm(name)).StateValue;

describe('metrics', () => {
  const window = () => ({ StartTime: new Date(now() - 600_000), EndTime: new Date(now() + 60_000), Period: 60 });

  it('give every statistic of a period', async () => {
    await put(1);
    await put(2, { Dimensions: [{ Name: 'barn', Value: 'north' }] });
    await client.send(
      new PutMetricDataCommand({
        Namespace: 'Farm',
        MetricData: [{ MetricName: 'Eggs', Values: [5, 100], Counts: [8, 1], Unit: 'Count' }],
      }),
    );

    const { Datapoints } = await client.send(
      new GetMetricStatisticsCommand({
        ...window(),
        Namespace: 'Farm',
        MetricName: 'Eggs',
        Statistics: ['Sum', 'SampleCount', 'Minimum', 'Maximum', 'Average'],
        ExtendedStatistics: ['p50', 'p99'],
      }),
    );

    expect(Datapoints).toMatchObject([
      { Sum: 141, SampleCount: 10, Minimum: 1, Maximum: 100, Average: 14.1, ExtendedStatistics: { p50: 5, p99: 100 } },
    ]);
  });

  it('are separate by dimension, and listed', async () => {
    const Dimensions = [{ Name: 'barn', Value: 'north' }];
    await put(1);
    await put(2, { Dimensions });

    const { MetricDataResults } = await client.send(
      new GetMetricDataCommand({
        ...window(),
        MetricDataQueries: [
          {
            Id: 'a',
            MetricStat: { Metric: { Namespace: 'Farm', MetricName: 'Eggs', Dimensions }, Period: 60, Stat: 'Sum' },
          },
        ],
      }),
    );
    const { Metrics } = await client.send(new ListMetricsCommand({ Namespace: 'Farm' }));

    expect(MetricDataResults).toMatchObject([{ Id: 'a', Values: [2] }]);
    expect(Metrics).toEqual([
      { Namespace: 'Farm', MetricName: 'Eggs', Dimensions: [] },
      { Namespace: 'Farm', MetricName: 'Eggs', Dimensions },
    ]);
  });

  it('cannot be put into the namespaces of AWS', async () => {
    const command = new PutMetricDataCommand({ Namespace: 'AWS/SQS', MetricData: [{ MetricName: 'x', Value: 1 }] });

    await expect(client.send(command)).rejects.toThrow('AWS/');
  });
});

describe('an alarm', () => {
  it('goes to ALARM as soon as the value that no other can undo arrives, and back after the period', async () => {
    await putAlarm({ TreatMissingData: 'notBreaching' });
    expect(await state()).toBe('OK');

    await put(9);
    expect(await state()).toBe('OK');
    await put(1);
    expect(await alarm()).toMatchObject({
      StateValue: 'ALARM',
      StateReason: expect.stringMatching(
        /^Threshold Crossed: 1 out of the last 1 datapoint \[10\.0 \(.*\)\] was greater than or equal to the threshold \(10\.0\) \(minimum 1 datapoint for OK -> ALARM transition\)\.$/,
      ),
    });

    await toNextMinute();
    await put(1);
    await toNextMinute();
    expect(await state()).toBe('OK');
  });

  it('with a statistic that can still change waits for the end of the period', async () => {
    await putAlarm({ Statistic: 'Average', TreatMissingData: 'notBreaching' });

    await put(20);
    expect(await state()).toBe('OK');
    await toNextMinute();

    expect(await state()).toBe('ALARM');
  });

  it('can watch a percentile', async () => {
    await putAlarm({ Statistic: undefined, ExtendedStatistic: 'p90', TreatMissingData: 'notBreaching' });

    for (const value of [1, 1, 1, 1, 1, 1, 1, 1, 50, 50]) await put(value);
    await toNextMinute();

    expect(await alarm()).toMatchObject({ StateValue: 'ALARM', ExtendedStatistic: 'p90' });
  });

  it('needs as many datapoints as it says', async () => {
    await putAlarm({ EvaluationPeriods: 3, DatapointsToAlarm: 2, TreatMissingData: 'notBreaching' });

    await put(10);
    expect(await state()).toBe('OK');
    await toNextMinute();
    await put(1);
    await toNextMinute();
    await put(10);

    expect(await state()).toBe('ALARM');
  });

  it.each([
    ['LessThanThreshold', 10, 'OK'],
    ['LessThanThreshold', 9, 'ALARM'],
    ['LessThanOrEqualToThreshold', 10, 'ALARM'],
    ['GreaterThanThreshold', 10, 'OK'],
    ['GreaterThanThreshold', 11, 'ALARM'],
  ] as const)('with %s 10 and the value %d is %s', async (ComparisonOperator, value, expected) => {
    await putAlarm({ ComparisonOperator });

    await put(value);
    await toNextMinute();

    expect(await state()).toBe(expected);
  });

  it.each([
    ['missing', 'INSUFFICIENT_DATA'],
    ['ignore', 'INSUFFICIENT_DATA'],
    ['breaching', 'ALARM'],
    ['notBreaching', 'OK'],
  ] as const)('without data that treats it as %s is %s', async (TreatMissingData, expected) => {
    await putAlarm({ TreatMissingData });

    expect(await state()).toBe(expected);
  });

  it.each([
    ['missing', 'INSUFFICIENT_DATA'],
    ['ignore', 'ALARM'],
    ['notBreaching', 'OK'],
  ] as const)('whose data ends and that treats it as %s goes to %s in the end', async (TreatMissingData, expected) => {
    await putAlarm({ TreatMissingData });
    await put(10);
    expect(await state()).toBe('ALARM');

    await advance(600);

    expect(await state()).toBe(expected);
  });

  it.each<readonly [string, Partial<PutMetricAlarmCommandInput>, Partial<PutMetricAlarmCommandInput>]>([
    ['a day, of periods below an hour', { Period: 300, EvaluationPeriods: 288 }, { EvaluationPeriods: 289 }],
    ['a week, of longer ones', { Period: 86_400, EvaluationPeriods: 7 }, { EvaluationPeriods: 8 }],
    ['five actions', { OKActions: topics(5) }, { OKActions: topics(6) }],
    ['255 characters for its name', { AlarmName: 'x'.repeat(255) }, { AlarmName: 'x'.repeat(256) }],
  ])('has up to %s', async (_what, allowed, beyond) => {
    await putAlarm(allowed);

    await expect(putAlarm({ ...allowed, ...beyond })).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  it('is refused by name when it uses metric math', async () => {
    const command = new PutMetricAlarmCommand({
      AlarmName: 'math',
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      Metrics: [{ Id: 'e1', Expression: 'm1/m2' }],
    });

    await expect(client.send(command)).rejects.toMatchObject({ name: 'NotEmulated' });
  });

  it('can be set, listed by state, and deleted', async () => {
    await putAlarm();
    await client.send(new SetAlarmStateCommand({ AlarmName: 'too-many', StateValue: 'ALARM', StateReason: 'a drill' }));

    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
    expect(MetricAlarms).toMatchObject([{ AlarmName: 'too-many', StateReason: 'a drill' }]);
    await client.send(new DeleteAlarmsCommand({ AlarmNames: ['too-many'] }));
    expect(await alarm()).toEqual({});
  });
});

describe('the actions of an alarm', () => {
  async function topicWithQueue(): Promise<{ topic: string; queue: string }> {
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'operations' }));
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'pager' }));
    const queueArn = `arn:aws:sqs:us-east-1:${runtime.endpoints.accountId}:pager`;
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'sns.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: queueArn,
          Condition: { ArnEquals: { 'aws:SourceArn': TopicArn } },
        },
      ],
    });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn }));
    return { topic: TopicArn, queue: QueueUrl };
  }

  async function notices(QueueUrl: string): Promise<{ Subject: string; Message: string }[]> {
    await advance(0);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    return Messages.map(({ Body = '' }) => JSON.parse(Body));
  }

  it('tell a topic of each change, as AWS words it', async () => {
    const { topic, queue } = await topicWithQueue();
    await putAlarm({ AlarmActions: [topic], OKActions: [topic], AlarmDescription: 'eggs roll off' });

    await put(11);

    const [notice] = await notices(queue);
    expect(notice?.Subject).toBe('ALARM: "too-many" in US East (N. Virginia)');
    expect(JSON.parse(notice?.Message ?? '')).toMatchObject({
      AlarmName: 'too-many',
      AlarmDescription: 'eggs roll off',
      AWSAccountId: runtime.endpoints.accountId,
      NewStateValue: 'ALARM',
      OldStateValue: 'INSUFFICIENT_DATA',
      AlarmArn: expect.stringMatching(/:alarm:too-many$/),
      Trigger: {
        MetricName: 'Eggs',
        Namespace: 'Farm',
        StatisticType: 'Statistic',
        Statistic: 'SUM',
        Period: 60,
        Threshold: 10,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      },
    });
  });

  it('do not reach a topic that is encrypted with the key that services cannot use', async () => {
    const { topic, queue } = await topicWithQueue();
    const key = { TopicArn: topic, AttributeName: 'KmsMasterKeyId', AttributeValue: 'alias/aws/sns' };
    await sns.send(new SetTopicAttributesCommand(key));
    await putAlarm({ AlarmActions: [topic] });

    await put(11);

    expect(await notices(queue)).toEqual([]);
    expect(runtime.output()).toMatch(/cloudwatch\.amazonaws\.com is not authorized to perform: kms:GenerateDataKey/);
  });
});

describe('the metrics of a queue', () => {
  it('let an alarm see that a message lies in it, and that it is gone', async () => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }));
    await putAlarm({
      AlarmName: 'dead-letters',
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: 'dead' }],
      Statistic: 'Maximum',
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    });
    expect(await state('dead-letters')).toBe('OK');

    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    expect(await state('dead-letters')).toBe('ALARM');
    await advance(3600);
    expect(await state('dead-letters')).toBe('ALARM');

    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle }));
    await advance(120);
    expect(await state('dead-letters')).toBe('OK');
  });
});
