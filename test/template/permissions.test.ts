/** Every permission in the platform, as whole documents: one that is added or widened fails here. */
import { flat, only, resources, type Synthesis, synthesize } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize();
});

/** The statements of a role's policy as `actions: resource`. */
function statements(prefix: string, platform = synthesis.platform): readonly string[] {
  const [, { Properties }] = only(platform, 'AWS::IAM::Policy', prefix);
  const { Statement } = flat(Properties.PolicyDocument) as { Statement: Record<string, unknown>[] };
  return Statement.map(({ Effect, Action, Resource, ...others }) => {
    expect([Effect, others]).toEqual(['Allow', {}]);
    return `${[Action].flat().join(' ')}: ${[Resource].flat().join(' ')}`;
  });
}

function id(type: string, prefix: string): string {
  return only(synthesis.platform, type, prefix)[0];
}

const account = '<region>:<accountid>';

/** The permissions that let others call a capability's functions. */
function callersOf(capability: string): readonly unknown[] {
  const permissions = resources(synthesis.platform, 'AWS::Lambda::Permission');
  return permissions
    .map(([, { Properties }]) => flat(Properties) as { readonly FunctionName: string })
    .filter(({ FunctionName }) => FunctionName.startsWith(`<${capability}`));
}

function mayBeCalledBy(capability: string, rule: string): unknown {
  return {
    Action: 'lambda:InvokeFunction',
    FunctionName: `<${id('AWS::Lambda::Function', capability)}.Arn>`,
    Principal: 'iot.amazonaws.com',
    SourceAccount: '<accountid>',
    SourceArn: `arn:<partition>:iot:${account}:rule/${rule}`,
  };
}

describe('the registration', () => {
  it('function', () => {
    expect(statements('RegistrationFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'Registration')}.Arn>`,
      `dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem: arn:<partition>:dynamodb:${account}:table/thingstead-registration`,
      `iot:AttachPolicy iot:AttachThingPrincipal iot:DescribeCertificate iot:UpdateCertificate: arn:<partition>:iot:${account}:cert/*`,
      `iot:CreateThing iot:DescribeThing iot:ListThingPrincipals iot:UpdateThing: arn:<partition>:iot:${account}:thing/*`,
      `iot:DescribeCACertificate: arn:<partition>:iot:${account}:cacert/*`,
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'RegistrationFailedQueue')}.Arn>`,
    ]);
  });

  it('rule may send to its error queue and call the function, no other rule may', () => {
    expect(statements('RegistrationRuleRole')).toEqual([
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'RegistrationErrorQueue')}.Arn>`,
    ]);
    expect(callersOf('Registration')).toEqual([mayBeCalledBy('Registration', 'thingstead_registration')]);
  });
});

describe('the onboarding', () => {
  it('function', () => {
    const answer = (verdict: string): string => `arn:<partition>:iot:${account}:topic/device/*/register/v1/${verdict}`;
    expect(statements('OnboardingFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'Onboarding')}.Arn>`,
      `dynamodb:GetItem dynamodb:UpdateItem: arn:<partition>:dynamodb:${account}:table/thingstead-things`,
      `iot:DescribeThing iot:GetThingShadow iot:UpdateThing iot:UpdateThingShadow: arn:<partition>:iot:${account}:thing/*`,
      `iot:Publish: ${answer('accepted')} ${answer('rejected')}`,
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'OnboardingFailedQueue')}.Arn>`,
    ]);
  });

  it('rule may send to its error queue and call the function, no other rule may', () => {
    expect(statements('OnboardingRuleRole')).toEqual([
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'OnboardingErrorQueue')}.Arn>`,
    ]);
    expect(callersOf('Onboarding')).toEqual([mayBeCalledBy('Onboarding', 'thingstead_onboarding')]);
  });
});

