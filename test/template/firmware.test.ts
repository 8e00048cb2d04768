/** What the functions of firmware may do, as whole documents; above all that none may sign a release. */
import { flat, only, resources, type Synthesis, synthesize } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize();
});

const account = '<region>:<accountid>';
const table = `arn:<partition>:dynamodb:${account}:table`;
const bucket = 'arn:<partition>:s3:::thingstead-firmware-<accountid>-<region>';
const assignmentKey = '<thingstead-firmware-assignment-key-arn>';

function arnOf(type: string, prefix: string): string {
  return `<${only(synthesis.platform, type, prefix)[0]}.Arn>`;
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

/** The statements of a role's policy as `actions: resource`, with the condition when there is one. */
function statements(prefix: string): readonly string[] {
  const [, { Properties }] = only(synthesis.platform, 'AWS::IAM::Policy', prefix);
  const { Statement } = flat(Properties.PolicyDocument) as { Statement: readonly Statement[] };
  return Statement.map(({ Action, Resource, Condition }) => {
    const condition = Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`;
    return `${[Action].flat().join(' ')}: ${[Resource].flat().join(' ')}${condition}`;
  });
}

it('the function of the routes keeps releases and images', () => {
  expect(statements('FirmwareFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: ${arnOf('AWS::Logs::LogGroup', 'FirmwareFunction')}`,
    `dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${table}/thingstead-firmware`,
    `s3:GetObject s3:PutObject: ${bucket}/firmware/*`,
    `s3:ListBucket: ${bucket}`,
    `kms:GetPublicKey: ${assignmentKey}`,
    `iot:DescribeThingType: arn:<partition>:iot:${account}:thingtype/*`,
  ]);
});

it('the function that answers devices assigns releases, and reads versions of images', () => {
  const answers = ['accepted', 'rejected'].map(
    (each) => `arn:<partition>:iot:${account}:topic/device/*/firmware/*/v1/${each}`,
  );
  expect(statements('FirmwareDevicesFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: ${arnOf('AWS::Logs::LogGroup', 'FirmwareDevicesFunction')}`,
    `dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${table}/thingstead-firmware`,
    `dynamodb:GetItem dynamodb:UpdateItem: ${table}/thingstead-things`,
    `sqs:SendMessage: ${arnOf('AWS::SQS::Queue', 'FirmwareFailedQueue')} ${arnOf('AWS::SQS::Queue', 'RolloutsQueue')}`,
    `iot:UpdateThingShadow: arn:<partition>:iot:${account}:thing/*/firmware`,
    `s3:GetObjectVersion: ${bucket}/firmware/*`,
    `kms:GetPublicKey: ${assignmentKey}`,
    `kms:Sign: ${assignmentKey} if {"StringEquals":{"kms:MessageType":"DIGEST","kms:SigningAlgorithm":"ECDSA_SHA_256"}}`,
    `iot:DescribeThing iot:UpdateThing: arn:<partition>:iot:${account}:thing/*`,
    `iot:Publish: ${answers.join(' ')}`,
  ]);
});

it('its rule may call it and put aside what fails, and no other rule may call it', () => {
  expect(statements('FirmwareRuleRole')).toEqual([
    `sqs:SendMessage: ${arnOf('AWS::SQS::Queue', 'FirmwareErrorQueue')}`,
  ]);
  const permissions = resources(synthesis.platform, 'AWS::Lambda::Permission')
    .map(([, { Properties }]) => flat(Properties) as { FunctionName: string })
    .filter(({ FunctionName }) => FunctionName === arnOf('AWS::Lambda::Function', 'FirmwareDevicesFunction'));
  expect(permissions).toEqual([
    {
      Action: 'lambda:InvokeFunction',
      FunctionName: expect.any(String),
      Principal: 'iot.amazonaws.com',
      SourceAccount: '<accountid>',
      SourceArn: `arn:<partition>:iot:${account}:rule/thingstead_firmware`,
    },
  ]);
});

it('no role of the platform may sign with any other key, so that none can sign a release', () => {
  const signing = resources(synthesis.platform, 'AWS::IAM::Policy').flatMap(([id, { Properties }]) => {
    const { Statement } = flat(Properties.PolicyDocument) as { Statement: readonly Statement[] };
    const may = Statement.filter(({ Action }) => [Action].flat().some((each) => /^(\*|kms:(\*|Sign.*))$/.test(each)));
    return may.map(({ Resource }) => [id.replace(/[0-9A-F]{8}$/, ''), Resource]);
  });

  expect(signing).toEqual([['FirmwareDevicesFunctionRoleDefaultPolicy', assignmentKey]]);
});
