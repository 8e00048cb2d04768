/** Data Firehose as the CDK deploys it: buffers, object names, delivery as the role, retries. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  CreateDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  type ExtendedS3DestinationConfiguration,
  FirehoseClient,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose';
import { IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ACCOUNT = '123456789012';
const PREFIX = 'telemetry/date=!{timestamp:yyyy-MM-dd}/';
const ERRORS = 'errors/!{firehose:error-output-type}/';
let folder: string;
let runtime: Runtime;
let firehose: FirehoseClient;
let s3: S3Client;

/** A stack with a bucket, a role that may write into a part of it, and two delivery streams. */
function synthesize(): string {
  const app = new App({ outdir: path.join(folder, 'cdk.out') });
  const stack = new Stack(app, 'Archive');
  const bucket = new Bucket(stack, 'Bucket', { bucketName: 'archive', enforceSSL: true });
  const role = new Role(stack, 'Role', {
    roleName: 'delivery',
    assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
      conditions: { StringEquals: { 'sts:ExternalId': ACCOUNT } },
    }),
  });
  role.addToPolicy(
    new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects('telemetry/*')] }),
  );
  const stream = (name: string, more: Partial<CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty>) =>
    new CfnDeliveryStream(stack, name, {
      deliveryStreamName: name,
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: role.roleArn,
        bufferingHints: { intervalInSeconds: Duration.minutes(1).toSeconds(), sizeInMBs: 1 },
        prefix: PREFIX,
        errorOutputPrefix: ERRORS,
        ...more,
      },
    });
  stream('plain', {});
  stream('zipped', { compressionFormat: 'GZIP' });
  stream('elsewhere', { prefix: 'forbidden/!{timestamp:yyyy}/' });
  return app.synth().directory;
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-firehose-'));
  runtime = await startRuntime({ assembly: synthesize() });
  firehose = new FirehoseClient(runtime.config);
  s3 = new S3Client(runtime.config);
});
afterAll(async () => {
  firehose.destroy();
  s3.destroy();
  await runtime.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => runtime.reset());

async function put(DeliveryStreamName: string, ...texts: string[]): Promise<void> {
  const Records = texts.map((text) => ({ Data: Buffer.from(text) }));
  await firehose.send(new PutRecordBatchCommand({ DeliveryStreamName, Records }));
}

async function keys(): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'archive' }));
  return Contents.map(({ Key }) => Key ?? '');
}

async function content(Key: string | undefined): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'archive', Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