describe('the telemetry', () => {
  it('function', () => {
    expect(statements('TelemetryFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'Telemetry')}.Arn>`,
      `dynamodb:GetItem dynamodb:PutItem: arn:<partition>:dynamodb:${account}:table/thingstead-telemetry-aggregates`,
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'TelemetryFailedQueue')}.Arn> <${id('AWS::SQS::Queue', 'TelemetryQuarantineQueue')}.Arn>`,
      `kinesis:DescribeStream kinesis:DescribeStreamSummary kinesis:GetRecords kinesis:GetShardIterator kinesis:ListShards: arn:<partition>:kinesis:${account}:stream/thingstead-telemetry`,
    ]);
  });

  it('rule', () => {
    expect(statements('TelemetryRuleRole')).toEqual([
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'TelemetryErrorQueue')}.Arn>`,
      `dynamodb:PutItem: arn:<partition>:dynamodb:${account}:table/thingstead-telemetry-history`,
      `kinesis:PutRecord: arn:<partition>:kinesis:${account}:stream/thingstead-telemetry`,
      `firehose:PutRecord: arn:<partition>:firehose:${account}:deliverystream/thingstead-telemetry-archive`,
    ]);
  });

  it('archive', () => {
    const bucket = 'arn:<partition>:s3:::thingstead-archive-<accountid>-<region>';
    expect(statements('TelemetryArchiveRole')).toEqual([
      `s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads: ${bucket}`,
      `s3:AbortMultipartUpload s3:GetObject s3:PutObject: ${bucket}/telemetry-undelivered/* ${bucket}/telemetry/*`,
    ]);
  });
});

describe('the presence', () => {
  const table = `arn:<partition>:dynamodb:${account}:table`;
  const queue = (prefix: string): string => `<${id('AWS::SQS::Queue', prefix)}.Arn>`;

  it('function', () => {
    const receive = 'sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage';
    expect(statements('PresenceFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'Presence')}.Arn>`,
      `dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem: ${table}/thingstead-things`,
      `dynamodb:Query: ${table}/thingstead-telemetry-aggregates ${table}/thingstead-things/index/by-due ${table}/thingstead-things/index/by-notice`,
      `sqs:SendMessage: ${queue('NotificationsQueue')} ${queue('PresenceChecksQueue')}`,
      `iot:GetConnection: arn:<partition>:iot:${account}:client/*`,
      `iot:GetThingShadow iot:UpdateThingShadow: arn:<partition>:iot:${account}:thing/*`,
      `${receive}: ${queue('PresenceChecksQueue')} ${queue('PresenceQueue')}`,
    ]);
  });

  it.each(['LifeCycle', 'Shadow', 'WillRejected'])('rule %s may send to its queues', (rule) => {
    expect(statements(`Presence${rule}RuleRole`)).toEqual([
      `sqs:SendMessage: ${queue('PresenceErrorQueue')} ${queue('PresenceQueue')}`,
    ]);
  });

  it('rule of the last wills may read shadows and ask for their update', () => {
    expect(statements('PresenceLastWillRuleRole')).toEqual([
      `sqs:SendMessage: ${queue('PresenceErrorQueue')}`,
      `iot:Publish: arn:<partition>:iot:${account}:topic/$aws/things/*/shadow/update`,
      `iot:GetThingShadow: arn:<partition>:iot:${account}:thing/*`,
    ]);
  });
});

describe('the notifications', () => {
  const onRows = 'dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem';
  const table = `arn:<partition>:dynamodb:${account}:table`;
  const topics = `arn:<partition>:sns:${account}:thingstead-person-*`;
  const onTopics = 'sns:CreateTopic sns:DeleteTopic sns:ListSubscriptionsByTopic sns:Subscribe sns:Unsubscribe';

  it('function that delivers', () => {
    expect(statements('NotificationsFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'NotificationsFunction')}.Arn>`,
      `${onRows}: ${table}/thingstead-notifications`,
      `sns:Publish: ${topics}`,
      `sqs:SendMessage: <${id('AWS::SQS::Queue', 'NotificationsFailedQueue')}.Arn>`,
      `sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage: <${id('AWS::SQS::Queue', 'NotificationsQueue')}.Arn>`,
    ]);
  });

  it('function that keeps channels may not publish; it reaches telephones only where push is configured', () => {
    expect(statements('NotificationsChannelsFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'NotificationsChannels')}.Arn>`,
      `${onRows}: ${table}/thingstead-notifications`,
      `dynamodb:UpdateItem: ${table}/thingstead-things`,
      `${onTopics}: ${topics}`,
    ]);
    const fcmArn = 'arn:aws:sns:eu-west-1:123456789012:app/GCM/farm';
    const { platform } = synthesize({ 'thingstead:push': { fcmArn } });
    expect(statements('NotificationsChannelsFunctionRole', platform).slice(4)).toEqual([
      `sns:CreatePlatformEndpoint: ${fcmArn}`,
      'sns:DeleteEndpoint sns:GetEndpointAttributes sns:SetEndpointAttributes: arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/farm/*',
    ]);
  });
});

