/** Thing groups, tags, role aliases and the credential provider of AWS IoT, through the SDK, the CLI and a device. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { promisify } from 'node:util';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateRoleAliasCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateTopicRuleCommand,
  DeleteRoleAliasCommand,
  DeleteThingCommand,
  DeleteThingGroupCommand,
  DescribeEndpointCommand,
  DescribeRoleAliasCommand,
  DescribeThingCommand,
  DescribeThingGroupCommand,
  DetachPolicyCommand,
  GetEffectivePoliciesCommand,
  IoTClient,
  ListAttachedPoliciesCommand,
  ListRoleAliasesCommand,
  ListTagsForResourceCommand,
  ListTargetsForPolicyCommand,
  ListThingGroupsCommand,
  ListThingGroupsForThingCommand,
  ListThingsInThingGroupCommand,
  paginateListThingsInThingGroup,
  RemoveThingFromThingGroupCommand,
  TagResourceCommand,
  TestAuthorizationCommand,
  UntagResourceCommand,
  UpdateRoleAliasCommand,
  UpdateThingGroupCommand,
  UpdateThingGroupsForThingCommand,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ACCOUNT = '123456789012';
const ARN = `arn:aws:iot:us-east-1:${ACCOUNT}`;

let runtime: Runtime;
let iot: IoTClient;
let iam: IAMClient;

beforeAll(async () => {
  runtime = await startRuntime();
  iot = new IoTClient({ ...runtime.config, maxAttempts: 1 });
  iam = new IAMClient(runtime.config);
});
afterAll(() => runtime.stop());

/** A name that no other test uses. */
function unique(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

async function group(parentGroupName?: string): Promise<string> {
  const thingGroupName = unique('group');
  await iot.send(new CreateThingGroupCommand({ thingGroupName, parentGroupName }));
  return thingGroupName;
}

async function thing(...groups: readonly string[]): Promise<string> {
  const thingName = unique('thing');
  await iot.send(new CreateThingCommand({ thingName }));
  for (const thingGroupName of groups) await iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName }));
  return thingName;
}

async function policy(action: string, resource = '*', effect = 'Allow'): Promise<string> {
  const policyName = unique('policy');
  const Statement = [{ Effect: effect, Action: action, Resource: resource }];
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iot.send(new CreatePolicyCommand({ policyName, policyDocument }));
  return policyName;
}

interface Device {
  readonly thingName: string;
  readonly arn: string;
  readonly id: string;
  readonly cert: string;
  readonly key: string;
}

async function device(...groups: readonly string[]): Promise<Device> {
  const thingName = await thing(...groups);
  const created = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  const arn = String(created.certificateArn);
  await iot.send(new AttachThingPrincipalCommand({ thingName, principal: arn }));
  return {
    thingName,
    arn,
    id: String(created.certificateId),
    cert: String(created.certificatePem),
    key: String(created.keyPair?.PrivateKey),
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function https(
  { cert, key }: Device,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { host, port } = runtime.endpoints.deviceHttps;
  const ca = readFileSync(runtime.endpoints.rootCaFile);
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, ca, cert, key, path, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function role(options: { readonly trust?: string; readonly policy?: object; readonly seconds?: number } = {}) {
  const RoleName = unique('role');
  const Principal = { Service: options.trust ?? 'credentials.iot.amazonaws.com' };
  const Statement = [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }];
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
      MaxSessionDuration: options.seconds,
    }),
  );
  if (options.policy) {
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [options.policy] });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
  }
  return String(Role?.Arn);
}

async function alias(roleArn: string, credentialDurationSeconds?: number): Promise<string> {
  const roleAlias = unique('alias');
  await iot.send(new CreateRoleAliasCommand({ roleAlias, roleArn, credentialDurationSeconds }));
  return roleAlias;
}

