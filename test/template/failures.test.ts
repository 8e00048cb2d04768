/** Nothing fails without a place to go and an alarm: rules, functions, streams and queues. */
import { CLAIM_LEASE_SECONDS } from '@thingstead/contracts/notifications';
import { flat, resources, type Synthesis, synthesize, WITH_VOICE } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize(WITH_VOICE);
});

/** What these tests read of the properties of any type. */
interface Properties {
  readonly RuleName: string;
  readonly FunctionName: string;
  readonly TopicRulePayload: { readonly Actions: readonly { readonly Lambda?: { readonly FunctionArn: string } }[] };
  readonly PolicyDocument: unknown;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string };
  readonly EventSourceArn: string;
  readonly Timeout: number;
  readonly VisibilityTimeout: number;
}

function platform(type: string): readonly (readonly [id: string, properties: Properties])[] {
  const found = resources(synthesis.platform, type);
  expect(found.length).toBeGreaterThan(0);
  return found.map(([id, { Properties }]) => [id, flat(Properties) as Properties] as const);
}

function alarms(): readonly Alarm[] {
  return resources(synthesis.platform, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => flat(Properties) as Alarm);
}

interface Alarm {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly string[];
  readonly TreatMissingData: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

function hasAlarm(MetricName: string, dimensions: Readonly<Record<string, string>>): boolean {
  return alarms().some(
    (alarm) =>
      alarm.MetricName === MetricName &&
      alarm.Dimensions.length === Object.keys(dimensions).length &&
      alarm.Dimensions.every(({ Name, Value }) => dimensions[Name] === Value),
  );
}

describe('every rule', () => {
  it('has an error action into a queue, SQL of 2016-03-23, and a role of its own for it', () => {
    for (const [id, { TopicRulePayload }] of platform('AWS::IoT::TopicRule')) {
      expect([id, TopicRulePayload]).toEqual([
        id,
        expect.objectContaining({
          AwsIotSqlVersion: '2016-03-23',
          ErrorAction: { Sqs: { QueueUrl: expect.any(String), RoleArn: expect.any(String), UseBase64: false } },
        }),
      ]);
    }
  });

  it('has alarms for what never reaches the error action', () => {
    for (const [, { RuleName }] of platform('AWS::IoT::TopicRule')) {
      expect(hasAlarm('ParseError', { RuleName })).toBe(true);
      expect(hasAlarm('RuleNotFound', { RuleName })).toBe(true);
      expect(hasAlarm('RuleMessageThrottled', { RuleName })).toBe(true);
      expect(hasAlarm('ErrorActionFailure', { RuleName, ActionType: 'SQS' })).toBe(true);
    }
  });
});

describe('every queue', () => {
  it('is encrypted, refuses plain HTTP, keeps messages for 14 days; has an alarm, or a dead-letter queue that has one', () => {
    const policies = platform('AWS::SQS::QueuePolicy').map(([, properties]) => properties);
    for (const [id, queue] of platform('AWS::SQS::Queue')) {
      expect(queue).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
      const deadLetters = /^<(.*)\.Arn>$/.exec(queue.RedrivePolicy?.deadLetterTargetArn ?? '')?.[1];
      const ends = deadLetters ?? id;
      expect(hasAlarm('ApproximateNumberOfMessagesVisible', { QueueName: `<${ends}.QueueName>` })).toBe(true);
      expect(policies).toContainEqual({
        Queues: [`<${id}>`],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: expect.arrayContaining([
            {
              Action: 'sqs:*',
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
              Effect: 'Deny',
              Principal: { AWS: '*' },
              Resource: `<${id}.Arn>`,
            },
          ]),
        },
      });
    }
  });
});

describe('every function', () => {
  it('has an alarm on its errors, a log group that ends, a time limit, and runs Node.js 24 on arm64', () => {
    const logGroups = platform('AWS::Logs::LogGroup').map(([, properties]) => properties);
    for (const [id, fn] of platform('AWS::Lambda::Function')) {
      expect(hasAlarm('Errors', { FunctionName: `<${id}>` })).toBe(true);
      expect(fn).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: expect.any(Number) });
      const LogGroupName = `/aws/lambda/${fn.FunctionName}`;
      expect(logGroups).toContainEqual(expect.objectContaining({ LogGroupName, RetentionInDays: 30 }));
    }
  });

  it('that a rule calls gives up after two more attempts, into a queue', () => {
    const called = platform('AWS::IoT::TopicRule').flatMap(([, { TopicRulePayload }]) =>
      TopicRulePayload.Actions.flatMap(({ Lambda }) => Lambda?.FunctionArn.replace(/^<(.*)\.Arn>$/, '<$1>') ?? []),
    );
    const configured = platform('AWS::Lambda::EventInvokeConfig').map(([, properties]) => properties);

    expect(called.length).toBeGreaterThan(0);
    for (const FunctionName of called) {
      expect(configured).toContainEqual({
        FunctionName,
        Qualifier: '$LATEST',
        MaximumRetryAttempts: 2,
        MaximumEventAgeInSeconds: 21_600,
        DestinationConfig: { OnFailure: { Destination: expect.stringMatching(/Queue.*\.Arn>$/) } },
      });
    }
  });

  it('that reads a stream tries a finite number of times, halves what fails, and ends in a queue', () => {
    const streams = platform('AWS::Lambda::EventSourceMapping').filter(([, source]) => isStream(source.EventSourceArn));
    expect(streams.length).toBeGreaterThan(0);
    for (const [, source] of streams) {
      expect(source).toMatchObject({
        MaximumRetryAttempts: 20,
        MaximumRecordAgeInSeconds: 21_600,
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        DestinationConfig: { OnFailure: { Destination: expect.stringMatching(/Queue.*\.Arn>$/) } },
      });
    }
  });
});

