/** Streams of tables and notifications of buckets as the CDK's own constructs declare them. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, type ITable, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Code,
  FilterCriteria,
  FilterRule,
  Function as Lambda,
  Runtime as Node,
  RuntimeFamily,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Bucket, CfnBucket, EventType } from 'aws-cdk-lib/aws-s3';
import { SqsDestination } from 'aws-cdk-lib/aws-s3-notifications';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const LOG_ALL = `exports.handler = async ({ Records }) => {
  for (const { dynamodb, s3 } of Records) process.stdout.write('got ' + (dynamodb?.Keys.pk.S ?? s3.object.key) + '\\n');
};`;

let folder: string;
let runtime: Runtime | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'thingstead-streams-'));
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function stackOf(build: (stack: Stack) => void): string {
  const app = new App({ outdir: path.join(folder, 'cdk.out') });
  build(new Stack(app, 'Farm'));
  return app.synth().directory;
}

function worker(stack: Stack, functionName: string): Lambda {
  return new Lambda(stack, functionName, {
    functionName,
    runtime: new Node('nodejs24.x', RuntimeFamily.NODEJS, { supportsInlineCode: true }),
    handler: 'index.handler',
    code: Code.fromInline(LOG_ALL),
  });
}

it('a function gets what its event source and its bucket tell it', async () => {
  const assembly = stackOf((stack) => {
    const table = new TableV2(stack, 'Things', {
      tableName: 'things',
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    });
    worker(stack, 'changes').addEventSource(
      // The library's own class and interface disagree under exactOptionalPropertyTypes.
      new DynamoEventSource(table as ITable, {
        startingPosition: StartingPosition.LATEST,
        bisectBatchOnError: true,
        retryAttempts: 3,
        reportBatchItemFailures: true,
        onFailure: new SqsDlq(new Queue(stack, 'GivenUp')),
        filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') })],
      }),
    );
    const files = worker(stack, 'files');
    files.addPermission('Barn', {
      principal: new ServicePrincipal('s3.amazonaws.com'),
      sourceAccount: stack.account,
      sourceArn: 'arn:aws:s3:::barn',
    });
    const bucket = new CfnBucket(stack, 'Barn', {
      bucketName: 'barn',
      notificationConfiguration: {
        lambdaConfigurations: [
          {
            event: 's3:ObjectCreated:*',
            function: files.functionArn,
            filter: { s3Key: { rules: [{ name: 'prefix', value: 'in/' }] } },
          },
        ],
      },
    });
    bucket.node.addDependency(files);
  });
  runtime = await startRuntime({ assembly });
  const client = new DynamoDBClient(runtime.config);
  const s3 = new S3Client({ ...runtime.config, forcePathStyle: true });
  const put = (n: string) =>
    client.send(new PutItemCommand({ TableName: 'things', Item: { pk: { S: 'a' }, n: { N: n } } }));

  await put('1');
  await put('2');
  await s3.send(new PutObjectCommand({ Bucket: 'barn', Key: 'in/hay', Body: 'x' }));
  await s3.send(new PutObjectCommand({ Bucket: 'barn', Key: 'out/hay', Body: 'x' }));
  await runtime.advance(0);

  const logs = new CloudWatchLogsClient(runtime.config);
  const got = async (name: string) => {
    const input = { logGroupName: `/aws/lambda/${name}`, filterPattern: '"got "' };
    const { events = [] } = await logs.send(new FilterLogEventsCommand(input));
    return events.map(({ message = '' }) => message.trim());
  };
  expect(await got('changes')).toEqual(['got a']);
  expect(await got('files')).toEqual(['got in/hay']);
  client.destroy();
  s3.destroy();
});

it('notifications in a custom resource stop the start, with what to write instead', async () => {
  const assembly = stackOf((stack) => {
    const bucket = new Bucket(stack, 'Barn');
    bucket.addEventNotification(EventType.OBJECT_CREATED, new SqsDestination(new Queue(stack, 'Seen')));
  });

  await expect(startRuntime({ assembly })).rejects.toThrow(
    /Custom::S3BucketNotifications.*NotificationConfiguration of the CfnBucket/,
  );
});
