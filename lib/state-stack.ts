import { DEFAULT_THING_TYPE, TABLE_NAMES } from '@thingstead/contracts/names';
import { THINGS_INDEXES } from '@thingstead/contracts/things';
import { CfnOutput, type CfnResource, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import { CfnThingType } from 'aws-cdk-lib/aws-iot';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct, IConstruct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { devicePolicy } from './device-policy.ts';
import type { PlatformConfig } from './platform-config.ts';
import { ARCHIVE_BUCKET_NAME, TELEMETRY_STREAM_NAME } from './resource-names.ts';

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
    this.#table('RegistrationTable', { ...partition, tableName: TABLE_NAMES.registration });
    this.#table('TelemetryHistoryTable', { ...expiring, tableName: TABLE_NAMES.telemetryHistory });
    this.#table('TelemetryAggregatesTable', { ...expiring, tableName: TABLE_NAMES.telemetryAggregates });
    this.#table('NotificationsTable', { ...expiring, tableName: TABLE_NAMES.notifications });
    this.#things(sorted);
    this.#stream(props.config);
    this.#archive();
    this.#identity();
  }

  #things(keys: Pick<TableProps, 'partitionKey' | 'sortKey'>): void {
    const things = this.#table('ThingsTable', { ...keys, tableName: TABLE_NAMES.things });
    const projectionType = ProjectionType.KEYS_ONLY;
    things.addGlobalSecondaryIndex({
      indexName: THINGS_INDEXES.due,
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType,
    });
    things.addGlobalSecondaryIndex({
      indexName: THINGS_INDEXES.notices,
      partitionKey: { name: 'noticeGroup', type: AttributeType.STRING },
      sortKey: { name: 'noticeDueAt', type: AttributeType.NUMBER },
      projectionType,
    });
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

/** Keeps the logical id whatever becomes of the construct's path. */
function pin(construct: IConstruct, logicalId: string): void {
  // The default child of these constructs is the CloudFormation resource itself.
  (construct.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
