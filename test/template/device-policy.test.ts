/** The policy of all devices: what it says, and that AWS IoT takes it in every region. */
import { DEVICE_POLICY_NAME, TELEMETRY_RULE_NAME } from '@thingstead/contracts/names';
import { sensorBasicIngestTopic, sensorTopic } from '@thingstead/contracts/topics';
import { flat, only, synthesize } from './synthesis.ts';

/** Quota "Policy document size" of AWS IoT Core, in characters without white space. */
const MAX_SIZE = 2048;
const THING = `\${iot:Connection.Thing.ThingName}`;
const COMMON_NAME = `\${iot:Certificate.Subject.CommonName}`;

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

let document: string;
let statements: readonly Statement[];

beforeAll(() => {
  const [, { Properties }] = only(synthesize().state, 'AWS::IoT::Policy', 'DevicePolicy');
  expect(Properties.PolicyName).toBe(DEVICE_POLICY_NAME);
  const policy = flat(Properties.PolicyDocument) as { Statement: Statement[] };
  document = JSON.stringify(policy);
  statements = policy.Statement;
});

/** The resources on which an action is allowed, without the part that is the same in all. */
function allowed(action: string): readonly string[] {
  const prefix = 'arn:<partition>:iot:<region>:<accountid>:';
  return statements
    .filter(({ Action }) => [Action].flat().includes(action))
    .flatMap(({ Resource }) => Resource)
    .map((resource) => {
      expect(resource.startsWith(prefix)).toBe(true);
      return resource.slice(prefix.length);
    });
}

describe('the device policy', () => {
  it.each([
    ['aws', 'us-east-1'],
    ['aws', 'ap-northeast-1'],
    ['aws-cn', 'cn-northwest-1'],
  ])('is small enough in %s, %s', (partition, region) => {
    const inRegion = document
      .replaceAll('<partition>', partition)
      .replaceAll('<region>', region)
      .replaceAll('<accountid>', '123456789012');

    expect(inRegion).not.toContain('<');
    expect(inRegion.replace(/\s/g, '').length).toBeLessThanOrEqual(MAX_SIZE);
  });

  it('only allows, and lets a device connect as the thing it is attached to', () => {
    expect(statements.every(({ Effect }) => Effect === 'Allow')).toBe(true);
    expect(statements.find(({ Action }) => Action === 'iot:Connect')).toEqual({
      Effect: 'Allow',
      Action: 'iot:Connect',
      Resource: `arn:<partition>:iot:<region>:<accountid>:client/${THING}`,
      Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } },
    });
  });

  it('lets it speak on these topics', () => {
    expect(allowed('iot:Publish')).toEqual([
      `topic/${sensorTopic(THING, '*')}`,
      `topic/device/${THING}/register*/v1`,
      `topic/device/${THING}/lwt/v1`,
      `topic/device/${THING}/pairing/v1`,
      `topic/device/${THING}/command/*/v1/outcome`,
      `topic/device/${THING}/files/*/v1`,
      `topic/device/${THING}/firmware/*/v1`,
      `topic/$aws/things/${THING}/shadow/*get`,
      `topic/$aws/things/${THING}/shadow/*update`,
      `topic/${sensorBasicIngestTopic(THING, '*')}`,
      `topic/${sensorTopic(COMMON_NAME, '*')}`,
    ]);
  });

  it('lets it hear what is under its own name', () => {
    const heard = [`device/${THING}/*`, `$aws/things/${THING}/shadow/*`];
    const both = [...heard.map((topic) => `topic/${topic}`), ...heard.map((topic) => `topicfilter/${topic}`)];

    expect(allowed('iot:Receive')).toEqual(both);
    expect(allowed('iot:Subscribe')).toEqual(both);
  });

  it('allows nothing else', () => {
    const actions = statements.flatMap(({ Action }) => Action);

    expect(new Set(actions)).toEqual(new Set(['iot:Connect', 'iot:Publish', 'iot:Receive', 'iot:Subscribe']));
    expect(sensorBasicIngestTopic('x', 'y')).toContain(TELEMETRY_RULE_NAME);
  });
});
