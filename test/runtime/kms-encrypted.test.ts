/** Queues, topics and streams with a key of KMS: who uses them has to be allowed to use the key as well. */
import {
  CreateDeliveryStreamCommand,
  FirehoseClient,
  PutRecordCommand as PutFirehoseRecordCommand,
} from '@aws-sdk/client-firehose';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
  StartStreamEncryptionCommand,
} from '@aws-sdk/client-kinesis';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  CreateTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const ACCOUNT = '123456789012';
let runtime: Runtime;
beforeAll(async () => {
  runtime = await startRuntime();
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.reset());

const document = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const toAccount = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'kms:*', Resource: '*' };

async function createKey(...more: readonly object[]): Promise<string> {
  const create = new CreateKeyCommand({ Policy: document(toAccount, ...more) });
  return (await new KMSClient(runtime.config).send(create)).KeyMetadata?.Arn ?? '';
}

/** A session of a new role that may do these actions on everything, under these conditions. */
async function as(name: string, actions: readonly string[], Condition: object = {}) {
  const iam = new IAMClient(runtime.config);
  const trust = document({ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' });
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust }));
  const PolicyDocument = document({ Effect: 'Allow', Action: actions, Resource: '*', Condition });
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'own', PolicyDocument }));
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
  const take = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' });
  const {
    AccessKeyId = '',
    SecretAccessKey = '',
    SessionToken = '',
  } = (await new STSClient(runtime.config).send(take)).Credentials ?? {};
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return { ...runtime.config, credentials, maxAttempts: 1 };
}

async function createQueue(QueueName: string, Attributes: Record<string, string>): Promise<string> {
  return (await new SQSClient(runtime.config).send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
}

const bodies = async (QueueUrl: string, config: ConstructorParameters<typeof SQSClient>[0] = runtime.config) => {
  const { Messages = [] } = await new SQSClient(config).send(new ReceiveMessageCommand({ QueueUrl }));
  return Messages.map(({ Body }) => Body);
};
const noKey = (action: string) => new RegExp(`is not authorized to perform: kms:${action} on resource: arn:aws:kms:`);

describe('a queue with a key', () => {
  const arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:jobs`;
  let QueueUrl: string;
  let key: string;
  beforeEach(async () => {
    key = await createKey();
    QueueUrl = await createQueue('jobs', { KmsMasterKeyId: key });
  });

  it.each<readonly [string, readonly string[], string | undefined]>([
    ['GenerateDataKey', ['sqs:SendMessage'], 'GenerateDataKey'],
    ['Decrypt', ['sqs:SendMessage', 'kms:GenerateDataKey'], 'Decrypt'],
    ['nothing else', ['sqs:SendMessage', 'kms:GenerateDataKey', 'kms:Decrypt'], undefined],
  ])('asks producers for %s', async (_what, actions, missing) => {
    const producer = new SQSClient(await as('producer', actions));
    const send = () => producer.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    const sendBatch = () =>
      producer.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'two', MessageBody: 'two' }] }));

    if (missing === undefined) {
      await send();
      await sendBatch();
      return;
    }
    for (const each of [send, sendBatch]) {
      await expect(each()).rejects.toMatchObject({
        name: 'KmsAccessDenied',
        message: expect.stringMatching(noKey(missing)),
      });
    }
    expect(await bodies(QueueUrl)).toEqual([]);
  });

  it('asks consumers for Decrypt, through the queue and with its ARN as context', async () => {
    await new SQSClient(runtime.config).send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    const condition = {
      StringEquals: { 'kms:ViaService': 'sqs.us-east-1.amazonaws.com', 'kms:EncryptionContext:aws:sqs:arn': arn },
    };

    await expect(bodies(QueueUrl, await as('stranger', ['sqs:ReceiveMessage']))).rejects.toThrow(noKey('Decrypt'));
    const consumer = await as('consumer', ['kms:Decrypt'], condition);
    await new IAMClient(runtime.config).send(
      new PutRolePolicyCommand({
        RoleName: 'consumer',
        PolicyName: 'queue',
        PolicyDocument: document({ Effect: 'Allow', Action: 'sqs:ReceiveMessage', Resource: arn }),
      }),
    );
    expect(await bodies(QueueUrl, consumer)).toEqual(['one']);
  });

  it('takes nothing while the key is disabled', async () => {
    await new KMSClient(runtime.config).send(new DisableKeyCommand({ KeyId: key }));

    const send = new SQSClient(runtime.config).send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));

    await expect(send).rejects.toMatchObject({ name: 'KmsDisabled' });
  });
});

it('a topic reaches a queue with a key when the policy of the key lets it', async () => {
  const sns = new SNSClient(runtime.config);
  const forSns = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: ['kms:GenerateDataKey*', 'kms:Decrypt'],
    Resource: '*',
  };
  const letIn = document({
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:*',
    Resource: '*',
  });
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'news' }));
  const queueWith = async (name: string, key: string) => {
    const url = await createQueue(name, { Policy: letIn, KmsMasterKeyId: key });
    const Endpoint = `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
    const Attributes = { RawMessageDelivery: 'true' };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes }));
    return url;
  };
  const closed = await queueWith('closed', await createKey());
  const managed = await queueWith('managed', 'alias/aws/sqs');
  const open = await queueWith('open', await createKey(forSns));

  await sns.send(new PublishCommand({ TopicArn, Message: 'fresh eggs' }));
  await runtime.advance(0);

  expect(await bodies(open)).toEqual(['fresh eggs']);
  expect(await bodies(closed)).toEqual([]);
  expect(await bodies(managed)).toEqual([]);
  expect(runtime.output()).toMatch(/sns\.amazonaws\.com is not authorized to perform: kms:GenerateDataKey/);
});