/** A queue's ARN is taken from the queue in the template, a stream's is a name or imported. */
function isStream(eventSourceArn: string): boolean {
  return eventSourceArn.includes(':kinesis:') || eventSourceArn.endsWith('-stream-arn>');
}

describe('every function that receives from a queue', () => {
  it('reports what failed, with a bound on what runs at a time; the queue waits six times its time limit and gives up', () => {
    const sources = platform('AWS::Lambda::EventSourceMapping').filter(
      ([, source]) => !isStream(source.EventSourceArn),
    );
    const queues = new Map(platform('AWS::SQS::Queue'));
    const functions = new Map(platform('AWS::Lambda::Function'));

    expect(sources.length).toBeGreaterThan(0);
    for (const [, source] of sources) {
      const queue = queues.get(/^<(.*)\.Arn>$/.exec(source.EventSourceArn)?.[1] ?? '');
      const fn = functions.get(source.FunctionName.replace(/^<(.*)>$/, '$1'));
      expect(source).toMatchObject({
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: expect.any(Number) },
      });
      expect(queue?.RedrivePolicy).toMatchObject({ maxReceiveCount: 5 });
      expect(queue?.VisibilityTimeout).toBeGreaterThanOrEqual(6 * (fn?.Timeout ?? Number.NaN));
    }
  });
});

it('a claim on a delivery outlives the function that holds it, and is over when its message comes again', () => {
  const [, fn] = platform('AWS::Lambda::Function').find(([id]) => id.startsWith('NotificationsFunction')) ?? [];
  const [, queue] = platform('AWS::SQS::Queue').find(([id]) => id.startsWith('NotificationsQueue')) ?? [];

  expect(CLAIM_LEASE_SECONDS).toBeGreaterThan(fn?.Timeout ?? Number.NaN);
  expect(CLAIM_LEASE_SECONDS).toBeLessThan(queue?.VisibilityTimeout ?? Number.NaN);
});

describe('every alarm', () => {
  it('reports to the operations topic, says what it means, and is quiet when there is no data', () => {
    for (const { AlarmName, AlarmDescription, AlarmActions, TreatMissingData } of alarms()) {
      expect([AlarmName, AlarmActions]).toEqual([AlarmName, [expect.stringContaining('OperationsTopic')]]);
      expect(AlarmDescription.length).toBeGreaterThan(60);
      expect(TreatMissingData).toBe('notBreaching');
    }
  });

  it('that is raised by a function of ours is about a metric that it writes', () => {
    const own = alarms().filter(({ Namespace }) => Namespace === 'Thingstead');

    expect(own.map(({ MetricName, Dimensions }) => [MetricName, Dimensions])).toEqual([
      ['PeopleOverPolicyLimit', [{ Name: 'service', Value: 'identity-policies' }]],
      ['CertificatesHeld', [{ Name: 'service', Value: 'registration' }]],
      ['CertificateRenewalsRefused', [{ Name: 'service', Value: 'certificate-renewals' }]],
      ['CertificateRenewalsPending', [{ Name: 'service', Value: 'certificate-renewals' }]],
      ['CertificatesExpiring', [{ Name: 'service', Value: 'certificate-expiries' }]],
      ['DescriptionsRejected', [{ Name: 'service', Value: 'onboarding' }]],
      ['ThingsOverExpectedRate', [{ Name: 'service', Value: 'telemetry' }]],
      ['NoticesOverLimit', [{ Name: 'service', Value: 'notifications' }]],
      ['CommandOutcomesRefused', [{ Name: 'service', Value: 'command-deliveries' }]],
      ['FileRequestsRefused', [{ Name: 'service', Value: 'file-transfers' }]],
      ['FilesOrphaned', [{ Name: 'service', Value: 'file-transfers' }]],
      ['RolloutsStopped', [{ Name: 'service', Value: 'rollout-ticks' }]],
      ['FirmwareMessagesRefused', [{ Name: 'service', Value: 'firmware-devices' }]],
      ['DirectivesFailed', [{ Name: 'service', Value: 'voice' }]],
    ]);
  });
});

describe('the operations topic', () => {
  it('takes messages from the alarms of this account, and over TLS only', () => {
    const [policy] = platform('AWS::SNS::TopicPolicy');
    const topic = expect.stringContaining('OperationsTopic');

    expect(policy?.[1].PolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'AllowPublishThroughSSLOnly',
          Action: 'sns:Publish',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          Effect: 'Deny',
          Principal: '*',
          Resource: topic,
        },
        {
          Sid: 'AlarmsOfThisAccount',
          Action: 'sns:Publish',
          Condition: {
            StringEquals: { 'aws:SourceAccount': '<accountid>' },
            ArnLike: { 'aws:SourceArn': 'arn:<partition>:cloudwatch:<region>:<accountid>:alarm:*' },
          },
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Resource: topic,
        },
      ],
    });
  });

  it('mails to the operator when there is one', () => {
    const { platform: template } = synthesize({ 'thingstead:operatorEmail': 'night@farm.example' });

    expect(resources(synthesis.platform, 'AWS::SNS::Subscription')).toEqual([]);
    expect(resources(template, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties)).toMatchObject([
      { Protocol: 'email', Endpoint: 'night@farm.example' },
    ]);
  });
});
