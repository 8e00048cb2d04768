/** What a bucket tells EventBridge, as a rule delivers it into a queue. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Runtime } from '../support/runtime.ts';
import { Assembly, arnOf } from './lambda-fixture.ts';

const assembly = new Assembly()
  .add('Barn', 'AWS::S3::Bucket', {
    BucketName: 'barn',
    NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
  })
  .add('Seen', 'AWS::SQS::Queue', { QueueName: 'seen' })
  .add('SeenPolicy', 'AWS::SQS::QueuePolicy', {
    Queues: [{ Ref: 'Seen' }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: arnOf('Seen'),
        },
      ],
    },
  })
  .add('Rule', 'AWS::Events::Rule', {
    EventPattern: { source: ['aws.s3'] },
    Targets: [{ Id: 'seen', Arn: arnOf('Seen') }],
  });

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

async function seen() {
  await runtime.advance(0);
  const sqs = new SQSClient(runtime.config);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'seen' }));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body) as Readonly<Record<string, unknown>>);
}

it('tells what was created and deleted, in order', async () => {
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket: 'barn', Key: 'in/a', Body: 'hay' }));
  const [created] = await seen();
  await s3.send(new DeleteObjectCommand({ Bucket: 'barn', Key: 'in/a' }));
  await s3.send(new DeleteObjectCommand({ Bucket: 'barn', Key: 'in/none' }));
  const [deleted, ...more] = await seen();

  const object = { key: 'in/a', size: 3, etag: ETag?.replaceAll('"', ''), sequencer: expect.any(String) };
  expect(created).toMatchObject({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    resources: ['arn:aws:s3:::barn'],
    detail: { version: '0', bucket: { name: 'barn' }, object, reason: 'PutObject' },
  });
  expect(deleted).toMatchObject({
    'detail-type': 'Object Deleted',
    detail: { object: { key: 'in/a' }, reason: 'DeleteObject', 'deletion-type': 'Permanently Deleted' },
  });
  expect(more).toEqual([]);
});

it('is switched on per bucket', async () => {
  const Bucket = 'shed';
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'hay' }));
  expect(await seen()).toEqual([]);

  const NotificationConfiguration = { EventBridgeConfiguration: {} };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'hay' }));

  expect(await seen()).toMatchObject([{ detail: { bucket: { name: Bucket } } }]);
  expect(await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))).toHaveProperty(
    'EventBridgeConfiguration',
  );
});
