import type { EnvironmentOf, FILE_TRANSFERS_ENVIRONMENT, FILES_ENVIRONMENT } from '@thingstead/contracts/environment';
import { FILES_PREFIX, type FilesSettings } from '@thingstead/contracts/file-store';
import { filesTopic } from '@thingstead/contracts/topics';
import { Duration, Fn, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { failuresInto } from './asynchronous-failures.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { filesBucket, STATE_EXPORTS, stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';
import { invokeFunction, TopicRule } from './topic-rule.ts';

const RULE_NAME = 'thingstead_files';

export interface FilesProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
}

/**
 * Files go between devices and people. One function answers the routes; another answers what devices ask over MQTT, and takes
 * what S3 says of its objects. Neither sees a byte of a file: those go between sender, S3 and receiver, encrypted.
 */
export class Files extends Construct {
  readonly #props: FilesProps;
  readonly #tables: Readonly<Record<'files' | 'access' | 'things', ITable>>;
  readonly #bucket: IBucket;

  constructor(scope: Construct, id: string, props: FilesProps) {
    super(scope, id);
    this.#props = props;
    this.#tables = {
      files: stateTable(this, 'files'),
      access: stateTable(this, 'access'),
      things: stateTable(this, 'things'),
    };
    this.#bucket = filesBucket(this);
    this.#answer();
    this.#transfer();
  }

  #answer(): void {
    const { api, alarms } = this.#props;
    const { things } = this.#tables;
    const environment = { ...this.#environment(), THINGS_TABLE: things.tableName } satisfies EnvironmentOf<
      typeof FILES_ENVIRONMENT
    >;
    const { function: fn, role } = this.#function('Function', 'files', 'Answers the routes of files', environment);
    this.#allowTransfers(role);
    allow(role, 'dynamodb:GetItem', things.tableArn);
    api.addRoutes('files', fn);
    alarms.onErrors(fn, {
      name: 'files-function-errors',
      errorImpact:
        'The function of the routes of files does not start or ends too late: people can neither send nor get files.',
    });
  }

  #transfer(): void {
    const { alarms } = this.#props;
    const transfers = this.#function(
      'TransfersFunction',
      'file-transfers',
      'Answers devices that transfer files, and follows what becomes of objects',
      this.#environment(),
    );
    const { function: fn, role } = transfers;
    this.#allowTransfers(role);
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'files-failed',
      alarms,
      errorImpact:
        'The function of file transfers failed three times on these. What a device asks, it asks again. An event of S3: that file is stored and nobody is told; invoke thingstead-file-transfers with the event again when the cause is mended, or the file is offered when the device next connects only if its state is STORED.',
    }).queue;
    this.#messages(transfers, failed);
    this.#objects(transfers, failed);
    alarms.onErrors(fn, {
      name: 'file-transfers-function-errors',
      errorImpact:
        'The function of file transfers fails: devices get no answers and ask again. What it fails on comes again by itself.',
    });
    alarms.onUndelivered(fn, {
      name: 'file-transfers-undelivered',
      errorImpact:
        'Something on which the function of file transfers failed could not be put into the queue of failures either; check its role. Devices ask again; a file that S3 has may wait unnoticed.',
    });
    alarms.onOwnMetric('FileRequestsRefused', 'file-transfers', {
      name: 'file-requests-refused',
      errorImpact:
        'A device said something about a file that cannot be read, and was told so. The log of the function names thing and reason; mostly its firmware is wrong.',
    });
    alarms.onOwnMetric('FilesOrphaned', 'file-transfers', {
      name: 'files-orphaned',
      errorImpact:
        'An object in the bucket of files belonged to no transfer, or was not what its sender had promised, and was deleted. The log of the function has its key; once may be a file that was cancelled while it was completed.',
    });
  }

  #messages(transfers: NodeFunction, failed: Queue): void {
    const { alarms } = this.#props;
    const asynchronous = failuresInto(this, transfers, failed);
    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'files-errors',
      alarms,
      errorImpact: 'AWS IoT could not call the function of file transfers. Those devices got no answer and ask again.',
    }).queue;
    const rule = new TopicRule(this, 'Rule', {
      ruleName: RULE_NAME,
      description: 'A device speaks of a file',
      // Raw, so that a message that is no JSON is answered too, and no member of it can be taken for the thing.
      sql: [
        "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, topic(4) AS transfer, timestamp() AS at",
        `FROM '${filesTopic('+', '+')}'`,
      ],
      actions: [invokeFunction(transfers.function, this.#iotArn('rule', RULE_NAME))],
      ...{ errors, alarms },
    });
    // The first message may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);
  }

  #objects({ function: fn }: NodeFunction, failed: Queue): void {
    new Rule(this, 'ObjectsRule', {
      ruleName: 'thingstead-files',
      description: 'An object in the bucket of files came or went',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created', 'Object Deleted'],
        detail: { bucket: { name: [this.#bucket.bucketName] } },
      },
      targets: [new LambdaFunction(fn, { deadLetterQueue: failed })],
    });
  }

  #environment() {
    const { config } = this.#props;
    const settings: FilesSettings = { stage: config.stage, ...config.files };
    return {
      FILES_TABLE: this.#tables.files.tableName,
      ACCESS_TABLE: this.#tables.access.tableName,
      FILES_BUCKET: this.#bucket.bucketName,
      FILES_KEY_ARN: Fn.importValue(STATE_EXPORTS.filesKeyArn),
      FILES_SETTINGS: JSON.stringify(settings),
    } satisfies EnvironmentOf<typeof FILE_TRANSFERS_ENVIRONMENT>;
  }

  #function(id: string, folder: string, description: string, environment: Readonly<Record<string, string>>) {
    const { config, lambdaFolder } = this.#props;
    return new NodeFunction(this, id, {
      folder: `${lambdaFolder}/${folder}`,
      functionName: `thingstead-${folder}`,
      description,
      timeout: Duration.seconds(29),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment,
    });
  }

  /** What both functions need to bring a transfer on its way. */
  #allowTransfers(role: Role): void {
    const { files, access } = this.#tables;
    const onRows = ['GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`);
    allow(role, onRows, files.tableArn);
    allow(role, 'dynamodb:BatchGetItem', access.tableArn);
    this.#allowObjects(role);
    this.#allowKeys(role);
    const topics = ['accepted', 'rejected'].map((verdict) => `${filesTopic('*', '*')}/${verdict}`);
    allow(
      role,
      'iot:Publish',
      topics.map((topic) => this.#iotArn('topic', topic)),
    );
    for (const topic of topics) {
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:topic/${topic}]`,
        'Which device transfers files is not known beforehand.',
      );
    }
  }

  /**
   * Also of URLs that the functions give out: they can do no more than the role that signed them.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
   */
  #allowObjects(role: Role): void {
    const objects = `${this.#bucket.bucketArn}/${FILES_PREFIX}*`;
    const actions = ['AbortMultipartUpload', 'DeleteObject', 'GetObject', 'ListMultipartUploadParts', 'PutObject'];
    allow(
      role,
      actions.map((name) => `s3:${name}`),
      objects,
    );
    // Without it S3 answers 403 for an object that is not there: whether it is there is what the functions want to know.
    allow(role, 's3:ListBucket', this.#bucket.bucketArn);
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::thingstead-files-<AWS::AccountId>-<AWS::Region>/${FILES_PREFIX}*]`,
      'Which device transfers files is not known beforehand. The functions make the key of an object from the topic or from the path that was authorised.',
    );
  }

  #allowKeys(role: Role): void {
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        resources: [Fn.importValue(STATE_EXPORTS.filesKeyArn)],
        conditions: { StringEquals: { 'kms:EncryptionContext:thingstead:stage': this.#props.config.stage } },
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        resources: [Fn.importValue(STATE_EXPORTS.filesBucketKeyArn)],
        conditions: { StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` } },
      }),
    );
  }

  #iotArn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
  }
}