describe('records', () => {
  it('are written together when the interval is over, named by stream and time', async () => {
    // GIVEN
    await put('plain', 'a\n', 'b\n');
    await firehose.send(new PutRecordCommand({ DeliveryStreamName: 'plain', Record: { Data: Buffer.from('c\n') } }));
    expect(await keys()).toEqual([]);

    // WHEN
    await runtime.advance(61);

    // THEN
    const [key, ...others] = await keys();
    expect(others).toEqual([]);
    expect(key).toMatch(
      /^telemetry\/date=(\d{4}-\d\d-\d\d)\/plain-1-\1-\d\d-\d\d-\d\d-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
    expect((await content(key)).toString()).toBe('a\nb\nc\n');
  });

  it('are written at once when the buffer is full', async () => {
    await put('plain', 'x'.repeat(600_000), 'y'.repeat(600_000), 'z');

    await runtime.advance(0);

    expect(await keys()).toHaveLength(1);
    await runtime.advance(61);
    const sizes = await Promise.all((await keys()).map(async (key) => (await content(key)).length));
    expect(sizes.toSorted()).toEqual([1, 1_200_000].toSorted());
  });

  it('are compressed if the stream says so', async () => {
    await put('zipped', '{"a":1}\n');
    await runtime.advance(61);

    const [key] = await keys();

    expect(key).toMatch(/\.gz$/);
    expect(gunzipSync(await content(key)).toString()).toBe('{"a":1}\n');
  });

  it('are refused beyond 1 000 KiB, 500 at once or 4 MiB at once', async () => {
    await expect(put('plain', 'x'.repeat(1000 * 1024 + 1))).rejects.toThrow('less than or equal to 1024000');
    await expect(put('plain', ...Array.from({ length: 501 }, () => 'x'))).rejects.toThrow('less than or equal to 500');
    await expect(put('plain', ...Array.from({ length: 5 }, () => 'x'.repeat(900_000)))).rejects.toThrow('4 MB limit');
    await expect(put('nobody', 'x')).rejects.toThrow(`Firehose nobody under account ${ACCOUNT} not found`);
  });
});

describe('a delivery that fails', () => {
  it('is repeated until the role may write', async () => {
    // GIVEN
    await put('elsewhere', 'kept');
    await runtime.advance(3600);
    expect(await keys()).toEqual([]);
    expect(runtime.output()).toContain('Firehose could not deliver records to S3 and tries again');

    // WHEN
    const Statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::archive/forbidden/*' };
    await new IAMClient(runtime.config).send(
      new PutRolePolicyCommand({
        RoleName: 'delivery',
        PolicyName: 'more',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
      }),
    );
    await runtime.advance(301);

    // THEN
    const found = await keys();
    expect(found).toHaveLength(1);
    expect((await content(found[0])).toString()).toBe('kept');
  });

  it('is given up after 24 hours, not without a word', async () => {
    await put('elsewhere', 'lost');

    await runtime.advance(25 * 3600);

    expect(runtime.output()).toContain('could not deliver records to S3 for 24 hours and drops them');
  });
});

describe('a delivery stream', () => {
  const create = (more: Partial<ExtendedS3DestinationConfiguration>) =>
    firehose.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: 'own',
        ExtendedS3DestinationConfiguration: {
          BucketARN: 'arn:aws:s3:::archive',
          RoleARN: `arn:aws:iam::${ACCOUNT}:role/delivery`,
          ...more,
        },
      }),
    );

  it('is described as it was declared', async () => {
    const { DeliveryStreamDescription: description } = await firehose.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'zipped' }),
    );

    expect(description).toMatchObject({
      DeliveryStreamARN: `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/zipped`,
      DeliveryStreamStatus: 'ACTIVE',
      DeliveryStreamType: 'DirectPut',
      DeliveryStreamEncryptionConfiguration: { Status: 'ENABLED', KeyType: 'AWS_OWNED_CMK' },
    });
    expect(description?.Destinations?.[0]?.ExtendedS3DestinationDescription).toMatchObject({
      BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 1 },
      CompressionFormat: 'GZIP',
      ErrorOutputPrefix: ERRORS,
      Prefix: PREFIX,
    });
  });

  it.each<[string, Partial<ExtendedS3DestinationConfiguration>, string]>([
    ['an expression without a prefix for errors', { Prefix: '!{timestamp:yyyy}/' }, 'ErrorOutputPrefix cannot be null'],
    ['an unknown expression', { Prefix: '!{device:name}/', ErrorOutputPrefix: ERRORS }, '!{device:name} is not valid'],
    ['a pattern that is not emulated', { Prefix: '!{timestamp:EEE}/', ErrorOutputPrefix: ERRORS }, 'EEE is none of'],
    [
      'dynamic partitioning',
      { DynamicPartitioningConfiguration: { Enabled: true } },
      'DynamicPartitioningConfiguration',
    ],
    [
      'a Lambda processor',
      { ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'Lambda' }] } },
      'processor Lambda',
    ],
    ['Snappy', { CompressionFormat: 'Snappy' }, 'CompressionFormat Snappy'],
    ['a role that is not for it', { RoleARN: `arn:aws:iam::${ACCOUNT}:role/other` }, 'unable to assume role'],
  ])('with %s is refused', async (_what, more, message) => {
    await expect(create(more)).rejects.toThrow(message);
  });

  it('puts the delimiter behind each record and the hour before the name', async () => {
    await create({
      Prefix: 'telemetry/',
      BufferingHints: { IntervalInSeconds: 0, SizeInMBs: 1 },
      ProcessingConfiguration: {
        Enabled: true,
        Processors: [
          {
            Type: 'AppendDelimiterToRecord',
            Parameters: [{ ParameterName: 'Delimiter', ParameterValue: '\\n' }],
          },
        ],
      },
    });

    await put('own', 'a', 'b');
    await runtime.advance(1);

    const [key] = await keys();
    expect(key).toMatch(/^telemetry\/\d{4}\/\d\d\/\d\d\/\d\d\/own-1-/);
    expect((await content(key)).toString()).toBe('a\nb\n');
  });
});
