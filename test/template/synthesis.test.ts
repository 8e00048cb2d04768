/** Synthesis as a whole: no account, no findings, settings that are understood or refused by name. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { readPlatformConfig } from '../../lib/platform-config.ts';
import { newApp } from './new-app.ts';
import { flat, only, resources, synthesize, synthesizeHere } from './synthesis.ts';

const settings = {
  'with defaults': {},
  'with everything': {
    'thingstead:stage': 'test',
    'thingstead:operatorEmail': 'night@farm.example',
    'thingstead:budget': { monthlyUsd: 50, email: 'night@farm.example' },
    'thingstead:kinesis': { mode: 'ON_DEMAND' },
    'thingstead:manifest': 'required',
  },
  'without an archive': { 'thingstead:archive': { enabled: false } },
};

describe.each(Object.entries(settings))('%s', (_what, context) => {
  it('cdk-nag finds nothing that is not explained', () => {
    expect(() => newApp(context).app.synth()).not.toThrow();
  });

  it('no template names an account, a region or a partition', () => {
    const { state, platform } = synthesizeHere(context);

    for (const template of [state, platform]) {
      expect(JSON.stringify(template)).not.toMatch(/:\d{12}:|arn:aws:|us-east-1|eu-[a-z]+-\d/);
    }
  });
});

it('cdk-nag is there: a finding without an explanation stops synthesis', () => {
  const { app, platform } = newApp();
  new Queue(platform, 'Unexplained');

  expect(() => app.synth()).toThrow(/AwsSolutions-SQS4/);
});

it('every resource that can have tags has the stage', () => {
  const { platform } = synthesizeHere({ 'thingstead:stage': 'test' });
  const [, { Properties }] = only(platform, 'AWS::IAM::Role', 'RegistrationFunction');

  expect(Properties.Tags).toEqual([
    { Key: 'project', Value: 'thingstead' },
    { Key: 'stage', Value: 'test' },
  ]);
});

describe('the settings', () => {
  it('have a default each', () => {
    expect(readPlatformConfig({})).toEqual({
      stage: 'production',
      telemetryRetentionDays: 90,
      aggregatesRetentionDays: 400,
      maxBackfillDays: 31,
      logRetentionDays: 30,
      iotLogLevel: 'ERROR',
      kinesis: { mode: 'PROVISIONED', shards: 1 },
      archive: { enabled: true, bufferSeconds: 300 },
      manifest: 'open',
      billGuard: { messagesPerThingPerHour: 7200 },
      presence: { offlineDelaySeconds: 900, groupWindowSeconds: 60, recordIpAddress: false },
      notifications: { noticesPerPersonPerDay: 50 },
      push: {},
      certificates: { issuer: 'OPERATOR', validityDays: 365, noticeDays: 30 },
      firmware: { releaseKey: 'KMS' },
      files: { maxBytes: 2 ** 31, quotaBytesPerThing: 10 * 2 ** 30, retentionDays: 30 },
      thingTypes: {},
      access: {
        callbackUrls: ['http://localhost:8080/'],
        logoutUrls: ['http://localhost:8080/'],
        allowedOrigins: ['http://localhost:8080'],
        requestsPerSecond: 200,
        burst: 400,
      },
    });
  });

  it('are all in the documentation', () => {
    const page = readFileSync(path.resolve(__dirname, '../../docs/configuration.md'), 'utf8');
    const keys = [...Object.keys(readPlatformConfig({})), 'budget', 'operatorEmail'];

    expect(keys.filter((key) => !page.includes(`| \`thingstead:${key}\` |`))).toEqual([]);
  });

  it('are understood from the command line, where every value is text', () => {
    const context = {
      'thingstead:archive': '{"enabled":false}',
      'thingstead:telemetryRetentionDays': '7',
      'other:key': 'x',
    };

    expect(readPlatformConfig(context)).toMatchObject({ archive: { enabled: false }, telemetryRetentionDays: 7 });
  });

  it.each([
    [{ 'thingstead:archiv': true }, 'unknown key thingstead:archiv; there are thingstead:stage'],
    [{ 'thingstead:archive': { enable: false } }, 'unknown key thingstead:archive.enable'],
    [{ 'thingstead:thingTypes': { pump: { samplingSeconds: 0 } } }, 'thingstead:thingTypes.pump.samplingSeconds'],
    [{ 'thingstead:manifest': 'sometimes' }, 'thingstead:manifest'],
    [{ 'thingstead:telemetryRetentionDays': 0 }, 'thingstead:telemetryRetentionDays'],
    [{ 'thingstead:logRetentionDays': 31 }, 'thingstead:logRetentionDays'],
    [{ 'thingstead:operatorEmail': 'nobody' }, 'thingstead:operatorEmail'],
    [{ 'thingstead:push': { fcmArn: 'arn:aws:sns:eu-west-1:123456789012:app/APNS/farm' } }, 'thingstead:push.fcmArn'],
    [{ 'thingstead:notifications': { noticesPerPersonPerDay: 0 } }, 'thingstead:notifications.noticesPerPersonPerDay'],
    [{ 'thingstead:aggregatesRetentionDays': 31 }, 'aggregatesRetentionDays must be more than maxBackfillDays'],
  ])('%j are refused by name', (context, message) => {
    expect(() => readPlatformConfig(context)).toThrow(message);
  });

  it('reach the function', () => {
    const { platform } = synthesizeHere({
      'thingstead:manifest': 'required',
      'thingstead:billGuard': { messagesPerThingPerHour: 20 },
      'thingstead:thingTypes': { pump: { samplingSeconds: 5, expectedIntervalSeconds: 600, offlineDelaySeconds: 60 } },
    });
    const environment = (prefix: string) => {
      const [, { Properties }] = only(platform, 'AWS::Lambda::Function', prefix);
      return (flat(Properties.Environment) as { Variables: Record<string, string> }).Variables;
    };

    expect(environment('Registration')).toMatchObject({
      MANIFEST: 'required',
      REGISTRATION_TABLE: 'thingstead-registration',
    });
    const thingTypes = JSON.parse(environment('Onboarding').ONBOARDING_SETTINGS ?? '').thingTypes;
    expect(thingTypes).toEqual({ pump: { samplingSeconds: 5, expectedIntervalSeconds: 600 } });
    expect(environment('Telemetry')).toMatchObject({ EXPECTED_MESSAGES_PER_HOUR: '20', MAX_BACKFILL_DAYS: '31' });
  });

  it('switch the archive off with everything it costs', () => {
    const { platform } = synthesizeHere({ 'thingstead:archive': { enabled: false } });
    const types = ['AWS::KinesisFirehose::DeliveryStream', 'AWS::Glue::Table', 'AWS::Athena::WorkGroup'];

    expect(types.flatMap((type) => resources(platform, type))).toEqual([]);
    const [, { Properties }] = only(platform, 'AWS::IoT::TopicRule', 'Telemetry');
    expect(Properties.TopicRulePayload).toMatchObject({ Actions: [{ DynamoDBv2: {} }, { Kinesis: {} }] });
  });

  it('add a budget with two notices', () => {
    const { platform } = synthesizeHere({ 'thingstead:budget': { monthlyUsd: 50, email: 'night@farm.example' } });
    const [, { Properties }] = only(platform, 'AWS::Budgets::Budget', 'Monitoring');

    expect(Properties).toMatchObject({
      Budget: { BudgetLimit: { Amount: 50, Unit: 'USD' }, TimeUnit: 'MONTHLY', BudgetType: 'COST' },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: 'ACTUAL', Threshold: 100 } },
        { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } },
      ],
    });
    expect(resources(synthesize().platform, 'AWS::Budgets::Budget')).toEqual([]);
  });
});
