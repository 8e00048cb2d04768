/** Roles and policies through the SDK: what a session may do, and how a denial reads. */
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateQueueCommand, ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ACCOUNT = '123456789012';
const TABLE = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/rows`;
let runtime: Runtime;
let iam: IAMClient;

beforeAll(async () => {
  runtime = await startRuntime();
  iam = new IAMClient(runtime.config);
});
afterAll(() => runtime.stop());
beforeEach(async () => {
  await runtime.reset();
  await new DynamoDBClient(runtime.config).send(
    new CreateTableCommand({
      TableName: 'rows',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    }),
  );
});

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

const put = { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: TABLE };
const trust = (principal: object) => policy({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' });

/** Client configuration of a session of a new role `worker` with this inline policy. */
async function sessionWith(document: string | undefined) {
  await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: trust({ AWS: ACCOUNT }) }));
  if (document !== undefined) {
    await iam.send(new PutRolePolicyCommand({ RoleName: 'worker', PolicyName: 'own', PolicyDocument: document }));
  }
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/worker`;
  const { Credentials } = await new STSClient(runtime.config).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }),
  );
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return { ...runtime.config, credentials };
}

const putRow = (pk: string) => new PutItemCommand({ TableName: 'rows', Item: { pk: { S: pk } } });

describe('a role session', () => {
  it('may do what its policy allows, and no more', async () => {
    const dynamodb = new DynamoDBClient(await sessionWith(policy(put)));

    await dynamodb.send(putRow('a'));

    await expect(dynamodb.send(new GetItemCommand({ TableName: 'rows', Key: { pk: { S: 'a' } } }))).rejects.toThrow(
      `User: arn:aws:sts::${ACCOUNT}:assumed-role/worker/me is not authorized to perform: dynamodb:GetItem on resource: ${TABLE} ` +
        'because no identity-based policy allows the dynamodb:GetItem action',
    );
  });

  it('is bound to the keys that a condition names', async () => {
    const condition = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['mine'] } };
    const dynamodb = new DynamoDBClient(await sessionWith(policy({ ...put, Condition: condition })));

    await dynamodb.send(putRow('mine'));

    await expect(dynamodb.send(putRow('yours'))).rejects.toThrow('dynamodb:PutItem');
  });

  it('loses at once what is taken out of its policies, and gains what is put in', async () => {
    const dynamodb = new DynamoDBClient(await sessionWith(policy(put)));
    await dynamodb.send(putRow('a'));

    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'worker', PolicyName: 'own' }));
    await expect(dynamodb.send(putRow('b'))).rejects.toThrow('is not authorized');

    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'rows', PolicyDocument: policy(put) }));
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'worker', PolicyArn: Policy?.Arn }));
    await dynamodb.send(putRow('b'));

    await iam.send(
      new PutRolePolicyCommand({
        RoleName: 'worker',
        PolicyName: 'no',
        PolicyDocument: policy({ ...put, Effect: 'Deny' }),
      }),
    );
    await expect(dynamodb.send(putRow('c'))).rejects.toThrow('with an explicit deny in an identity-based policy');
  });

  it('may do what a queue allows its role by name', async () => {
    const arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:jobs`;
    const allowed = {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/worker` },
      Action: 'sqs:SendMessage',
      Resource: arn,
    };
    const { QueueUrl } = await new SQSClient(runtime.config).send(
      new CreateQueueCommand({ QueueName: 'jobs', Attributes: { Policy: policy(allowed) } }),
    );
    const sqs = new SQSClient(await sessionWith(undefined));

    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));

    await expect(sqs.send(new ListQueuesCommand({}))).rejects.toThrow('sqs:ListQueues');
  });
});

describe('taking a role', () => {
  const assume = (name: string) =>
    new STSClient(runtime.config).send(
      new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`, RoleSessionName: 'me' }),
    );

  it('is refused when the trust policy names someone else, and when there is no such role', async () => {
    await iam.send(
      new CreateRoleCommand({
        RoleName: 'machine',
        AssumeRolePolicyDocument: trust({ Service: 'lambda.amazonaws.com' }),
      }),
    );
    const message = (name: string) =>
      `User: arn:aws:iam::${ACCOUNT}:user/operator is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${ACCOUNT}:role/${name}`;

    await expect(assume('machine')).rejects.toThrow(
      expect.objectContaining({ name: 'AccessDenied', message: message('machine') }),
    );
    await expect(assume('ghost')).rejects.toThrow(
      expect.objectContaining({ name: 'AccessDenied', message: message('ghost') }),
    );
  });

  it('with the session of another role is for an hour at most, whatever the role allows', async () => {
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/long`;
    const take = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: RoleArn };
    const config = await sessionWith(policy(take));
    const AssumeRolePolicyDocument = trust({ AWS: ACCOUNT });
    await iam.send(new CreateRoleCommand({ RoleName: 'long', AssumeRolePolicyDocument, MaxSessionDuration: 7200 }));
    const forSeconds = (DurationSeconds: number) =>
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', DurationSeconds });

    await new STSClient(runtime.config).send(forSeconds(7200));
    await new STSClient(config).send(forSeconds(3600));
    await expect(new STSClient(config).send(forSeconds(3601))).rejects.toThrow('1 hour session limit');
  });
});

