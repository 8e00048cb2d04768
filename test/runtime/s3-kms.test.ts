/** Objects under KMS keys: who puts needs kms:GenerateDataKey, who gets needs kms:Decrypt. */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { kmsClient } from '../support/kms.ts';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const ACCOUNT = '123456789012';
const root = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
const encrypted = (bucketKey: boolean) => ({
  ServerSideEncryptionConfiguration: [
    {
      BucketKeyEnabled: bucketKey,
      ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arnOf('Key') },
    },
  ],
});

const assembly = new Assembly()
  .add('Key', 'AWS::KMS::Key', {
    KeyPolicy: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' }],
    },
  })
  .add('Alias', 'AWS::KMS::Alias', { AliasName: 'alias/barn', TargetKeyId: { Ref: 'Key' } })
  .add('Barn', 'AWS::S3::Bucket', { BucketName: 'barn', BucketEncryption: encrypted(false) })
  .add('Shed', 'AWS::S3::Bucket', { BucketName: 'shed', BucketEncryption: encrypted(true) })
  .add('Plain', 'AWS::S3::Bucket', { BucketName: 'plain' });

let runtime: Runtime;
let s3: S3Client;

beforeAll(async () => {
  runtime = await assembly.start();
  s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

/** S3 as a role with all of S3, and of KMS what the statements say. */
async function asRole(RoleName: string, ...statements: readonly object[]): Promise<S3Client> {
  const iam = new IAMClient(runtime.config);
  const document = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const trust = { Effect: 'Allow', Principal: root, Action: 'sts:AssumeRole' };
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }));
  const PolicyDocument = document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }, ...statements);
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument }));
  const { Credentials: given } = await new STSClient(runtime.config).send(
    new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`, RoleSessionName: 'test' }),
  );
  const credentials = {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
  return new S3Client({ ...runtime.config, credentials, forcePathStyle: true });
}

const allow = (Action: string, thing = '*') => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
  Condition: {
    StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' },
    StringLike: { 'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${thing}` },
  },
});

it('the bucket decides on the key, and answers name it', async () => {
  const { KeyMetadata } = await kmsClient(runtime)('DescribeKey', { KeyId: 'alias/barn' });
  const { Arn } = KeyMetadata as { Arn: string };

  const put = await s3.send(new PutObjectCommand({ Bucket: 'shed', Key: 'a', Body: 'hay' }));
  const got = await s3.send(new GetObjectCommand({ Bucket: 'shed', Key: 'a' }));

  const expected = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: Arn, BucketKeyEnabled: true };
  expect(put).toMatchObject(expected);
  expect(got).toMatchObject(expected);
  expect(await got.Body?.transformToString()).toBe('hay');
});

it('a request may name a key, by its alias as well, or leave it to S3', async () => {
  const asked = { Bucket: 'plain', Key: 'a', Body: 'hay', ServerSideEncryption: 'aws:kms' } as const;

  const own = await s3.send(new PutObjectCommand({ ...asked, SSEKMSKeyId: 'alias/barn' }));
  const managed = await s3.send(new PutObjectCommand(asked));

  expect(own.SSEKMSKeyId).toMatch(/^arn:aws:kms:us-east-1:\d+:key\//);
  expect(managed.SSEKMSKeyId).toMatch(/^arn:aws:kms:us-east-1:\d+:key\//);
  expect(managed.SSEKMSKeyId).not.toBe(own.SSEKMSKeyId);
  await expect(s3.send(new PutObjectCommand({ ...asked, SSEKMSKeyId: 'alias/none' }))).rejects.toMatchObject({
    name: 'KMS.NotFoundException',
  });
});

it('who puts and who gets need the permission on the key, for this object', async () => {
  const writer = await asRole('writer', allow('kms:GenerateDataKey', 'barn/in/*'));
  const reader = await asRole('reader', allow('kms:Decrypt', 'barn/in/*'));
  const nobody = await asRole('nobody');
  const inside = { Bucket: 'barn', Key: 'in/a' };

  await writer.send(new PutObjectCommand({ ...inside, Body: 'hay' }));

  const got = await reader.send(new GetObjectCommand(inside));
  expect(await got.Body?.transformToString()).toBe('hay');
  const denied = { name: 'AccessDenied' };
  await expect(writer.send(new GetObjectCommand(inside))).rejects.toMatchObject(denied);
  await expect(nobody.send(new GetObjectCommand(inside))).rejects.toMatchObject(denied);
  await expect(reader.send(new PutObjectCommand({ ...inside, Body: 'x' }))).rejects.toMatchObject(denied);
  const outside = { Bucket: 'barn', Key: 'out/a', Body: 'hay' };
  await expect(writer.send(new PutObjectCommand(outside))).rejects.toMatchObject(denied);
});

it('a writer may add to the encryption context, which policies see at every use', async () => {
  const Condition = {
    StringEquals: { 'kms:EncryptionContext:field': 'north' },
    StringLike: { 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::barn/*' },
  };
  const anyUse = { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: '*', Condition };
  const farmer = await asRole('farmer', anyUse);
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
  const put = (Key: string, context: unknown) =>
    farmer.send(
      new PutObjectCommand({
        ...{ Bucket: 'barn', Key, Body: 'hay', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/barn' },
        SSEKMSEncryptionContext: base64(context),
      }),
    );

  const { SSEKMSEncryptionContext } = await put('a', { field: 'north' });

  expect(SSEKMSEncryptionContext).toBe(base64({ field: 'north' }));
  const got = await farmer.send(new GetObjectCommand({ Bucket: 'barn', Key: 'a' }));
  expect(await got.Body?.transformToString()).toBe('hay');
  await expect(put('b', { field: 'south' })).rejects.toMatchObject({ name: 'AccessDenied' });
  await expect(put('b', ['north'])).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(put('b', { 'aws:s3:arn': 'x' })).rejects.toMatchObject({ name: 'InvalidArgument' });
});

it('an object cannot be read while its key is disabled', async () => {
  await s3.send(new PutObjectCommand({ Bucket: 'barn', Key: 'a', Body: 'hay' }));
  const kms = kmsClient(runtime);
  const { KeyMetadata } = await kms('DescribeKey', { KeyId: 'alias/barn' });

  await kms('DisableKey', { KeyId: (KeyMetadata as { KeyId: string }).KeyId });

  await expect(s3.send(new GetObjectCommand({ Bucket: 'barn', Key: 'a' }))).rejects.toMatchObject({
    name: 'KMS.DisabledException',
  });
});
