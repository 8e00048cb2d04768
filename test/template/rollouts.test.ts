/** What the functions of rollouts may do, as whole documents. */
import { flat, only, type Synthesis, synthesize } from './synthesis.ts';

let synthesis: Synthesis;

beforeAll(() => {
  synthesis = synthesize();
});

const account = '<region>:<accountid>';
const table = `arn:<partition>:dynamodb:${account}:table`;
const firmware = `${table}/thingstead-firmware`;
const things = `${table}/thingstead-things`;
const lists = ['by-connected', 'by-firmware', 'by-site', 'by-type'].map((index) => `${things}/index/${index}`);

function arnOf(type: string, prefix: string): string {
  return `<${only(synthesis.platform, type, prefix)[0]}.Arn>`;
}

/** The statements of a role's policy as `actions: resource`. */
function statements(prefix: string): readonly string[] {
  const [, { Properties }] = only(synthesis.platform, 'AWS::IAM::Policy', prefix);
  const { Statement } = flat(Properties.PolicyDocument) as { Statement: readonly Record<string, unknown>[] };
  return Statement.map(({ Effect, Action, Resource, ...others }) => {
    expect([Effect, others]).toEqual(['Allow', {}]);
    return `${[Action].flat().join(' ')}: ${[Resource].flat().join(' ')}`;
  });
}

it('the function of the routes keeps rollouts and reads things; it tells devices nothing', () => {
  expect(statements('RolloutsFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: ${arnOf('AWS::Logs::LogGroup', 'RolloutsFunction')}`,
    `dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query: ${firmware}`,
    `dynamodb:BatchGetItem: ${table}/thingstead-access ${things}`,
    `dynamodb:Query: ${lists.join(' ')}`,
    `sqs:SendMessage: ${arnOf('AWS::SQS::Queue', 'RolloutsQueue')}`,
  ]);
});

it('the function of ticks writes the shadow of firmware, and no other', () => {
  const queue = arnOf('AWS::SQS::Queue', 'RolloutsQueue');
  expect(statements('RolloutsTicksFunctionRole')).toEqual([
    `logs:CreateLogStream logs:PutLogEvents: ${arnOf('AWS::Logs::LogGroup', 'RolloutsTicksFunction')}`,
    `dynamodb:BatchGetItem dynamodb:ConditionCheckItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem: ${firmware}`,
    `dynamodb:Query: ${firmware}/index/by-due ${table}/thingstead-telemetry-aggregates ${lists.join(' ')}`,
    `dynamodb:BatchGetItem dynamodb:GetItem: ${things}`,
    `sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage: ${queue}`,
    `iot:UpdateThingShadow: arn:<partition>:iot:${account}:thing/*/firmware`,
  ]);
});