describe('the IAM API', () => {
  it('tells of roles and policies what was given', async () => {
    const document = trust({ Service: 'iot.amazonaws.com' });
    await iam.send(
      new CreateRoleCommand({
        ...{ RoleName: 'rule', Path: '/iot/', Description: 'a "rule" & more', AssumeRolePolicyDocument: document },
        Tags: [{ Key: 'team', Value: 'farm' }],
      }),
    );
    await iam.send(new PutRolePolicyCommand({ RoleName: 'rule', PolicyName: 'own', PolicyDocument: policy(put) }));
    await iam.send(
      new AttachRolePolicyCommand({
        RoleName: 'rule',
        PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
      }),
    );

    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'rule' }));
    const { Roles } = await iam.send(new ListRolesCommand({ PathPrefix: '/iot/' }));
    const inline = await iam.send(new GetRolePolicyCommand({ RoleName: 'rule', PolicyName: 'own' }));
    const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: 'rule' }));
    const version = await iam.send(
      new GetPolicyVersionCommand({ PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess', VersionId: 'v1' }),
    );

    expect(Role).toMatchObject({
      Arn: `arn:aws:iam::${ACCOUNT}:role/iot/rule`,
      Description: 'a "rule" & more',
      MaxSessionDuration: 3600,
      Tags: [{ Key: 'team', Value: 'farm' }],
      CreateDate: expect.any(Date),
    });
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))).toEqual(JSON.parse(document));
    expect(Roles?.map((each) => each.RoleName)).toEqual(['rule']);
    expect(JSON.parse(decodeURIComponent(inline.PolicyDocument ?? ''))).toEqual(JSON.parse(policy(put)));
    expect(attached.AttachedPolicies?.map((each) => each.PolicyName)).toEqual(['AWSLambdaBasicExecutionRole']);
    expect(decodeURIComponent(version.PolicyVersion?.Document ?? '')).toContain('"Action":"*"');
  });

  it('refuses with the codes of IAM', async () => {
    const create = () =>
      iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trust({ AWS: ACCOUNT }) }));
    await create();
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn }));

    await expect(create()).rejects.toThrow(expect.objectContaining({ name: 'EntityAlreadyExistsException' }));
    await expect(iam.send(new GetRoleCommand({ RoleName: 'ghost' }))).rejects.toThrow(
      expect.objectContaining({ name: 'NoSuchEntityException' }),
    );
    await expect(iam.send(new DeleteRoleCommand({ RoleName: 'r' }))).rejects.toThrow(
      expect.objectContaining({ name: 'DeleteConflictException' }),
    );
    await expect(
      iam.send(
        new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'p', PolicyDocument: policy({ ...put, Efect: 'x' }) }),
      ),
    ).rejects.toThrow(expect.objectContaining({ name: 'MalformedPolicyDocumentException' }));
    await expect(
      iam.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' })),
    ).rejects.toThrow('does not have the AWS managed policy arn:aws:iam::aws:policy/ReadOnlyAccess');
    const many = Array.from({ length: 40 }, (_, at) => `arn:aws:iam::${ACCOUNT}:role/a-role-with-number-${at}-of-them`);
    for (const change of [
      new CreateRoleCommand({ RoleName: 'large', AssumeRolePolicyDocument: trust({ AWS: many }) }),
      new UpdateAssumeRolePolicyCommand({ RoleName: 'r', PolicyDocument: trust({ AWS: many }) }),
    ] as const) {
      await expect(iam.send(change as CreateRoleCommand)).rejects.toThrow('quota for ACLSizePerRole: 2048');
    }
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'r', PolicyArn }));
    await iam.send(new DeleteRoleCommand({ RoleName: 'r' }));
  });
});
