import type {
  EnvironmentOf,
  FIRMWARE_DEVICES_ENVIRONMENT,
  FIRMWARE_ENVIRONMENT,
} from '@thingstead/contracts/environment';
import { IMAGES_PREFIX } from '@thingstead/contracts/firmware-store';
import { firmwareTopic } from '@thingstead/contracts/topics';
import { Duration, Fn, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { failuresInto } from './asynchronous-failures.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { firmwareBucket, STATE_EXPORTS, stateTable } from './resource-names.ts';
import type { RestApi } from './rest-api.ts';
import { allowFirmwareShadows } from './rollouts.ts';
import { invokeFunction, TopicRule } from './topic-rule.ts';

const RULE_NAME = 'thingstead_firmware';

export interface FirmwareProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
  readonly api: RestApi;
  /** Of ticks of rollouts. */
  readonly rollouts: IQueue;
}

/**
 * Firmware is released by operators and fetched by devices. One function keeps releases and the keys that are trusted; another
 * answers devices: it grants downloads, and takes what they run and how far they are. No function signs releases.
 */
export class Firmware extends Construct {
  readonly #props: FirmwareProps;
  readonly #table: ITable;
  readonly #bucket: IBucket;

  constructor(scope: Construct, id: string, props: FirmwareProps) {
    super(scope, id);
    this.#props = props;
    this.#table = stateTable(this, 'firmware');
    this.#bucket = firmwareBucket(this);
    this.#releases();
    this.#devices();
  }