it('a topic with a key asks publishers for it', async () => {
  const KmsMasterKeyId = await createKey();
  const create = new CreateTopicCommand({ Name: 'news', Attributes: { KmsMasterKeyId } });
  const { TopicArn = '' } = await new SNSClient(runtime.config).send(create);
  const publish = async (config: ConstructorParameters<typeof SNSClient>[0]) => {
    const sns = new SNSClient(config ?? {});
    await sns.send(new PublishCommand({ TopicArn, Message: 'eggs' }));
    const PublishBatchRequestEntries = [{ Id: 'one', Message: 'eggs' }];
    await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
  };

  await publish(await as('writer', ['sns:Publish', 'kms:GenerateDataKey*', 'kms:Decrypt']));
  await expect(publish(await as('stranger', ['sns:Publish']))).rejects.toThrow(noKey('GenerateDataKey'));
});

it('a stream with a key asks who puts and who gets records for it', async () => {
  const StreamName = 'readings';
  const KeyId = await createKey();
  const kinesis = new KinesisClient(runtime.config);
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await kinesis.send(new StartStreamEncryptionCommand({ StreamName, EncryptionType: 'KMS', KeyId }));
  const record = { PartitionKey: 'a', Data: Buffer.from('1') };
  const put = new PutRecordCommand({ StreamName, ...record });
  const putAll = new PutRecordsCommand({ StreamName, Records: [record] });
  const shard = { StreamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' } as const;
  const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(shard));
  const get = new GetRecordsCommand({ ShardIterator });

  const stranger = new KinesisClient(await as('stranger', ['kinesis:*']));
  await expect(stranger.send(put)).rejects.toMatchObject({ name: 'KMSAccessDeniedException' });
  await expect(stranger.send(putAll)).rejects.toThrow(noKey('GenerateDataKey'));
  await new KinesisClient(await as('producer', ['kinesis:*', 'kms:GenerateDataKey'])).send(put);
  await expect(stranger.send(get)).rejects.toThrow(noKey('Decrypt'));
  const consumer = new KinesisClient(await as('consumer', ['kinesis:*', 'kms:Decrypt']));
  expect((await consumer.send(get)).Records).toHaveLength(1);
});

it('a delivery stream with a key writes objects with it, as its role', async () => {
  const KeyId = await createKey();
  const iam = new IAMClient(runtime.config);
  const s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'archive' }));
  const trust = document({
    Effect: 'Allow',
    Principal: { Service: 'firehose.amazonaws.com' },
    Action: 'sts:AssumeRole',
  });
  await iam.send(new CreateRoleCommand({ RoleName: 'delivery', AssumeRolePolicyDocument: trust }));
  const allow = async (PolicyName: string, Action: string) => {
    const PolicyDocument = document({ Effect: 'Allow', Action, Resource: '*' });
    await iam.send(new PutRolePolicyCommand({ RoleName: 'delivery', PolicyName, PolicyDocument }));
  };
  await allow('bucket', 's3:PutObject');
  const firehose = new FirehoseClient(runtime.config);
  await firehose.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: 'archive',
      ExtendedS3DestinationConfiguration: {
        RoleARN: `arn:aws:iam::${ACCOUNT}:role/delivery`,
        BucketARN: 'arn:aws:s3:::archive',
        EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: KeyId } },
      },
    }),
  );
  await firehose.send(
    new PutFirehoseRecordCommand({ DeliveryStreamName: 'archive', Record: { Data: Buffer.from('1') } }),
  );

  await runtime.advance(300);
  expect(runtime.output()).toMatch(noKey('GenerateDataKey'));
  await allow('key', 'kms:GenerateDataKey');
  await runtime.advance(10);

  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'archive' }));
  const head = await s3.send(new HeadObjectCommand({ Bucket: 'archive', Key: Contents[0]?.Key }));
  expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId });
});
