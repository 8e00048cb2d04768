import { WAITING_COMMANDS } from '@thingstead/contracts/command-store';
import { FIRMWARE_BY_DUE } from '@thingstead/contracts/firmware-store';
import { GRANTS_BY_TARGET } from '@thingstead/contracts/grants';
import { DEFAULT_THING_TYPE, TABLE_NAMES } from '@thingstead/contracts/names';
import { CLAIMS_BY_EXPIRY } from '@thingstead/contracts/registration';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { CfnThingType } from 'aws-cdk-lib/aws-iot';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { CertificateAuthorityKey } from './certificate-authority-key.ts';
import { devicePolicy } from './device-policy.ts';
import { FilesState } from './files-state.ts';
import { FirmwareState } from './firmware-state.ts';
import { People } from './people.ts';
import { pin } from './pin.ts';
import type { PlatformConfig } from './platform-config.ts';
import { ARCHIVE_BUCKET_NAME, STATE_EXPORTS, TELEMETRY_STREAM_NAME } from './resource-names.ts';

export interface StateStackProps extends StackProps {
  readonly config: PlatformConfig;
}

/** Where Athena puts query results; they are no data of the fleet and go after a month. */
export const ATHENA_RESULTS_PREFIX = 'athena-results/';

/**
 * What must survive: tables, stream, archive, and what every device's certificate refers to. Everything is retained when the stack is deleted, and the logical ids are
 * pinned, since CloudFormation replaces what gets a new one.
 */
export class StateStack extends Stack {
  constructor(scope: Construct, id: string, props: StateStackProps) {
    super(scope, id, props);
    const partition = { partitionKey: { name: 'pk', type: AttributeType.STRING } };
    const sorted = { ...partition, sortKey: { name: 'sk', type: AttributeType.STRING } };
    const expiring = { ...sorted, timeToLiveAttribute: 'expiresAt' };
    this.#registration(partition);
    if (props.config.certificates.issuer === 'KMS') new CertificateAuthorityKey(this, 'CertificateAuthority');
    this.#table('TelemetryHistoryTable', { ...expiring, tableName: TABLE_NAMES.telemetryHistory });
    this.#table('TelemetryAggregatesTable', { ...expiring, tableName: TABLE_NAMES.telemetryAggregates });
    this.#table('NotificationsTable', { ...expiring, tableName: TABLE_NAMES.notifications });
    this.#commands(expiring);
    this.#firmware(expiring);
    this.#table('VoiceTable', { ...sorted, tableName: TABLE_NAMES.voice });
    if (props.config.voice) this.#voiceKey();
    this.#things(sorted);
    this.#access(expiring);
    new People(this, 'People', { config: props.config });
    new FirmwareState(this, 'Firmware', { config: props.config });
    this.#table('FilesTable', { ...expiring, tableName: TABLE_NAMES.files });
    new FilesState(this, 'Files', { config: props.config });
    this.#stream(props.config);
    this.#archive();
    this.#identity();
  }

