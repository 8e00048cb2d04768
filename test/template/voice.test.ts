/** Voice in the templates: nothing without a skill; with one, exactly these permissions, callers and settings. */

import { readPlatformConfig } from '../../lib/platform-config.ts';
import { newApp } from './new-app.ts';
import { flat, only, resources, type Synthesis, synthesize, synthesizeHere, WITH_VOICE } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize(WITH_VOICE);
});

const account = '<region>:<accountid>';
const table = `arn:<partition>:dynamodb:${account}:table`;
const skill = WITH_VOICE['thingstead:voice'];

function properties(template: Synthesis['state'], type: string, prefix: string): Record<string, unknown> {
  return flat(only(template, type, prefix)[1].Properties) as Record<string, unknown>;
}

/** The statements of a role's policy as `actions: resource`. */
function statements(prefix: string): readonly string[] {
  const { Statement } = properties(synthesis.platform, 'AWS::IAM::Policy', prefix).PolicyDocument as {
    Statement: Record<string, unknown>[];
  };
  return Statement.map(({ Effect, Action, Resource, ...others }) => {
    expect([Effect, others]).toEqual(['Allow', {}]);
    return `${[Action].flat().join(' ')}: ${[Resource].flat().join(' ')}`;
  });
}

function arnOf(type: string, prefix: string): string {
  return `<${only(synthesis.platform, type, prefix)[0]}.Arn>`;
}

it('is not there without a skill, but for the table', () => {
  const { state, platform } = synthesize();

  const ids = [state, platform].flatMap((template) => {
    const { Resources = {}, Outputs = {} } = template;
    return [...Object.keys(Resources), ...Object.keys(Outputs)];
  });
  expect(ids.filter((id) => /voice|alexa/i.test(id))).toEqual(['VoiceTable', 'VoiceTableName']);
});

it('has no finding of cdk-nag that is not explained', () => {
  expect(() => newApp(WITH_VOICE).app.synth()).not.toThrow();
});

it.each([
  [{ skillId: 'mine' }, /skillId: is no id of a skill/],
  [{ redirectUrls: ['http://pitangui.amazon.com/'] }, /redirectUrls/],
  [{ clientSecretArn: 'secret' }, /clientSecretArn: is no ARN of a secret/],
  [{ lwaTokenUrl: 'http://api.amazon.com/auth/o2/token' }, /lwaTokenUrl: must begin with https/],
  [{ eventGatewayUrl: 'http://api.amazonalexa.com/v3/events' }, /eventGatewayUrl: must begin with https/],
  [{ clientSecret: 'in the open' }, /unknown key thingstead:voice.clientSecret/],
])('refuses %j', (wrong, message) => {
  expect(() => readPlatformConfig({ 'thingstead:voice': { ...skill, ...wrong } })).toThrow(message);
});

it('may be invoked by Alexa for this skill, and by nobody else', () => {
  const permissions = resources(synthesis.platform, 'AWS::Lambda::Permission')
    .map(([, each]) => flat(each.Properties) as { FunctionName: string })
    .filter(({ FunctionName }) => FunctionName.startsWith('<Voice'));

  expect(permissions).toEqual([
    {
      Action: 'lambda:InvokeFunction',
      EventSourceToken: skill.skillId,
      FunctionName: arnOf('AWS::Lambda::Function', 'VoiceFunction'),
      Principal: 'alexa-connectedhome.amazon.com',
    },
  ]);
});

it('has these permissions for what Alexa asks', () => {
  expect(statements('VoiceFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: ${arnOf('AWS::Logs::LogGroup', 'VoiceFunction')}`,
    `dynamodb:BatchGetItem dynamodb:Query: ${table}/thingstead-access`,
    `dynamodb:BatchGetItem dynamodb:GetItem: ${table}/thingstead-things`,
    `dynamodb:Query: ${table}/thingstead-things/index/by-site`,
    `dynamodb:GetItem: ${table}/thingstead-telemetry-aggregates`,
    `dynamodb:PutItem: ${table}/thingstead-voice`,
    'kms:Encrypt: <thingstead-voice-key-arn>',
    `secretsmanager:GetSecretValue: ${skill.clientSecretArn}`,
    `iot:GetThingShadow iot:UpdateThingShadow: arn:<partition>:iot:${account}:thing/*`,
  ]);
});

it('has these permissions for what Alexa is told', () => {
  const stream = '<thingstead-access-table-stream-arn>';
  const queue = (prefix: string) => arnOf('AWS::SQS::Queue', prefix);
  expect(statements('VoiceReportsFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: ${arnOf('AWS::Logs::LogGroup', 'VoiceReportsFunction')}`,
    `dynamodb:BatchGetItem: ${table}/thingstead-access`,
    `dynamodb:Query: ${table}/thingstead-access/index/by-target ${table}/thingstead-things/index/by-site`,
    `dynamodb:BatchGetItem dynamodb:GetItem: ${table}/thingstead-things`,
    `dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${table}/thingstead-voice`,
    'kms:Decrypt kms:Encrypt: <thingstead-voice-key-arn>',
    `secretsmanager:GetSecretValue: ${skill.clientSecretArn}`,
    `sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage: ${queue('VoiceReportsQueue')}`,
    `dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator: ${stream}`,
    'dynamodb:ListStreams: *',
    `sqs:SendMessage: ${queue('VoiceReportsFailedQueue')}`,
  ]);
  expect(statements('VoiceRuleRole')).toEqual([
    `sqs:SendMessage: ${queue('VoiceErrorQueue')} ${queue('VoiceReportsQueue')}`,
  ]);
});

it('has a client of the user pool with a secret and the code flow alone', () => {
  expect(properties(synthesis.state, 'AWS::Cognito::UserPoolClient', 'AlexaClient')).toMatchObject({
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid'],
    CallbackURLs: skill.redirectUrls,
    ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
    GenerateSecret: true,
  });
});

it('keeps the key of the tokens when the stack is deleted, and lets it turn', () => {
  const [, key] = only(synthesis.state, 'AWS::KMS::Key', 'VoiceKey');

  expect(key).toMatchObject({ DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
});

it.each([
  [{}, 'https://api.amazonalexa.com/v3/events'],
  [{ gateway: 'EU' }, 'https://api.eu.amazonalexa.com/v3/events'],
  [{ gateway: 'FE' }, 'https://api.fe.amazonalexa.com/v3/events'],
])('tells the gateway of the region: %j', (given, EVENT_GATEWAY_URL) => {
  const { platform } = synthesizeHere({ 'thingstead:voice': { ...skill, ...given } });
  const { Environment } = properties(platform, 'AWS::Lambda::Function', 'VoiceReportsFunction');

  expect(Environment).toMatchObject({
    Variables: { EVENT_GATEWAY_URL, LWA_TOKEN_URL: 'https://api.amazon.com/auth/o2/token' },
  });
});