describe('thing groups', () => {
  test('a group is described with its ancestors from the root down', async () => {
    // GIVEN
    const root = await group();
    const middle = await group(root);
    // WHEN
    const leaf = await group(middle);
    // THEN
    const described = await iot.send(new DescribeThingGroupCommand({ thingGroupName: leaf }));
    expect(described).toMatchObject({
      thingGroupName: leaf,
      thingGroupArn: `${ARN}:thinggroup/${leaf}`,
      version: 1,
      thingGroupMetadata: {
        parentGroupName: middle,
        rootToParentThingGroups: [
          { groupName: root, groupArn: `${ARN}:thinggroup/${root}` },
          { groupName: middle, groupArn: `${ARN}:thinggroup/${middle}` },
        ],
      },
    });
  });

  test('an update merges attributes, raises the version and refuses an old one', async () => {
    // GIVEN
    const thingGroupName = unique('group');
    const thingGroupProperties = {
      thingGroupDescription: 'barn',
      attributePayload: { attributes: { a: '1', b: '2' } },
    };
    await iot.send(new CreateThingGroupCommand({ thingGroupName, thingGroupProperties }));
    const change = { attributePayload: { attributes: { b: '', c: '3' }, merge: true } };
    // WHEN
    const update = { thingGroupName, thingGroupProperties: change, expectedVersion: 1 };
    const { version } = await iot.send(new UpdateThingGroupCommand(update));
    // THEN
    expect(version).toBe(2);
    const described = await iot.send(new DescribeThingGroupCommand({ thingGroupName }));
    expect(described.thingGroupProperties).toEqual({
      thingGroupDescription: 'barn',
      attributePayload: { attributes: { a: '1', c: '3' } },
    });
    await expect(iot.send(new UpdateThingGroupCommand(update))).rejects.toMatchObject({
      name: 'VersionConflictException',
    });
  });

  test('lists children, descendants and members, page by page', async () => {
    // GIVEN
    const root = await group();
    const child = await group(root);
    const grandchild = await group(child);
    const members = [await thing(root), await thing(child), await thing(grandchild)];
    // WHEN
    const direct = await iot.send(new ListThingGroupsCommand({ parentGroup: root }));
    const all = await iot.send(new ListThingGroupsCommand({ parentGroup: root, recursive: true }));
    const own = await iot.send(new ListThingsInThingGroupCommand({ thingGroupName: root }));
    const found: string[] = [];
    const pages = paginateListThingsInThingGroup(
      { client: iot, pageSize: 2 },
      { thingGroupName: root, recursive: true },
    );
    for await (const { things } of pages) found.push(...(things ?? []));
    // THEN
    expect(direct.thingGroups?.map(({ groupName }) => groupName)).toEqual([child]);
    expect(all.thingGroups?.map(({ groupName }) => groupName)).toEqual([child, grandchild].toSorted());
    expect(own.things).toEqual([members[0]]);
    expect(found).toEqual(members.toSorted());
  });

  test('a thing is in one group of a hierarchy, moves, and leaves when it is deleted', async () => {
    // GIVEN
    const root = await group();
    const [first, second] = [await group(root), await group(root)];
    const thingName = await thing(first);
    // WHEN
    const again = iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: second }));
    // THEN
    await expect(again).rejects.toMatchObject({ name: 'InvalidRequestException' });
    // WHEN
    const move = { thingName, thingGroupsToRemove: [first], thingGroupsToAdd: [second] };
    await iot.send(new UpdateThingGroupsForThingCommand(move));
    // THEN
    const { thingGroups } = await iot.send(new ListThingGroupsForThingCommand({ thingName }));
    expect(thingGroups).toEqual([{ groupName: second, groupArn: `${ARN}:thinggroup/${second}` }]);
    // WHEN
    await iot.send(new DeleteThingCommand({ thingName }));
    // THEN
    const { things } = await iot.send(new ListThingsInThingGroupCommand({ thingGroupName: second }));
    expect(things).toEqual([]);
  });

  test('a group with children is not deleted; one with a policy takes the attachment along', async () => {
    // GIVEN
    const root = await group();
    const child = await group(root);
    const policyName = await policy('iot:Connect');
    await iot.send(new AttachPolicyCommand({ policyName, target: `${ARN}:thinggroup/${child}` }));
    // WHEN
    const deletion = iot.send(new DeleteThingGroupCommand({ thingGroupName: root }));
    // THEN
    await expect(deletion).rejects.toMatchObject({ name: 'InvalidRequestException' });
    // WHEN
    await iot.send(new DeleteThingGroupCommand({ thingGroupName: child }));
    // THEN
    const { targets } = await iot.send(new ListTargetsForPolicyCommand({ policyName }));
    expect(targets).toEqual([]);
    await iot.send(new DeleteThingGroupCommand({ thingGroupName: root }));
    await expect(iot.send(new DescribeThingGroupCommand({ thingGroupName: child }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('policies of thing groups', () => {
  const connect = async ({ arn, thingName }: Device, clientId = thingName) => {
    const authInfos = [{ actionType: 'CONNECT' as const, resources: [`${ARN}:client/${clientId}`] }];
    const tested = await iot.send(new TestAuthorizationCommand({ principal: arn, clientId, authInfos }));
    return tested.authResults?.[0]?.authDecision;
  };

  test('count for the principals of the things in the group and its descendants', async () => {
    // GIVEN
    const root = await group();
    const child = await group(root);
    const [member, stranger] = [await device(child), await device()];
    const policyName = await policy('iot:Connect');
    // WHEN
    await iot.send(new AttachPolicyCommand({ policyName, target: `${ARN}:thinggroup/${root}` }));
    // THEN
    expect(await connect(member)).toBe('ALLOWED');
    expect(await connect(stranger)).toBe('IMPLICIT_DENY');
    expect(await connect(member, 'another-client')).toBe('IMPLICIT_DENY');
    const { effectivePolicies } = await iot.send(
      new GetEffectivePoliciesCommand({ principal: member.arn, thingName: member.thingName }),
    );
    expect(effectivePolicies?.map((each) => each.policyName)).toEqual([policyName]);
    // WHEN
    await iot.send(new DetachPolicyCommand({ policyName, target: `${ARN}:thinggroup/${root}` }));
    // THEN
    expect(await connect(member)).toBe('IMPLICIT_DENY');
  });

  test('an explicit denial of a group wins over the certificate, until the thing leaves', async () => {
    // GIVEN
    const quarantine = await group();
    const member = await device(quarantine);
    const [allows, denies] = [await policy('iot:*'), await policy('iot:Publish', '*', 'Deny')];
    await iot.send(new AttachPolicyCommand({ policyName: allows, target: member.arn }));
    const publish = () => https(member, '/topics/a?qos=1', { method: 'POST' });
    expect(await publish()).toMatchObject({ status: 200 });
    // WHEN
    await iot.send(new AttachPolicyCommand({ policyName: denies, target: `${ARN}:thinggroup/${quarantine}` }));
    // THEN
    expect(await publish()).toMatchObject({ status: 403 });
    // WHEN
    await iot.send(new RemoveThingFromThingGroupCommand({ thingName: member.thingName, thingGroupName: quarantine }));
    // THEN
    expect(await publish()).toMatchObject({ status: 200 });
  });

  test('ListAttachedPolicies gives those of the parents when asked for', async () => {
    // GIVEN
    const root = await group();
    const target = `${ARN}:thinggroup/${await group(root)}`;
    const policyName = await policy('iot:Connect');
    await iot.send(new AttachPolicyCommand({ policyName, target: `${ARN}:thinggroup/${root}` }));
    // WHEN
    const own = await iot.send(new ListAttachedPoliciesCommand({ target }));
    const all = await iot.send(new ListAttachedPoliciesCommand({ target, recursive: true }));
    // THEN
    expect(own.policies).toEqual([]);
    expect(all.policies?.map((each) => each.policyName)).toEqual([policyName]);
  });
});

test('rule SQL reads the groups of a thing with the rights of its role', async () => {
  // GIVEN
  const groupName = await group();
  const thingName = await thing(groupName);
  const sqs = new SQSClient(runtime.config);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: unique('queue') }));
  const roleArn = await role({
    trust: 'iot.amazonaws.com',
    policy: { Effect: 'Allow', Action: ['iot:ListThingGroupsForThing', 'sqs:SendMessage'], Resource: '*' },
  });
  const sql = `SELECT get_registry_data('ListThingGroupsForThing', topic(2), '${roleArn}') AS found FROM 'groups/+'`;
  await iot.send(
    new CreateTopicRuleCommand({
      ruleName: `groups_${Date.now()}`,
      topicRulePayload: { sql, awsIotSqlVersion: '2016-03-23', actions: [{ sqs: { queueUrl: QueueUrl, roleArn } }] },
    }),
  );
  // WHEN
  const data = new IoTDataPlaneClient(runtime.config);
  await data.send(new PublishCommand({ topic: `groups/${thingName}`, payload: '{}' }));
  await runtime.advance(0);
  // THEN
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages?.map(({ Body }) => JSON.parse(String(Body)))).toEqual([
    { found: { thingGroups: [{ groupName, groupArn: `${ARN}:thinggroup/${groupName}` }] } },
  ]);
});

describe('role aliases and the credential provider', () => {
  const credentials = (who: Device, roleAlias: string, headers: Record<string, string> = {}) =>
    https(who, `/role-aliases/${roleAlias}/credentials`, { headers });

  async function permitted(roleAlias: string): Promise<Device> {
    const who = await device();
    const policyName = await policy('iot:AssumeRoleWithCertificate', `${ARN}:rolealias/${roleAlias}`);
    await iot.send(new AttachPolicyCommand({ policyName, target: who.arn }));
    return who;
  }

  function clientConfig({ body }: Answer) {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = JSON.parse(body).credentials;
    return { ...runtime.config, credentials: { accessKeyId, secretAccessKey, sessionToken }, expiration };
  }

  test('an alias is created, described, updated, listed and deleted', async () => {
    // GIVEN
    const [first, second] = [await role(), await role()];
    const roleAlias = await alias(first);
    // WHEN
    await iot.send(new UpdateRoleAliasCommand({ roleAlias, roleArn: second, credentialDurationSeconds: 900 }));
    // THEN
    const described = await iot.send(new DescribeRoleAliasCommand({ roleAlias }));
    expect(described.roleAliasDescription).toMatchObject({
      roleAlias,
      roleAliasArn: `${ARN}:rolealias/${roleAlias}`,
      roleArn: second,
      owner: ACCOUNT,
      credentialDurationSeconds: 900,
    });
    const { roleAliases } = await iot.send(new ListRoleAliasesCommand({ pageSize: 250 }));
    expect(roleAliases).toContain(roleAlias);
    await iot.send(new DeleteRoleAliasCommand({ roleAlias }));
    await expect(iot.send(new DescribeRoleAliasCommand({ roleAlias }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('the role of an alias has to be passed', async () => {
    // GIVEN
    const roleArn = await role();
    const deployer = unique('deployer');
    const AWS = `arn:aws:iam::${ACCOUNT}:root`;
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }],
    };
    await iam.send(new CreateRoleCommand({ RoleName: deployer, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    const Statement = [{ Effect: 'Allow', Action: 'iot:CreateRoleAlias', Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutRolePolicyCommand({ RoleName: deployer, PolicyName: 'p', PolicyDocument }));
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/${deployer}`;
    const sts = new STSClient(runtime.config);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test' }));
    const limited = new IoTClient({
      ...runtime.config,
      credentials: {
        accessKeyId: String(Credentials?.AccessKeyId),
        secretAccessKey: String(Credentials?.SecretAccessKey),
        sessionToken: String(Credentials?.SessionToken),
      },
    });
    // WHEN
    const creation = limited.send(new CreateRoleAliasCommand({ roleAlias: unique('alias'), roleArn }));
    // THEN
    await expect(creation).rejects.toThrow('iam:PassRole');
  });

  test('a device gets credentials that work with the rights of the role', async () => {
    // GIVEN
    const roleArn = await role({
      policy: {
        Effect: 'Allow',
        Action: 'iot:DescribeThing',
        Resource: `${ARN}:thing/\${credentials-iot:ThingName}`,
      },
    });
    const roleAlias = await alias(roleArn);
    const who = await permitted(roleAlias);
    const { endpointAddress } = await iot.send(new DescribeEndpointCommand({ endpointType: 'iot:CredentialProvider' }));
    expect(endpointAddress).toBe(runtime.endpoints.deviceHttps.host);
    // WHEN
    const answer = await credentials(who, roleAlias, { 'x-amzn-iot-thingname': who.thingName });
    // THEN
    expect(answer.status).toBe(200);
    const config = clientConfig(answer);
    const left = Date.parse(config.expiration) - Date.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
    const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
    const identity = await new STSClient(config).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/${name}/${who.id}`);
    const asDevice = new IoTClient(config);
    await asDevice.send(new DescribeThingCommand({ thingName: who.thingName }));
    const foreign = asDevice.send(new DescribeThingCommand({ thingName: await thing() }));
    await expect(foreign).rejects.toThrow('is not authorized to perform: iot:DescribeThing');
  });

  test('refuses without a policy, a trusting role, an alias or the thing', async () => {
    // GIVEN
    const roleAlias = await alias(await role());
    const untrusting = await alias(await role({ trust: 'iot.amazonaws.com' }));
    const tooLong = await alias(await role({ seconds: 3600 }), 7200);
    const who = await permitted('*');
    // WHEN
    const answers = [
      await credentials(await device(), roleAlias),
      await credentials(who, untrusting),
      await credentials(who, tooLong),
      await credentials(who, unique('alias')),
      await credentials(who, roleAlias, { 'x-amzn-iot-thingname': await thing() }),
      await credentials(who, roleAlias),
    ];
    // THEN
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 404, 400, 200]);
  });
});

describe('tags', () => {
  test('are given at creation, added, listed and taken away', async () => {
    // GIVEN
    const created = await iot.send(
      new CreateThingGroupCommand({ thingGroupName: unique('group'), tags: [{ Key: 'team', Value: 'farm' }] }),
    );
    const resourceArn = String(created.thingGroupArn);
    // WHEN
    await iot.send(new TagResourceCommand({ resourceArn, tags: [{ Key: 'site', Value: 'barn' }] }));
    // THEN
    const { tags } = await iot.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual([
      { Key: 'site', Value: 'barn' },
      { Key: 'team', Value: 'farm' },
    ]);
    // WHEN
    await iot.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team'] }));
    // THEN
    const left = await iot.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(left.tags).toEqual([{ Key: 'site', Value: 'barn' }]);
  });

  test('a thing takes none, and what does not exist neither', async () => {
    // GIVEN
    const tags = [{ Key: 'a', Value: 'b' }];
    // WHEN
    const onThing = iot.send(new TagResourceCommand({ resourceArn: `${ARN}:thing/${await thing()}`, tags }));
    const onNothing = iot.send(new TagResourceCommand({ resourceArn: `${ARN}:policy/${unique('policy')}`, tags }));
    // THEN
    await expect(onThing).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(onNothing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

test('the AWS CLI creates a group, adds a thing and lists it', async () => {
  // GIVEN
  const { awsEndpoint, region, operator } = runtime.endpoints;
  const aws = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)('aws', ['--output', 'json', 'iot', ...args], {
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: awsEndpoint,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: operator.accessKeyId,
        AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
      },
    });
    return stdout === '' ? undefined : JSON.parse(stdout);
  };
  const name = unique('group');
  const thingName = await thing();
  // WHEN
  await aws('create-thing-group', '--thing-group-name', name, '--tags', 'Key=team,Value=farm');
  await aws('add-thing-to-thing-group', '--thing-group-name', name, '--thing-name', thingName);
  // THEN
  expect(await aws('list-things-in-thing-group', '--thing-group-name', name)).toEqual({ things: [thingName] });
});
