/** What an app can do is what the role of people and the policies of its person both allow: AWS IoT asks both. */
import fc from 'fast-check';
import { policyDocumentsOf } from '../../lambda/authorization/person-policy.ts';
import { flat, only, type Synthesis, synthesize } from './synthesis.ts';

const IDENTITY = 'eu-west-1:0b0c5fd1-93b8-4e1d-8a9d-7a7b7f9a1c11';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

let synthesis: Synthesis;
let role: readonly Statement[];

beforeAll(() => {
  synthesis = synthesize();
  const [, { Properties }] = only(synthesis.state, 'AWS::IAM::Policy', 'PeoplePersonRole');
  role = (flat(Properties.PolicyDocument) as { Statement: Statement[] }).Statement;
});

/** By definition: `*` is any text, everything else itself. */
function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

function allows(statements: readonly Statement[], action: string, resource: string): boolean {
  const arn = `arn:aws:iot:eu-west-1:123456789012:${resource}`;
  const matching = statements.filter(
    ({ Action, Resource }) => [Action].flat().includes(action) && [Resource].flat().some((each) => fits(each, arn)),
  );
  return matching.some(({ Effect }) => Effect === 'Allow') && matching.every(({ Effect }) => Effect !== 'Deny');
}

function both(target: string, action: string, resource: string): boolean {
  const context = { partition: 'aws', identityId: IDENTITY };
  const documents = policyDocumentsOf([{ target, role: 'owner' }], context);
  const policies = documents.flatMap((document) => JSON.parse(document).Statement as Statement[]);
  const known = JSON.stringify(role)
    .replaceAll('<partition>', 'aws')
    .replaceAll('<region>', 'eu-west-1')
    .replaceAll('<accountid>', '123456789012')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable.
    .replaceAll('${cognito-identity.amazonaws.com:sub}', IDENTITY);
  return allows(JSON.parse(known), action, resource) && allows(policies, action, resource);
}

it('the role allows what it allows, and is for identities of this pool that have signed in', () => {
  const [, { Properties }] = only(synthesis.state, 'AWS::IAM::Role', 'PeoplePersonRole');

  expect(flat(Properties.AssumeRolePolicyDocument)).toMatchObject({
    Statement: [
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRoleWithWebIdentity',
        Principal: { Federated: 'cognito-identity.amazonaws.com' },
        Condition: {
          StringEquals: { 'cognito-identity.amazonaws.com:aud': '<IdentityPool>' },
          'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
        },
      },
    ],
  });
  expect(Properties.ManagedPolicyArns).toBeUndefined();
  // Over HTTPS the role alone decides, so it has no action of the HTTPS data plane, and none of any other service.
  expect([...new Set(role.flatMap(({ Action }) => Action))].sort()).toEqual([
    'iot:Connect',
    'iot:Publish',
    'iot:Receive',
    'iot:Subscribe',
  ]);
});

/** Every topic under a thing of ours besides sensors and the classic shadow, with ids that look like parts of those. */
const id = fc.constantFrom('1', 'sensor', 'shadow', 'get', 'update', 'name', 'v1', 'accepted');
const foreign = fc.oneof(
  fc.tuple(fc.constantFrom('files', 'firmware', 'command'), id).map(([kind, each]) => `${kind}/${each}/v1`),
  fc
    .tuple(fc.constantFrom('files', 'firmware', 'command'), id, id)
    .map(([kind, each, end]) => `${kind}/${each}/v1/${end}`),
  id.map((end) => `pairing/v1/${end}`),
  id.map((end) => `register/v1/${end}`),
  fc.constant('lwt/v1'),
);
const thing = fc.constantFrom('macdonald-barn', 'macdonald-sensor', 'macdonald-shadow', 'macdonald-');
const target = fc.constantFrom('site#macdonald', 'thing#macdonald-barn', 'thing#macdonald-sensor');

it('nothing but sensors and the classic shadow is reached, whatever ids are called', () => {
  fc.assert(
    fc.property(target, thing, foreign, id, id, (granted, name, rest, shadow, end) => {
      const topics = [
        `device/${name}/${rest}`,
        `$aws/things/${name}/shadow/name/${shadow}/${end}`,
        `$aws/things/${name}/shadow/name/${shadow}/${end}/accepted`,
        `$aws/events/presence/connected/${name}`,
        `$aws/rules/thingstead_telemetry/device/${name}/sensor/${end}/v1`,
      ];
      for (const topic of topics) {
        expect([topic, both(granted, 'iot:Publish', `topic/${topic}`)]).toEqual([topic, false]);
        expect([topic, both(granted, 'iot:Receive', `topic/${topic}`)]).toEqual([topic, false]);
        expect([topic, both(granted, 'iot:Subscribe', `topicfilter/${topic}`)]).toEqual([topic, false]);
      }
    }),
    { numRuns: 300 },
  );
});

it('what a grant is for is reached', () => {
  const topics = ['device/macdonald-barn/sensor/temperature/v1', '$aws/things/macdonald-barn/shadow/update/delta'];
  for (const granted of ['site#macdonald', 'thing#macdonald-barn']) {
    for (const topic of topics) {
      expect(both(granted, 'iot:Receive', `topic/${topic}`)).toBe(true);
      expect(both(granted, 'iot:Subscribe', `topicfilter/${topic}`)).toBe(true);
      expect(both(granted, 'iot:Publish', `topic/${topic}`)).toBe(false);
    }
    expect(both(granted, 'iot:Publish', 'topic/$aws/things/macdonald-barn/shadow/update')).toBe(true);
  }
  expect(both('site#macdonald', 'iot:Connect', `client/${IDENTITY}-tab1`)).toBe(true);
  for (const tab of ['a/b', 'a#', '+']) {
    expect(both('site#macdonald', 'iot:Connect', `client/${IDENTITY}-${tab}`)).toBe(false);
  }
  for (const other of ['macdonald-barn', IDENTITY, `${IDENTITY.replace('0b0c', '1b0c')}-tab1`]) {
    expect(both('site#macdonald', 'iot:Connect', `client/${other}`)).toBe(false);
  }
});