it('the function of the routes about things reads lists, grants and readings, and writes labels and shadows', () => {
  const table = (name: string): string => `arn:<partition>:dynamodb:${account}:table/thingstead-${name}`;
  const indexes = ['connected', 'firmware', 'name', 'site', 'type'];
  const queried = [
    ...[table('telemetry-aggregates'), table('telemetry-history')],
    ...indexes.map((index) => `${table('things')}/index/by-${index}`),
  ];
  expect(statements('ThingsFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'ThingsFunction')}.Arn>`,
    `dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem: ${table('things')}`,
    `dynamodb:Query: ${queried.join(' ')}`,
    `dynamodb:BatchGetItem dynamodb:Query: ${table('access')}`,
    `iot:GetThingShadow iot:UpdateThingShadow: arn:<partition>:iot:${account}:thing/*`,
  ]);
});

describe('the commands', () => {
  const table = (name: string): string => `arn:<partition>:dynamodb:${account}:table/thingstead-${name}`;
  const queue = (prefix: string): string => `<${id('AWS::SQS::Queue', prefix)}.Arn>`;
  const publish = `iot:Publish: arn:<partition>:iot:${account}:topic/device/*/command/*/v1`;

  it('function that answers routes', () => {
    expect(statements('CommandsFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'CommandsFunction')}.Arn>`,
      `dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${table('commands')}`,
      `dynamodb:BatchGetItem: ${table('access')}`,
      `dynamodb:GetItem: ${table('things')}`,
      `sqs:SendMessage: ${queue('CommandsQueue')}`,
      publish,
    ]);
  });

  it('function that delivers may make no command', () => {
    expect(statements('CommandsDeliveriesFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'CommandsDeliveries')}.Arn>`,
      `dynamodb:GetItem dynamodb:UpdateItem: ${table('commands')}`,
      `dynamodb:Query: ${table('commands')}/index/by-waiting`,
      `dynamodb:BatchGetItem: ${table('access')}`,
      `dynamodb:GetItem: ${table('things')}`,
      `sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage: ${queue('CommandsQueue')}`,
      publish,
      `sqs:SendMessage: ${queue('CommandsFailedQueue')}`,
    ]);
  });

  it('rule may send to its error queue and call the function that delivers, no other rule may', () => {
    expect(statements('CommandsOutcomeRuleRole')).toEqual([`sqs:SendMessage: ${queue('CommandsErrorQueue')}`]);
    expect(callersOf('CommandsDeliveries')).toEqual([
      mayBeCalledBy('CommandsDeliveries', 'thingstead_command_outcomes'),
    ]);
  });
});

