/** AWS IoT in a cloud assembly: what is created, and what its roles may do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  DescribeCACertificateCommand,
  DescribeRoleAliasCommand,
  DescribeThingCommand,
  DescribeThingGroupCommand,
  DescribeThingTypeCommand,
  GetPolicyCommand,
  GetV2LoggingOptionsCommand,
  IoTClient,
  ListAttachedPoliciesCommand,
  ListTagsForResourceCommand,
  ListThingPrincipalsCommand,
  RegisterCertificateWithoutCACommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type CertificateAuthority, createCa, issue } from '../support/certificates.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ARN = 'arn:aws:iot:us-east-1:123456789012';

let folder: string;
let ca: CertificateAuthority;
let runtime: Runtime;

const allow = (Action: string, Resource: string, more: object = {}) => ({ Effect: 'Allow', Action, Resource, ...more });

function template() {
  return {
    Resources: {
      DevicePolicy: {
        Type: 'AWS::IoT::Policy',
        Properties: {
          PolicyName: 'device',
          PolicyDocument: { Version: '2012-10-17', Statement: allow('iot:Connect', '*') },
          Tags: [{ Key: 'team', Value: 'farm' }],
        },
      },
      Type: { Type: 'AWS::IoT::ThingType', Properties: { ThingTypeName: 'sensor' } },
      Fleet: { Type: 'AWS::IoT::ThingGroup', Properties: { ThingGroupName: 'fleet' } },
      Pumps: {
        Type: 'AWS::IoT::ThingGroup',
        Properties: {
          ThingGroupName: 'pumps',
          ParentGroupName: { Ref: 'Fleet' },
          ThingGroupProperties: { AttributePayload: { Attributes: { site: 'barn' } } },
        },
      },
      Alias: {
        Type: 'AWS::IoT::RoleAlias',
        Properties: {
          RoleAlias: 'uploads',
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
          CredentialDurationSeconds: 900,
        },
      },
      Thing: {
        Type: 'AWS::IoT::Thing',
        Properties: { ThingName: 'pump', AttributePayload: { Attributes: { site: 'barn' } } },
      },
      Ca: {
        Type: 'AWS::IoT::CACertificate',
        Properties: {
          CACertificatePem: ca.pem,
          CertificateMode: 'SNI_ONLY',
          Status: 'ACTIVE',
          AutoRegistrationStatus: 'ENABLE',
        },
      },
      Identity: {
        Type: 'AWS::IoT::PolicyPrincipalAttachment',
        Properties: {
          PolicyName: { Ref: 'DevicePolicy' },
          Principal: 'us-east-1:00000000-0000-4000-8000-000000000000',
        },
      },
      Owner: {
        Type: 'AWS::IoT::ThingPrincipalAttachment',
        Properties: { ThingName: { Ref: 'Thing' }, Principal: 'us-east-1:00000000-0000-4000-8000-000000000000' },
      },
      Logging: {
        Type: 'AWS::IoT::Logging',
        Properties: {
          AccountId: { Ref: 'AWS::AccountId' },
          DefaultLogLevel: 'ERROR',
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'registrar',
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: 'sts:AssumeRole',
                Principal: { AWS: { 'Fn::Join': [':', ['arn:aws:iam:', { Ref: 'AWS::AccountId' }, 'root']] } },
              },
            ],
          },
          Policies: [
            {
              PolicyName: 'register',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  allow('iot:CreateThing', `${ARN}:thing/barn-*`),
                  allow('iot:AttachPolicy', `${ARN}:cert/*`),
                  allow('iot:AttachThingPrincipal', `${ARN}:cert/*`, {
                    Condition: { ArnLike: { 'iot:thingArn': `${ARN}:thing/barn-*` } },
                  }),
                ],
              },
            },
          ],
        },
      },
    },
    Outputs: {
      PolicyArn: { Value: { 'Fn::GetAtt': ['DevicePolicy', 'Arn'] } },
      CaId: { Value: { Ref: 'Ca' } },
      AliasArn: { Value: { 'Fn::GetAtt': ['Alias', 'RoleAliasArn'] } },
      ThingArn: { Value: { 'Fn::GetAtt': ['Thing', 'Arn'] } },
    },
  };
}

function write(content: object): void {
  const Farm = {
    type: 'aws:cloudformation:stack',
    environment: 'aws://unknown-account/unknown-region',
    properties: { templateFile: 'Farm.template.json' },
  };
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify({ version: '1', artifacts: { Farm } }));
  writeFileSync(path.join(folder, 'Farm.template.json'), JSON.stringify(content));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-iot-'));
  ca = await createCa('of the template');
  write(template());
  runtime = await startRuntime({ assembly: folder });
});
afterAll(async () => {
  await runtime.stop();
  rmSync(folder, { recursive: true });
});

test('everything is created', async () => {
  const iot = new IoTClient(runtime.config);
  const { AliasArn, PolicyArn, CaId, ThingArn } = runtime.endpoints.outputs.Farm ?? {};
  expect([PolicyArn, ThingArn]).toEqual([`${ARN}:policy/device`, `${ARN}:thing/pump`]);
  expect(await iot.send(new GetPolicyCommand({ policyName: 'device' }))).toMatchObject({ policyArn: PolicyArn });
  expect(await iot.send(new DescribeThingTypeCommand({ thingTypeName: 'sensor' }))).toMatchObject({
    thingTypeMetadata: { deprecated: false },
  });
  expect(await iot.send(new DescribeThingCommand({ thingName: 'pump' }))).toMatchObject({
    attributes: { site: 'barn' },
  });
  expect(await iot.send(new DescribeThingGroupCommand({ thingGroupName: 'pumps' }))).toMatchObject({
    thingGroupProperties: { attributePayload: { attributes: { site: 'barn' } } },
    thingGroupMetadata: { parentGroupName: 'fleet' },
  });
  expect(await iot.send(new DescribeRoleAliasCommand({ roleAlias: 'uploads' }))).toMatchObject({
    roleAliasDescription: { roleAliasArn: AliasArn, credentialDurationSeconds: 900 },
  });
  expect(await iot.send(new ListTagsForResourceCommand({ resourceArn: PolicyArn }))).toMatchObject({
    tags: [{ Key: 'team', Value: 'farm' }],
  });
  const { certificateDescription } = await iot.send(new DescribeCACertificateCommand({ certificateId: CaId }));
  expect(certificateDescription).toMatchObject({
    status: 'ACTIVE',
    autoRegistrationStatus: 'ENABLE',
    certificateMode: 'SNI_ONLY',
  });
  const target = 'us-east-1:00000000-0000-4000-8000-000000000000';
  const { policies } = await iot.send(new ListAttachedPoliciesCommand({ target }));
  expect(policies?.map((each) => each.policyName)).toEqual(['device']);
  const { principals } = await iot.send(new ListThingPrincipalsCommand({ thingName: 'pump' }));
  expect(principals).toEqual([target]);
  expect(await iot.send(new GetV2LoggingOptionsCommand({}))).toMatchObject({ defaultLogLevel: 'ERROR' });
});

test('a role does what its policy allows, on the resources that it names', async () => {
  // GIVEN
  const operator = new IoTClient(runtime.config);
  const { Credentials } = await new STSClient(runtime.config).send(
    new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::123456789012:role/registrar', RoleSessionName: 'test' }),
  );
  const role = new IoTClient({
    ...runtime.config,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    },
  });
  const { pem: certificatePem } = await issue(ca, 'barn-1');
  const { certificateArn: principal, certificateId } = await operator.send(
    new RegisterCertificateWithoutCACommand({ certificatePem }),
  );

  // WHEN / THEN
  await role.send(new CreateThingCommand({ thingName: 'barn-1' }));
  await role.send(new AttachThingPrincipalCommand({ thingName: 'barn-1', principal }));
  await role.send(new AttachPolicyCommand({ policyName: 'device', target: principal }));
  const denied = [
    [role.send(new CreateThingCommand({ thingName: 'house-1' })), 'iot:CreateThing', 'thing/house-1'],
    [
      role.send(new AttachThingPrincipalCommand({ thingName: 'pump', principal })),
      'iot:AttachThingPrincipal',
      `cert/${certificateId}`,
    ],
    [
      role.send(new UpdateCertificateCommand({ certificateId, newStatus: 'ACTIVE' })),
      'iot:UpdateCertificate',
      `cert/${certificateId}`,
    ],
    [role.send(new CreatePolicyCommand({ policyName: 'all', policyDocument: '{}' })), 'iot:CreatePolicy', 'policy/all'],
  ] as const;
  for (const [sent, action, resource] of denied) {
    await expect(sent).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`not authorized to perform: ${action} on resource: ${ARN}:${resource} because`),
      $metadata: { httpStatusCode: 403 },
    });
  }
});

test.each<[string, object, RegExp]>([
  [
    'a second set of logging options',
    {
      Again: {
        Type: 'AWS::IoT::Logging',
        DependsOn: 'Logging',
        Properties: { AccountId: '123456789012', DefaultLogLevel: 'INFO', RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } },
      },
    },
    /Farm\/Again \(AWS::IoT::Logging\): .*one at most/s,
  ],
  [
    'a property that is not emulated',
    { Other: { Type: 'AWS::IoT::ThingType', Properties: { ThingTypeProperties: { Mqtt5Configuration: {} } } } },
    /Farm\/Other \(AWS::IoT::ThingType\) .*Mqtt5Configuration/s,
  ],
  [
    'a malformed policy',
    { Other: { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: { Version: '2012-10-17', Statement: [] } } } },
    /Farm\/Other \(AWS::IoT::Policy\): .*Statement/s,
  ],
])('%s stops the start', async (_what, more, message) => {
  const base = template();
  write({ ...base, Resources: { ...base.Resources, ...more } });
  await expect(startRuntime({ assembly: folder })).rejects.toThrow(message);
});
