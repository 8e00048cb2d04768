// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub and Sub variables are written like this.
/** What the template loader resolves, and what stops a start before anything is created. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LocalIam } from '../../local/src/iam/local-iam.ts';
import { Kernel } from '../../local/src/kernel/kernel.ts';
import { declaredOnlyResources } from '../../local/src/template/declared-only.ts';
import { deploy } from '../../local/src/template/deploy.ts';
import { planAssembly } from '../../local/src/template/plan.ts';
import { TemplateProblems } from '../../local/src/template/problems.ts';
import type { ResourceHandler } from '../../local/src/template/resource-handler.ts';
import { Stacks } from '../../local/src/template/stacks.ts';

const account = { accountId: '123456789012', region: 'us-east-1' };
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Assembly {
  /** Stack name -> template. */
  readonly stacks: Readonly<Record<string, object>>;
  readonly dependencies?: Readonly<Record<string, readonly string[]>>;
  readonly environment?: string;
}

/** A type of resource that remembers what it was created with. */
function box(created: [string, unknown][] = []): ResourceHandler {
  return {
    type: 'Test::Box',
    properties: {
      Value: 'executed',
      Note: 'declared',
      Inner: { Width: 'executed' },
      Sides: [{ Colour: 'executed' }],
    },
    create: ({ logicalId, generatedName, properties }) => {
      created.push([logicalId, properties.Value]);
      return { ref: generatedName, attributes: { Arn: `arn:aws:test:::${logicalId}`, Parts: ['a', 'b'] } };
    },
  };
}

function withAssembly<T>(
  { stacks, dependencies = {}, environment = 'aws://unknown-account/unknown-region' }: Assembly,
  use: (folder: string) => T,
): T {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-plan-'));
  const artifacts: Record<string, object> = {};
  for (const [name, template] of Object.entries(stacks)) {
    writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(template));
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      environment,
      properties: { templateFile: `${name}.json` },
      dependencies: dependencies[name] ?? [],
    };
  }
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ version: '1', artifacts }));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const plan = (assembly: Assembly, handlers = [box(), ...declaredOnlyResources]) =>
  withAssembly(assembly, (folder) => planAssembly(folder, handlers, account));

/** Deploys one stack, `Farm`, and gives the resources in the order of their creation, and the stacks. */
async function run(assembly: Assembly) {
  const created: [string, unknown][] = [];
  const planned = plan(assembly, [box(created), ...declaredOnlyResources]);
  const kernel = new Kernel(
    { ...account, endpoint: 'http://127.0.0.1', log: quiet },
    ({ clock }) => new LocalIam({ ...account, now: () => clock.now() }),
  );
  const stacks = new Stacks();
  await deploy(planned, kernel, stacks, []);
  await kernel.close();
  return { order: created.map(([id]) => id), values: Object.fromEntries(created), outputs: stacks.outputs, stacks };
}

const one = (Resources: object, more: object = {}): Assembly => ({ stacks: { Farm: { Resources, ...more } } });
const boxOf = (Value: unknown, more: object = {}) => ({ Type: 'Test::Box', Properties: { Value }, ...more });

function problemsOf(assembly: Assembly): readonly string[] {
  try {
    plan(assembly);
  } catch (error) {
    if (error instanceof TemplateProblems) {
      return error.problems.map(
        ({ stackName, logicalId, type, path: at, message }) => `${stackName} ${logicalId} ${type} ${at}: ${message}`,
      );
    }
    throw error;
  }
  return [];
}