describe('the access', () => {
  const table = `arn:<partition>:dynamodb:${account}:table/thingstead-access`;
  const queue = (prefix: string): string => `<${id('AWS::SQS::Queue', prefix)}.Arn>`;
  const channels = `arn:<partition>:lambda:${account}:function:thingstead-channels`;

  it('function of the routes about oneself deletes accounts; it publishes and attaches nothing', () => {
    expect(statements('AccessFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'AccessFunction')}.Arn>`,
      `dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${table}`,
      `dynamodb:DeleteItem dynamodb:GetItem: arn:<partition>:dynamodb:${account}:table/thingstead-voice`,
      `cognito-idp:AdminDeleteUser cognito-idp:AdminGetUser: arn:<partition>:cognito-idp:${account}:userpool/<thingstead-user-pool-id>`,
      'cognito-identity:DeleteIdentities: *',
      `lambda:InvokeFunction: ${channels}`,
    ]);
  });

  it('function of policies makes policies of people and no others, and gives no access itself', () => {
    expect(statements('AccessIdentityPoliciesFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'AccessIdentityPolicies')}.Arn>`,
      `dynamodb:DeleteItem dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem: ${table}`,
      `lambda:InvokeFunction: ${channels}`,
      `sqs:SendMessage: ${queue('AccessEndingsQueue')} ${queue('AccessIdentityPoliciesFailedQueue')}`,
      `iot:CreatePolicy iot:CreatePolicyVersion iot:DeletePolicy iot:DeletePolicyVersion iot:GetPolicy iot:ListPolicyVersions: arn:<partition>:iot:${account}:policy/thingstead-person-*`,
      // AWS has no narrower resource for these: the id of an identity is no ARN.
      'dynamodb:ListStreams iot:AttachPolicy iot:DetachPolicy iot:ListAttachedPolicies: *',
      `iot:DeleteConnection: arn:<partition>:iot:${account}:client/<region>:*`,
      'dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator: <thingstead-access-table-stream-arn>',
    ]);
  });

  it('function that ends grants may do nothing else to the table', () => {
    expect(statements('AccessExpiringGrantsFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'AccessExpiringGrants')}.Arn>`,
      `dynamodb:DeleteItem dynamodb:GetItem: ${table}`,
      `sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage: ${queue('AccessEndingsQueue')}`,
    ]);
  });

  it('rule writes connections into the table', () => {
    expect(statements('AccessSessionsRuleRole')).toEqual([
      `sqs:SendMessage: ${queue('AccessSessionsErrorQueue')}`,
      `dynamodb:PutItem: ${table}`,
    ]);
  });
});

describe('the pairing', () => {
  const table = (name: string): string => `arn:<partition>:dynamodb:${account}:table/thingstead-${name}`;
  const queue = (prefix: string): string => `<${id('AWS::SQS::Queue', prefix)}.Arn>`;
  const iot = (resource: string): string => `arn:<partition>:iot:${account}:${resource}`;

  it('function that gives codes gives no access', () => {
    expect(statements('PairingCodesFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'PairingCodes')}.Arn>`,
      `dynamodb:GetItem dynamodb:PutItem: ${table('access')}`,
      `iot:DescribeThing: ${iot('thing/*')}`,
      `iot:Publish: ${iot('topic/device/*/pairing/v1/accepted')} ${iot('topic/device/*/pairing/v1/rejected')}`,
      `sqs:SendMessage: ${queue('PairingCodesFailedQueue')}`,
    ]);
  });

  it('function that answers routes', () => {
    const onRows = ['BatchGet', 'ConditionCheck', 'Delete', 'Get', 'Put'].map((name) => `dynamodb:${name}Item`);
    expect(statements('PairingFunctionRole')).toEqual([
      `logs:CreateLogStream logs:PutLogEvents: <${id('AWS::Logs::LogGroup', 'PairingFunction')}.Arn>`,
      `${onRows.join(' ')} dynamodb:Query dynamodb:UpdateItem: ${table('access')}`,
      `dynamodb:GetItem dynamodb:PutItem: ${table('registration')}`,
      `iot:ListThingPrincipals: ${iot('thing/*')}`,
      `iot:UpdateCertificate: ${iot('cert/*')}`,
      `iot:DeleteConnection: ${iot('client/*')}`,
      `cognito-idp:AdminGetUser: arn:<partition>:cognito-idp:${account}:userpool/<thingstead-user-pool-id>`,
    ]);
  });

  it('rule may send to its error queue and call the function that gives codes, no other rule may', () => {
    expect(statements('PairingCodesRuleRole')).toEqual([`sqs:SendMessage: ${queue('PairingCodesErrorQueue')}`]);
    expect(callersOf('PairingCodes')).toEqual([mayBeCalledBy('PairingCodes', 'thingstead_pairing_codes')]);
  });
});

describe('the log of AWS IoT', () => {
  it('may be written by AWS IoT, and nothing else', () => {
    expect(statements('MonitoringIotLogsRole')).toEqual([
      `logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents logs:PutMetricFilter logs:PutRetentionPolicy: arn:<partition>:logs:${account}:log-group:AWSIotLogsV2:*`,
    ]);
  });

  it('is left alone where the account has its setting from elsewhere', () => {
    const { platform } = synthesize({ 'thingstead:iotLogLevel': 'UNCHANGED' });

    expect(resources(synthesis.platform, 'AWS::IoT::Logging')).toHaveLength(1);
    expect(resources(platform, 'AWS::IoT::Logging')).toEqual([]);
  });
});

