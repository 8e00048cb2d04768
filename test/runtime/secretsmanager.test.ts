/** Secrets Manager in its own protocol, through templates, and in the SQL of rules. */
import { randomUUID } from 'node:crypto';
import { CreateTopicRuleCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type AwsJson, awsJsonClient, type Credentials } from '../support/aws-json.ts';
import { createRole, type Grant, roleConfig } from '../support/role-config.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

const TARGET = { service: 'secretsmanager', prefix: 'secretsmanager', version: '1.1' } as const;
const DAY = 86_400;

let runtime: Runtime;
let secrets: AwsJson;

const assembly = new Assembly()
  .add('Plain', 'AWS::SecretsManager::Secret', { Name: 'plain', SecretString: 'open sesame', Description: 'a door' })
  .add('Generated', 'AWS::SecretsManager::Secret', {
    Name: 'generated',
    GenerateSecretString: {
      SecretStringTemplate: '{"user":"anna"}',
      GenerateStringKey: 'password',
      PasswordLength: 20,
      ExcludePunctuation: true,
    },
  });

beforeAll(async () => {
  runtime = await assembly.start();
  secrets = awsJsonClient(runtime, TARGET);
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

const as = (credentials: Credentials) => awsJsonClient(runtime, TARGET, credentials);
const create = (Name: string, SecretString: string, more: object = {}) =>
  secrets('CreateSecret', { Name, SecretString, ...more });
const value = async (input: object, client = secrets) => (await client('GetSecretValue', { ...input })).SecretString;
async function roleThatMay(...grants: Grant[]): Promise<AwsJson> {
  return as((await roleConfig(runtime, ...grants)).credentials);
}

describe('a secret', () => {
  it('is found by name, ARN and ARN without suffix', async () => {
    const { ARN, VersionId } = await create('farm/key', 'eggs');

    expect(ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:\d{12}:secret:farm\/key-\w{6}$/);
    for (const SecretId of ['farm/key', ARN, String(ARN).slice(0, -7)]) {
      expect(await secrets('GetSecretValue', { SecretId })).toMatchObject({
        ARN,
        Name: 'farm/key',
        VersionId,
        SecretString: 'eggs',
        VersionStages: ['AWSCURRENT'],
      });
    }
    await expect(value({ SecretId: 'farm' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(create('farm/key', 'more')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  it('keeps the previous version, and knows a token again', async () => {
    const SecretId = 'plain';
    const token = randomUUID();
    const put = (SecretString: string, ClientRequestToken = randomUUID()) =>
      secrets('PutSecretValue', { SecretId, SecretString, ClientRequestToken });
    await put('second', token);
    await put('second', token);
    await expect(put('other', token)).rejects.toMatchObject({ name: 'ResourceExistsException' });

    expect(await value({ SecretId })).toBe('second');
    expect(await value({ SecretId, VersionStage: 'AWSPREVIOUS' })).toBe('open sesame');
    await put('third');
    expect(await value({ SecretId, VersionId: token })).toBe('second');
    expect(await value({ SecretId, VersionStage: 'AWSPREVIOUS' })).toBe('second');
    const { VersionIdsToStages } = await secrets('DescribeSecret', { SecretId });
    expect(Object.values(Object(VersionIdsToStages)).flat().toSorted()).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
  });

  it('may be bytes', async () => {
    const SecretBinary = Buffer.from([0, 1, 2]);
    await secrets('CreateSecret', { Name: 'bytes', SecretBinary });
    const answer = await secrets('GetSecretValue', { SecretId: 'bytes' });
    expect(answer.SecretBinary).toBe(SecretBinary.toString('base64'));
    expect(answer).not.toHaveProperty('SecretString');
  });

  it('is deleted after the recovery window, and can be restored before', async () => {
    const SecretId = 'plain';
    await secrets('DeleteSecret', { SecretId, RecoveryWindowInDays: 7 });
    await expect(value({ SecretId })).rejects.toThrow(/marked for deletion/);
    await expect(create(SecretId, 'new')).rejects.toThrow(/already scheduled for deletion/);
    await secrets('RestoreSecret', { SecretId });
    expect(await value({ SecretId })).toBe('open sesame');

    await secrets('DeleteSecret', { SecretId, RecoveryWindowInDays: 7 });
    await runtime.advance(7 * DAY);
    await expect(secrets('DescribeSecret', { SecretId })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await create(SecretId, 'new');
    await secrets('DeleteSecret', { SecretId, ForceDeleteWithoutRecovery: true });
    await expect(secrets('DescribeSecret', { SecretId })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('is listed in pages', async () => {
    const first = await secrets('ListSecrets', { MaxResults: 1 });
    const second = await secrets('ListSecrets', { MaxResults: 1, NextToken: first.NextToken });
    const names = [first, second].flatMap(({ SecretList }) => SecretList as { Name: string; Description?: string }[]);
    expect(names.map(({ Name }) => Name)).toEqual(['generated', 'plain']);
    expect(names[1]?.Description).toBe('a door');
    expect(second.NextToken).toBeUndefined();
  });

  it('of a template may be generated', async () => {
    const made = JSON.parse(String(await value({ SecretId: 'generated' })));
    expect(made).toEqual({ user: 'anna', password: expect.stringMatching(/^[a-zA-Z0-9]{20}$/) });
  });

  it.each([
    [{ Name: 'a b', SecretString: 'x' }, /Invalid name/],
    [{ Name: 'a', SecretString: 'x'.repeat(65_537) }, /1 to 65536 bytes/],
    [{ Name: 'a', SecretString: 'x', SecretBinary: Buffer.from('x') }, /either SecretString or SecretBinary/],
    [{ Name: 'a', SecretString: 'x', AddReplicaRegions: [{ Region: 'eu-west-1' }] }, /AddReplicaRegions/],
  ])('case %#: is refused', async (input, error) => {
    await expect(secrets('CreateSecret', input)).rejects.toThrow(error);
    await expect(secrets('DescribeSecret', { SecretId: 'a' })).rejects.toThrow(/can't find/);
  });

  it('makes passwords with one of each kind', async () => {
    const { RandomPassword } = await secrets('GetRandomPassword', { PasswordLength: 4 });
    for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/]) expect(RandomPassword).toMatch(kind);
    const none = { ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true };
    await expect(secrets('GetRandomPassword', none)).rejects.toThrow(/All characters are excluded/);
  });
});

describe('permissions', () => {
  it('are asked for the ARN of the secret', async () => {
    const { ARN } = await secrets('DescribeSecret', { SecretId: 'plain' });
    const may = await roleThatMay({ Action: 'secretsmanager:GetSecretValue', Resource: String(ARN) });
    expect(await value({ SecretId: 'plain' }, may)).toBe('open sesame');
    await expect(value({ SecretId: 'generated' }, may)).rejects.toThrow(/secret:generated-/);
    const put = may('PutSecretValue', { SecretId: 'plain', SecretString: 'x' });
    await expect(put).rejects.toThrow(/not authorized to perform: secretsmanager:PutSecretValue/);
    await expect(may('CreateSecret', { Name: 'x', SecretString: 'x' })).rejects.toThrow(/secretsmanager:CreateSecret/);
  });

  it('include the key of the secret', async () => {
    const kms = awsJsonClient(runtime, { service: 'kms', prefix: 'TrentService', version: '1.1' });
    const { KeyMetadata } = await kms('CreateKey', {});
    const { Arn, KeyId: KmsKeyId } = Object(KeyMetadata);
    await create('sealed', 'eggs', { KmsKeyId });
    const read = { Action: 'secretsmanager:GetSecretValue', Resource: '*' };

    await expect(value({ SecretId: 'sealed' }, await roleThatMay(read))).rejects.toThrow(
      /Access to KMS is not allowed/,
    );
    const Condition = { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } };
    const decrypt = { Action: 'kms:Decrypt', Resource: Arn, Condition };
    expect(await value({ SecretId: 'sealed' }, await roleThatMay(read, decrypt))).toBe('eggs');
    await kms('DisableKey', { KeyId: KmsKeyId });
    await expect(value({ SecretId: 'sealed' })).rejects.toMatchObject({ name: 'DecryptionFailure' });
  });
});

describe('get_secret', () => {
  let iot: IoTClient;
  let sqs: SQSClient;
  let QueueUrl: string | undefined;
  let queueRole: string;

  beforeEach(async () => {
    iot = new IoTClient({ ...runtime.config, maxAttempts: 1 });
    sqs = new SQSClient(runtime.config);
    ({ QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'out' })));
    queueRole = await createRole(runtime, [{ Action: 'sqs:SendMessage', Resource: '*' }], 'iot.amazonaws.com');
  });

  async function rule(select: string, client = iot): Promise<void> {
    const actions = [{ sqs: { queueUrl: QueueUrl, roleArn: queueRole } }];
    const topicRulePayload = { sql: `SELECT ${select} FROM 'a'`, awsIotSqlVersion: '2016-03-23', actions };
    await client.send(new CreateTopicRuleCommand({ ruleName: 'read', topicRulePayload }));
  }

  async function result(): Promise<unknown> {
    await new IoTDataPlaneClient(runtime.config).send(new PublishCommand({ topic: 'a', payload: Buffer.from('{}') }));
    await runtime.advance(0);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    return Messages.map(({ Body }) => JSON.parse(Body ?? '')).at(-1);
  }

  const reader = () =>
    createRole(runtime, [{ Action: 'secretsmanager:GetSecretValue', Resource: '*' }], 'iot.amazonaws.com');

  it('gives a text, or a member of it', async () => {
    const roleArn = await reader();
    await rule(
      `get_secret('plain', 'SecretString', '${roleArn}') AS door, ` +
        `get_secret('generated', 'SecretString', 'user', '${roleArn}') AS user`,
    );
    expect(await result()).toEqual({ door: 'open sesame', user: 'anna' });
  });

  it('sees a change after a quarter of an hour', async () => {
    await rule(`get_secret('plain', 'SecretString', '${await reader()}') AS door`);
    expect(await result()).toEqual({ door: 'open sesame' });
    await secrets('PutSecretValue', { SecretId: 'plain', SecretString: 'close sesame' });
    expect(await result()).toEqual({ door: 'open sesame' });
    await runtime.advance(15 * 60);
    expect(await result()).toEqual({ door: 'close sesame' });
  });

  it('of a role that may not read ends the rule', async () => {
    const roleArn = await createRole(runtime, [], 'iot.amazonaws.com');
    await rule(`get_secret('plain', 'SecretString', '${roleArn}') AS door`);
    expect(await result()).toBeUndefined();
    expect(runtime.output()).toMatch(/get_secret failed: [^"]*secretsmanager:GetSecretValue/);
  });

  it('takes a role that whoever creates the rule may pass', async () => {
    const Resource = `arn:aws:iot:us-east-1:${runtime.endpoints.accountId}:rule/*`;
    const pass = { Action: 'iam:PassRole', Resource: queueRole };
    const config = await roleConfig(runtime, { Action: 'iot:CreateTopicRule', Resource }, pass);
    const roleArn = await reader();
    const refused = rule(`get_secret('plain', 'SecretString', '${roleArn}') AS door`, new IoTClient(config));
    await expect(refused).rejects.toThrow(`iam:PassRole on resource: ${roleArn}`);
  });
});

it('costs by the hour and by the call', async () => {
  await value({ SecretId: 'plain' });
  const answer = await fetch(`${runtime.endpoints.awsEndpoint}/_local/meter`);
  const { services } = (await answer.json()) as { services: { service: string; item: string; quantity: number }[] };
  const lines = services.filter(({ service }) => service === 'AWS Secrets Manager');
  expect(lines).toMatchObject([
    { item: 'secrets', quantity: 2 },
    { item: 'API calls', quantity: 1 },
  ]);
});