describe('intrinsic functions', () => {
  it.each<[string, unknown, unknown]>([
    ['Ref of a parameter', { Ref: 'Size' }, '7'],
    ['Ref of a list parameter', { Ref: 'Names' }, ['a', 'b']],
    ['Ref of a resource', { Ref: 'Other' }, expect.stringMatching(/^Farm-Other-[A-Z2-7]{12}$/)],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Other', 'Arn'] }, 'arn:aws:test:::Other'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Other.Arn' }, 'arn:aws:test:::Other'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Size' }, 1]] }, 'a-7-1'],
    ['Join of an attribute', { 'Fn::Join': ['-', { 'Fn::GetAtt': ['Other', 'Parts'] }] }, 'a-b'],
    ['Sub', { 'Fn::Sub': '${AWS::AccountId}/${Other.Arn}/${Size}' }, '123456789012/arn:aws:test:::Other/7'],
    ['Sub with variables', { 'Fn::Sub': ['${x}-${!x}-${Size}', { x: { Ref: 'AWS::Partition' } }] }, 'aws-${x}-7'],
    ['Select', { 'Fn::Select': ['1', ['a', 'b']] }, 'b'],
    [
      'Select of a split attribute',
      { 'Fn::Select': [2, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Other', 'Arn'] }] }] },
      'test',
    ],
    ['If', { 'Fn::If': ['IsBig', 'big', 'small'] }, 'small'],
    ['If without a value', ['x', { 'Fn::If': ['IsBig', 'big', { Ref: 'AWS::NoValue' }] }], ['x']],
    ['FindInMap', { 'Fn::FindInMap': ['Zones', { Ref: 'AWS::Region' }, 'Zone'] }, 'Z1'],
    ['Base64', { 'Fn::Base64': 'hello' }, 'aGVsbG8='],
    ['GetAZs', { 'Fn::GetAZs': '' }, ['us-east-1a', 'us-east-1b', 'us-east-1c']],
    ['nested values', { a: [{ b: { Ref: 'Size' } }] }, { a: [{ b: '7' }] }],
    [
      'an object with Condition in a policy',
      { Condition: { StringEquals: { x: 'y' } } },
      { Condition: { StringEquals: { x: 'y' } } },
    ],
  ])('%s', async (_name, given, expected) => {
    const { values } = await run(
      one(
        { Subject: boxOf(given), Other: boxOf('o') },
        {
          Parameters: {
            Size: { Type: 'Number', Default: 7 },
            Names: { Type: 'CommaDelimitedList', Default: 'a, b' },
            BootstrapVersion: {
              Type: 'AWS::SSM::Parameter::Value<String>',
              Default: '/cdk-bootstrap/hnb659fds/version',
            },
          },
          Mappings: { Zones: { 'us-east-1': { Zone: 'Z1' } } },
          Conditions: {
            IsBig: { 'Fn::And': [{ 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Size' }, 7] }] }, { Condition: 'Always' }] },
            Always: { 'Fn::Or': [{ 'Fn::Equals': ['a', 'b'] }, { 'Fn::Equals': ['a', 'a'] }] },
          },
        },
      ),
    );

    expect(values.Subject).toEqual(expected);
  });
});

describe('a deployment', () => {
  it('creates what is referred to first, otherwise in the order of the template', async () => {
    const { order } = await run(
      one({
        First: boxOf({ Ref: 'Third' }),
        Second: boxOf('x', { DependsOn: ['Fourth'] }),
        Third: boxOf({ 'Fn::Sub': '${Fourth.Arn}' }),
        Fourth: boxOf('x'),
      }),
    );

    expect(order).toEqual(['Fourth', 'Third', 'First', 'Second']);
  });

  it('leaves out what has a condition that does not hold, outputs included', async () => {
    const { order, outputs } = await run(
      one(
        { On: boxOf(1, { Condition: 'Yes' }), Off: boxOf(1, { Condition: 'No' }) },
        {
          Conditions: { Yes: { 'Fn::Equals': [1, 1] }, No: { 'Fn::Equals': [1, 2] } },
          Outputs: { On: { Value: 1 }, Off: { Value: { Ref: 'Off' }, Condition: 'No' } },
        },
      ),
    );

    expect(order).toEqual(['On']);
    expect(outputs).toEqual({ Farm: { On: '1' } });
  });

  it('deploys stacks in the order of their dependencies and carries exports from one to the next', async () => {
    const { values, order } = await run({
      stacks: {
        Aaa: { Resources: { Reader: boxOf({ 'Fn::ImportValue': { 'Fn::Sub': '${AWS::Region}-barn' } }) } },
        Bbb: {
          Resources: { Barn: boxOf('x') },
          Outputs: { Barn: { Value: { 'Fn::GetAtt': ['Barn', 'Arn'] }, Export: { Name: 'us-east-1-barn' } } },
        },
      },
      dependencies: { Aaa: ['Bbb'] },
    });

    expect(order).toEqual(['Barn', 'Reader']);
    expect(values.Reader).toBe('arn:aws:test:::Barn');
  });

  it('gives the same generated names at every start', async () => {
    const template = one({ Subject: boxOf('x') }, { Outputs: { Name: { Value: { Ref: 'Subject' } } } });

    expect((await run(template)).outputs).toEqual((await run(template)).outputs);
  });

  it('names stack, logical id and type of what a service refuses, and unknown attributes', async () => {
    await expect(run(one({ A: boxOf({ 'Fn::GetAtt': ['B', 'Colour'] }), B: boxOf(1) }))).rejects.toThrow(
      /Farm\/A \(Test::Box\) Value: the runtime does not emulate the attribute Colour of B; it knows Arn, Parts/,
    );
  });

  it('lists what is declared only', () => {
    const { declaredOnly } = plan(
      one({ Board: { Type: 'AWS::CloudWatch::Dashboard', Properties: { DashboardBody: '{}' } } }),
    );

    expect(declaredOnly).toEqual([{ type: 'AWS::CloudWatch::Dashboard', stackName: 'Farm', logicalId: 'Board' }]);
  });
});

describe('a start is stopped by', () => {
  it.each<[string, Assembly, RegExp]>([
    [
      'notifications that the CDK puts in a custom resource, with what to write instead',
      one({ Notifications: { Type: 'Custom::S3BucketNotifications' } }),
      /does not emulate the type Custom::S3BucketNotifications: .*NotificationConfiguration of the CfnBucket/,
    ],
    [
      'an unknown type',
      one({ Pipe: { Type: 'AWS::Pipes::Pipe' } }),
      /^Farm Pipe AWS::Pipes::Pipe : .*does not emulate the type/,
    ],
    [
      'an unknown property',
      one({ A: { Type: 'Test::Box', Properties: { Shade: 1 } } }),
      /^Farm A Test::Box Shade: .*it knows Value/,
    ],
    [
      'an unknown nested property',
      one({ A: { Type: 'Test::Box', Properties: { Inner: { Depth: 1 } } } }),
      /Inner\.Depth:/,
    ],
    [
      'an unknown property in a list',
      one({ A: { Type: 'Test::Box', Properties: { Sides: [{}, { Hue: 1 }] } } }),
      /Sides\[1\]\.Hue:/,
    ],
    [
      'one behind a condition',
      one(
        { A: { Type: 'Test::Box', Properties: { Inner: { 'Fn::If': ['C', { Depth: 1 }, {}] } } } },
        { Conditions: { C: { 'Fn::Equals': [1, 1] } } },
      ),
      /Inner\.Depth:/,
    ],
    ['an unknown attribute', one({ A: boxOf(1, { CreationPolicy: {} }) }), /A Test::Box CreationPolicy:/],
    ['a reference to nothing', one({ A: boxOf({ Ref: 'Ghost' }) }), /Value: there is no resource or parameter Ghost/],
    [
      'a reference to nothing in a text',
      one({ A: boxOf({ 'Fn::Sub': 'x${Ghost.Arn}' }) }),
      /there is no resource or parameter Ghost/,
    ],
    ['a dependency on nothing', one({ A: boxOf(1, { DependsOn: 'Ghost' }) }), /DependsOn: there is no resource Ghost/],
    [
      'an import of nothing',
      one({ A: boxOf({ 'Fn::ImportValue': 'ghost' }) }),
      /no stack before this one exports ghost/,
    ],
    ['an unknown condition', one({ A: boxOf(1, { Condition: 'Ghost' }) }), /there is no condition Ghost/],
    [
      'a function that is not emulated',
      one({ A: boxOf({ 'Fn::Cidr': ['10.0.0.0/16', 1, 8] }) }),
      /Fn::Cidr is not emulated/,
    ],
    ['a dynamic reference', one({ A: boxOf('{{resolve:ssm:/x}}') }), /dynamic references/],
    ['a cycle', one({ A: boxOf({ Ref: 'B' }), B: boxOf({ Ref: 'A' }) }), /depends on itself through A -> B/],
    [
      'a parameter without a default',
      one({}, { Parameters: { P: { Type: 'String' } } }),
      /Farm P String : .*no default/,
    ],
    [
      'a parameter to look up',
      one({}, { Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' } } }),
      /cannot be looked up/,
    ],
    ['a transform', one({}, { Transform: 'AWS::Serverless-2016-10-31' }), /the section Transform is not emulated/],
    ['another region', { ...one({}), environment: 'aws://unknown-account/eu-west-1' }, /--region eu-west-1/],
    ['another account', { ...one({}), environment: 'aws://111111111111/us-east-1' }, /--account 111111111111/],
  ])('%s', (_name, assembly, expected) => {
    const problems = problemsOf(assembly);

    expect(problems).toEqual([expect.stringMatching(expected)]);
  });

  it('everything at once, one line each', () => {
    const assembly = one({
      Pipe: { Type: 'AWS::Pipes::Pipe' },
      A: { Type: 'Test::Box', Properties: { Shade: { Ref: 'Ghost' }, Hue: 1 } },
    });

    expect(problemsOf(assembly)).toHaveLength(4);
    expect(() => plan(assembly)).toThrow(
      /4 problems:\n {2}Farm\/Pipe \(AWS::Pipes::Pipe\): .*\n {2}Farm\/A \(Test::Box\) Shade: .*\n/,
    );
  });
});