  #releases(): void {
    const { config, lambdaFolder, api, alarms } = this.#props;
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/firmware`,
      functionName: 'thingstead-firmware',
      description: 'Keeps firmware releases and the keys that are trusted with them',
      timeout: Duration.seconds(25),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: this.#environment() satisfies EnvironmentOf<typeof FIRMWARE_ENVIRONMENT>,
    });
    const actions = ['ConditionCheckItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'];
    allow(
      role,
      actions.map((name) => `dynamodb:${name}`),
      this.#table.tableArn,
    );
    this.#allowImages(role, ['s3:GetObject', 's3:PutObject']);
    // Without it S3 answers 403 for an object that is not there: whether it is there is what the function wants to know.
    allow(role, 's3:ListBucket', this.#bucket.bucketArn);
    allow(role, 'kms:GetPublicKey', assignmentKeyArn());
    allow(role, 'iot:DescribeThingType', this.#iotArn('thingtype', '*'));
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:thingtype/*]',
      'A product is a thing type, and which ones there are is not known beforehand.',
    );
    api.addRoutes('firmware', fn);
    alarms.onErrors(fn, {
      name: 'firmware-function-errors',
      errorImpact:
        'The function of the routes of firmware does not start or ends too late: operators can neither release firmware nor withdraw it.',
    });
  }

  #devices(): void {
    const { config, lambdaFolder, alarms, rollouts } = this.#props;
    const things = stateTable(this, 'things');
    const devices = new NodeFunction(this, 'DevicesFunction', {
      folder: `${lambdaFolder}/firmware-devices`,
      functionName: 'thingstead-firmware-devices',
      description: 'Grants downloads of firmware, and takes what devices say of theirs',
      timeout: Duration.seconds(30),
      memoryMegabytes: 256,
      logRetention: config.logRetentionDays,
      environment: {
        ...this.#environment(),
        THINGS_TABLE: things.tableName,
        ROLLOUTS_QUEUE_URL: rollouts.queueUrl,
      } satisfies EnvironmentOf<typeof FIRMWARE_DEVICES_ENVIRONMENT>,
    });
    const { function: fn, role } = devices;
    const actions = ['GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`);
    allow(role, actions, this.#table.tableArn);
    allow(role, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], things.tableArn);
    allow(role, 'sqs:SendMessage', rollouts.queueArn);
    allowFirmwareShadows(role);
    this.#allowImages(role, 's3:GetObjectVersion');
    this.#allowAssignments(role);
    this.#allowIot(role);
    this.#messages(devices);
    alarms.onErrors(fn, {
      name: 'firmware-devices-function-errors',
      errorImpact:
        'The function that answers devices about firmware fails: they get no downloads, and ask again. What it fails on comes again by itself.',
    });
    alarms.onUndelivered(fn, {
      name: 'firmware-devices-undelivered',
      errorImpact:
        'A message on which the function failed could not be put into the queue of failures either; check its role. Devices say it again until it is taken.',
    });
    alarms.onOwnMetric('FirmwareMessagesRefused', 'firmware-devices', {
      name: 'firmware-messages-refused',
      errorImpact:
        'A device said something about firmware that cannot be read, and was told so. The log of the function names thing and reason; mostly its firmware is wrong.',
    });
  }

  #messages(devices: NodeFunction): void {
    const { alarms } = this.#props;
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'firmware-failed',
      alarms,
      errorImpact:
        'The function that answers devices about firmware failed three times on these. Devices had no answer and say the same again; what is in the message says what is wrong.',
    }).queue;
    const asynchronous = failuresInto(this, devices, failed);
    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'firmware-errors',
      alarms,
      errorImpact:
        'AWS IoT could not call the function that answers devices about firmware. Those devices had no answer and say the same again.',
    }).queue;
    const rule = new TopicRule(this, 'Rule', {
      ruleName: RULE_NAME,
      description: 'A device speaks of its firmware',
      // Raw, so that a message that is no JSON is answered too, and no member of it can be taken for the thing.
      sql: [
        "SELECT encode(*, 'base64') AS payload, topic(2) AS thing, topic(4) AS attempt, timestamp() AS at",
        `FROM '${firmwareTopic('+', '+')}'`,
      ],
      actions: [invokeFunction(devices.function, this.#iotArn('rule', RULE_NAME))],
      ...{ errors, alarms },
    });
    // The first message may come as soon as the rule is there.
    rule.node.addDependency(asynchronous);
  }

  #environment() {
    return {
      FIRMWARE_TABLE: this.#table.tableName,
      FIRMWARE_BUCKET: this.#bucket.bucketName,
      ASSIGNMENT_KEY_ARN: assignmentKeyArn(),
    };
  }

  /** Also of URLs that the functions give out: they can do no more than the role that signed them. */
  #allowImages(role: Role, actions: string | readonly string[]): void {
    allow(role, actions, `${this.#bucket.bucketArn}/${IMAGES_PREFIX}*`);
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::thingstead-firmware-<AWS::AccountId>-<AWS::Region>/${IMAGES_PREFIX}*]`,
      'Which products there are is not known beforehand. The functions make the key of an object from a release that is signed.',
    );
  }

  /** What it signs is hashed before, so that the key is of no use for anything larger. */
  #allowAssignments(role: Role): void {
    allow(role, 'kms:GetPublicKey', assignmentKeyArn());
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kms:Sign'],
        resources: [assignmentKeyArn()],
        conditions: { StringEquals: { 'kms:MessageType': 'DIGEST', 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } },
      }),
    );
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_iot.html says which resource each action takes. */
  #allowIot(role: Role): void {
    allow(role, ['iot:DescribeThing', 'iot:UpdateThing'], this.#iotArn('thing', '*'));
    const topics = ['accepted', 'rejected'].map((verdict) => `${firmwareTopic('*', '*')}/${verdict}`);
    allow(
      role,
      'iot:Publish',
      topics.map((topic) => this.#iotArn('topic', topic)),
    );
    for (const resource of ['thing/*', ...topics.map((topic) => `topic/${topic}`)]) {
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${resource}]`,
        'Which device speaks of its firmware is not known beforehand.',
      );
    }
  }

  #iotArn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName });
  }
}

function assignmentKeyArn(): string {
  return Fn.importValue(STATE_EXPORTS.firmwareAssignmentKeyArn);
}