  #registration(keys: Pick<TableProps, 'partitionKey'>): void {
    const registration = this.#table('RegistrationTable', { ...keys, tableName: TABLE_NAMES.registration });
    registration.addGlobalSecondaryIndex({
      indexName: CLAIMS_BY_EXPIRY,
      partitionKey: { name: 'expiresOn', type: AttributeType.STRING },
      sortKey: { name: 'pk', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  #things(keys: Pick<TableProps, 'partitionKey' | 'sortKey'>): void {
    const things = this.#table('ThingsTable', { ...keys, tableName: TABLE_NAMES.things });
    const index = (indexName: string, partition: string, sort: string, type = AttributeType.STRING): void =>
      things.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: partition, type: AttributeType.STRING },
        sortKey: { name: sort, type },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    index(THINGS_INDEXES.due, 'dueShard', 'dueAt', AttributeType.NUMBER);
    index(THINGS_INDEXES.notices, 'noticeGroup', 'noticeDueAt', AttributeType.NUMBER);
    index(THINGS_INDEXES.name, 'fleetShard', 'pk');
    index(THINGS_INDEXES.site, 'site', 'pk');
    index(THINGS_INDEXES.type, 'typeShard', 'pk');
    index(THINGS_INDEXES.firmware, 'firmwareShard', 'pk');
    index(THINGS_INDEXES.connected, 'connectedShard', 'pk');
  }

  /** Its stream makes IoT policies follow grants. */
  #access(keys: Pick<TableProps, 'partitionKey' | 'sortKey' | 'timeToLiveAttribute'>): void {
    const access = this.#table('AccessTable', {
      ...keys,
      tableName: TABLE_NAMES.access,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
    });
    access.addGlobalSecondaryIndex({
      indexName: GRANTS_BY_TARGET,
      partitionKey: { name: 'target', type: AttributeType.STRING },
      sortKey: { name: 'person', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
    new CfnOutput(this, 'AccessTableStreamArn', {
      value: access.tableStreamArn ?? '',
      exportName: STATE_EXPORTS.accessTableStreamArn,
    });
  }

  #commands(keys: Pick<TableProps, 'partitionKey' | 'sortKey' | 'timeToLiveAttribute'>): void {
    const commands = this.#table('CommandsTable', { ...keys, tableName: TABLE_NAMES.commands });
    commands.addGlobalSecondaryIndex({
      indexName: WAITING_COMMANDS,
      partitionKey: { name: 'waiting', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  #firmware(keys: Pick<TableProps, 'partitionKey' | 'sortKey' | 'timeToLiveAttribute'>): void {
    const firmware = this.#table('FirmwareTable', { ...keys, tableName: TABLE_NAMES.firmware });
    firmware.addGlobalSecondaryIndex({
      indexName: FIRMWARE_BY_DUE,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  /** Encrypts the tokens in the voice table; who may use it, the roles of voice say. */
  #voiceKey(): void {
    const key = new Key(this, 'VoiceKey', {
      alias: 'thingstead-voice',
      description: 'Tokens with which Alexa is told of changes',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    pin(key, 'VoiceKey');
    new CfnOutput(this, 'VoiceKeyArn', { value: key.keyArn, exportName: STATE_EXPORTS.voiceKeyArn });
  }

  #table(id: string, props: TableProps): Table {
    const table = new Table(this, id, {
      ...props,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    pin(table, id);
    new CfnOutput(this, `${id}Name`, { value: table.tableName });
    return table;
  }

  /** Certificates and things refer to these, so AWS IoT would not let the platform stack go with them in it. */
  #identity(): void {
    const policy = devicePolicy(this);
    const thingType = new CfnThingType(this, 'DeviceThingType', { thingTypeName: DEFAULT_THING_TYPE });
    for (const each of [policy, thingType]) each.applyRemovalPolicy(RemovalPolicy.RETAIN);
    policy.overrideLogicalId('DevicePolicy');
    thingType.overrideLogicalId('DeviceThingType');
    new CfnOutput(this, 'DevicePolicyName', { value: policy.ref });
  }

  #stream({ kinesis }: PlatformConfig): void {
    const stream = new Stream(this, 'TelemetryStream', {
      streamName: TELEMETRY_STREAM_NAME,
      encryption: StreamEncryption.MANAGED,
      retentionPeriod: Duration.hours(24),
      removalPolicy: RemovalPolicy.RETAIN,
      ...(kinesis.mode === 'ON_DEMAND'
        ? { streamMode: StreamMode.ON_DEMAND }
        : { streamMode: StreamMode.PROVISIONED, shardCount: kinesis.shards }),
    });
    pin(stream, 'TelemetryStream');
    new CfnOutput(this, 'TelemetryStreamName', { value: stream.streamName });
  }

  #archive(): void {
    const bucket = new Bucket(this, 'ArchiveBucket', {
      bucketName: ARCHIVE_BUCKET_NAME,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        { id: 'query-results', prefix: ATHENA_RESULTS_PREFIX, expiration: Duration.days(30) },
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        { id: 'replaced-objects', noncurrentVersionExpiration: Duration.days(30) },
      ],
    });
    pin(bucket, 'ArchiveBucket');
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'Only Firehose writes here and only operators read, through Athena. CloudTrail data events record access where that is asked for; a log bucket would cost every deployment and need the same care again.',
    );
    new CfnOutput(this, 'ArchiveBucketName', { value: bucket.bucketName });
  }
}