/** Capabilities whose permissions stand in test files of their own. */
const ELSEWHERE = /^(RestApi.*ApiScopedThingsteadPlatform)?(CertificateRenewals|Files|Firmware|Rollouts)/;

function here(type: string): ReturnType<typeof resources> {
  return resources(synthesis.platform, type).filter(([name]) => !ELSEWHERE.test(name));
}

describe('every role', () => {
  it('is for one service; where the service acts for others, for one rule or stream of this account', () => {
    const trusts = here('AWS::IAM::Role').map(([name, { Properties }]) => {
      const { Statement } = flat(Properties.AssumeRolePolicyDocument) as { Statement: unknown[] };
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(Properties.Policies).toBeUndefined();
      return [name.replace(/Role[0-9A-F]{8}$/, ''), Statement];
    });
    const trust = (Service: string, SourceArn?: string) => [
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { Service },
        ...(SourceArn && {
          Condition: { StringEquals: { 'aws:SourceAccount': '<accountid>' }, ArnLike: { 'aws:SourceArn': SourceArn } },
        }),
      },
    ];

    const ruleArn = (rule: string): string => `arn:<partition>:iot:${account}:rule/thingstead_${rule}`;

    expect(Object.fromEntries(trusts)).toEqual({
      AccessExpiringGrantsFunction: trust('lambda.amazonaws.com'),
      AccessFunction: trust('lambda.amazonaws.com'),
      AccessIdentityPoliciesFunction: trust('lambda.amazonaws.com'),
      AccessSessionsRule: trust('iot.amazonaws.com', ruleArn('sessions')),
      CommandsDeliveriesFunction: trust('lambda.amazonaws.com'),
      CommandsFunction: trust('lambda.amazonaws.com'),
      CommandsOutcomeRule: trust('iot.amazonaws.com', ruleArn('command_outcomes')),
      PairingCodesFunction: trust('lambda.amazonaws.com'),
      PairingCodesRule: trust('iot.amazonaws.com', ruleArn('pairing_codes')),
      PairingFunction: trust('lambda.amazonaws.com'),
      ThingsFunction: trust('lambda.amazonaws.com'),
      MonitoringIotLogs: [
        {
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:SourceAccount': '<accountid>' } },
          Effect: 'Allow',
          Principal: { Service: 'iot.amazonaws.com' },
        },
      ],
      OnboardingFunction: trust('lambda.amazonaws.com'),
      OnboardingRule: trust('iot.amazonaws.com', ruleArn('onboarding')),
      NotificationsChannelsFunction: trust('lambda.amazonaws.com'),
      NotificationsFunction: trust('lambda.amazonaws.com'),
      PresenceFunction: trust('lambda.amazonaws.com'),
      PresenceLastWillRule: trust('iot.amazonaws.com', ruleArn('presence_last_will')),
      PresenceLifeCycleRule: trust('iot.amazonaws.com', ruleArn('presence_life_cycle')),
      PresenceShadowRule: trust('iot.amazonaws.com', ruleArn('presence_shadow')),
      PresenceWillRejectedRule: trust('iot.amazonaws.com', ruleArn('presence_will_rejected')),
      RegistrationFunction: trust('lambda.amazonaws.com'),
      RegistrationRule: trust('iot.amazonaws.com', ruleArn('registration')),
      TelemetryArchive: trust(
        'firehose.amazonaws.com',
        `arn:<partition>:firehose:${account}:deliverystream/thingstead-telemetry-archive`,
      ),
      TelemetryFunction: trust('lambda.amazonaws.com'),
      TelemetryRule: trust('iot.amazonaws.com', ruleArn('telemetry')),
    });
  });

  it('has its policies in this file', () => {
    expect(here('AWS::IAM::Policy')).toHaveLength(26);
    expect(here('AWS::Lambda::Permission')).toHaveLength(8);
    expect(resources(synthesis.platform, 'AWS::IAM::ManagedPolicy')).toEqual([]);
  });
});
