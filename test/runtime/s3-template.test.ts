/** Tables, streams and buckets as the CDK's own constructs declare them: what the template says has its effect. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import {
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { App, Duration, Stack } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  Table,
  TableEncryption,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const DAY = 86_400;
let folder: string;
let runtime: Runtime;
let s3: S3Client;

function synthesize(): string {
  const app = new App({ outdir: path.join(folder, 'cdk.out') });
  const stack = new Stack(app, 'State');
  const partitionKey = { name: 'pk', type: AttributeType.STRING };
  new TableV2(stack, 'History', {
    tableName: 'history',
    partitionKey,
    sortKey: { name: 'sk', type: AttributeType.STRING },
    timeToLiveAttribute: 'expiresAt',
    deletionProtection: true,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    encryption: TableEncryptionV2.awsManagedKey(),
    globalSecondaryIndexes: [{ indexName: 'byKind', partitionKey: { name: 'kind', type: AttributeType.STRING } }],
  });
  new Table(stack, 'Things', {
    tableName: 'things',
    partitionKey,
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.AWS_MANAGED,
    timeToLiveAttribute: 'expiresAt',
  });
  new Stream(stack, 'Telemetry', {
    streamName: 'telemetry',
    streamMode: StreamMode.PROVISIONED,
    shardCount: 2,
    retentionPeriod: Duration.hours(48),
    encryption: StreamEncryption.MANAGED,
  });
  const logs = new Bucket(stack, 'Logs', { enforceSSL: true, encryption: BucketEncryption.S3_MANAGED });
  const archive = new Bucket(stack, 'Archive', {
    bucketName: 'archive',
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    // The library's own class and interface disagree under exactOptionalPropertyTypes.
    serverAccessLogsBucket: logs as IBucket,
    lifecycleRules: [
      {
        prefix: 'short/',
        expiration: Duration.days(3),
        noncurrentVersionExpiration: Duration.days(2),
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
    ],
  });
  archive.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['s3:DeleteObject'],
      resources: [archive.arnForObjects('kept/*')],
    }),
  );
  return app.synth().directory;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-state-'));
  runtime = await startRuntime({ assembly: synthesize() });
  s3 = new S3Client(runtime.config);
});
afterAll(async () => {
  s3.destroy();
  await runtime.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('the template', () => {
  it('makes tables with their protection, encryption, indexes and time to live', async () => {
    const client = new DynamoDBClient(runtime.config);

    const { Table: history } = await client.send(new DescribeTableCommand({ TableName: 'history' }));
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: 'things' }));

    expect(history).toMatchObject({
      DeletionProtectionEnabled: true,
      SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' },
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      GlobalSecondaryIndexes: [{ IndexName: 'byKind', IndexStatus: 'ACTIVE' }],
    });
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
  });

  it('makes streams with their shards, retention and encryption', async () => {
    const { StreamDescriptionSummary } = await new KinesisClient(runtime.config).send(
      new DescribeStreamSummaryCommand({ StreamName: 'telemetry' }),
    );

    expect(StreamDescriptionSummary).toMatchObject({
      OpenShardCount: 2,
      RetentionPeriodHours: 48,
      EncryptionType: 'KMS',
      KeyId: 'alias/aws/kinesis',
    });
  });

  it('makes buckets with their settings', async () => {
    const of = { Bucket: 'archive' };

    const { Status } = await s3.send(new GetBucketVersioningCommand(of));
    const { PublicAccessBlockConfiguration: block } = await s3.send(new GetPublicAccessBlockCommand(of));
    const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand(of));
    const { Policy } = await s3.send(new GetBucketPolicyCommand(of));

    expect(Status).toBe('Enabled');
    expect(block).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe(
      'AES256',
    );
    expect(Policy).toContain('aws:SecureTransport');
  });
});

describe('a bucket policy', () => {
  const of = { Bucket: 'archive', Key: 'kept/a' };

  it('that asks for TLS lets loopback in, and a denial holds for the operator too', async () => {
    await s3.send(new PutObjectCommand({ ...of, Body: 'x' }));

    const { Body } = await s3.send(new GetObjectCommand(of));

    expect(await Body?.transformToString()).toBe('x');
    await expect(s3.send(new DeleteObjectCommand(of))).rejects.toThrow(
      'with an explicit deny in a resource-based policy',
    );
  });

  it('that would make the bucket public is blocked', async () => {
    const Statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::archive/*' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });

    await expect(s3.send(new PutBucketPolicyCommand({ Bucket: 'archive', Policy }))).rejects.toThrow(
      'BlockPublicPolicy',
    );
  });

  it('takes no policy whose effect is neither Allow nor Deny', async () => {
    const Principal = { AWS: 'arn:aws:iam::123456789012:root' };
    const Statement = { Effect: 'allow', Principal, Action: 's3:GetObject', Resource: 'arn:aws:s3:::archive/*' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });

    await expect(s3.send(new PutBucketPolicyCommand({ Bucket: 'archive', Policy }))).rejects.toMatchObject({
      name: 'MalformedPolicy',
      message: expect.stringContaining('Effect'),
    });
  });
});

describe('a lifecycle rule', () => {
  it('expires objects under its prefix, and later their old versions', async () => {
    // GIVEN
    await runtime.reset();
    const Bucket = 'archive';
    for (const Key of ['short/a', 'long/a']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const keys = async () => (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key);

    // WHEN
    await runtime.advance(2 * DAY);
    const before = await keys();
    await runtime.advance(2 * DAY);
    const after = await keys();

    // THEN
    expect(before).toEqual(['long/a', 'short/a']);
    expect(after).toEqual(['long/a']);
    const noncurrent = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'short/' }));
    expect([noncurrent.Versions?.length, noncurrent.DeleteMarkers?.length]).toEqual([1, 1]);
    await runtime.advance(4 * DAY);
    const later = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'short/' }));
    expect(later.Versions ?? []).toEqual([]);
  });
});
