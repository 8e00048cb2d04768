import { Aws, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import type { PlatformConfig } from './platform-config.ts';
import { archiveBucket } from './resource-names.ts';
import { ATHENA_RESULTS_PREFIX } from './state-stack.ts';

const DELIVERY_STREAM_NAME = 'thingstead-telemetry-archive';
const PREFIX = 'telemetry/';
const ERROR_PREFIX = 'telemetry-undelivered/';

/** A query that reads more than this is stopped; Athena charges 5 USD per TB. */
const MAX_SCANNED_BYTES = 100 * 1024 ** 3;

/** The columns of a message; members that a device adds are in the objects, and can be added here. */
const COLUMNS = {
  thing: 'string',
  sensor: 'string',
  messageid: 'string',
  receivedat: 'bigint',
  time: 'bigint',
  value: 'string',
  unit: 'string',
  readings: 'array<struct<value:string,time:bigint,unit:string>>',
  clockahead: 'boolean',
  clockbehind: 'boolean',
};

export interface TelemetryArchiveProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
}

/** Every message as one line of JSON, gzip, by date of arrival, in S3; with a table and a work group for Athena. */
export class TelemetryArchive extends Construct {
  readonly deliveryStream: { readonly name: string; readonly arn: string };

  constructor(scope: Construct, id: string, { config, alarms }: TelemetryArchiveProps) {
    super(scope, id);
    const bucket = archiveBucket(this);
    const arn = Stack.of(this).formatArn({
      service: 'firehose',
      resource: 'deliverystream',
      resourceName: DELIVERY_STREAM_NAME,
    });
    const role = this.#role(arn, bucket.bucketArn);
    const stream = new CfnDeliveryStream(this, 'DeliveryStream', {
      deliveryStreamName: DELIVERY_STREAM_NAME,
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: role.roleArn,
        prefix: `${PREFIX}date=!{timestamp:yyyy-MM-dd}/`,
        errorOutputPrefix: `${ERROR_PREFIX}!{firehose:error-output-type}/date=!{timestamp:yyyy-MM-dd}/`,
        bufferingHints: { intervalInSeconds: config.archive.bufferSeconds, sizeInMBs: 64 },
        compressionFormat: 'GZIP',
      },
    });
    stream.node.addDependency(role);
    this.deliveryStream = { name: stream.ref, arn };
    alarms.onLag(
      new Metric({
        namespace: 'AWS/Firehose',
        metricName: 'DeliveryToS3.DataFreshness',
        dimensionsMap: { DeliveryStreamName: DELIVERY_STREAM_NAME },
      }),
      config.archive.bufferSeconds + Duration.minutes(15).toSeconds(),
      {
        name: 'telemetry-archive-behind',
        errorImpact:
          'The archive is not written. Firehose keeps trying for 24 hours; what it has not delivered then is lost to the archive. The history has it.',
      },
    );
    this.#catalog(bucket.bucketName);
  }

  /** https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html lists what delivery to S3 needs. */
  #role(deliveryStreamArn: string, bucketArn: string): Role {
    const principal = new ServicePrincipal('firehose.amazonaws.com').withConditions({
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      ArnLike: { 'aws:SourceArn': deliveryStreamArn },
    });
    const role = new Role(this, 'Role', { assumedBy: principal });
    allow(role, ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], bucketArn);
    for (const prefix of [PREFIX, ERROR_PREFIX]) {
      const objects = `${bucketArn}/${prefix}*`;
      allow(role, ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'], objects);
      acknowledge(
        role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::thingstead-archive-<AWS::AccountId>-<AWS::Region>/${prefix}*]`,
        'Firehose names the objects itself, below this prefix.',
      );
    }
    return role;
  }

  #catalog(bucketName: string): void {
    const database = new CfnDatabase(this, 'Database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name: 'thingstead', description: 'The telemetry archive' },
    });
    const location = `s3://${bucketName}/${PREFIX}`;
    new CfnTable(this, 'Table', {
      catalogId: Aws.ACCOUNT_ID,
      databaseName: database.ref,
      tableInput: {
        name: 'telemetry',
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: [{ name: 'date', type: 'string' }],
        parameters: {
          classification: 'json',
          compressionType: 'gzip',
          // Athena computes the partitions, so that nobody has to add one a day.
          'projection.enabled': 'true',
          'projection.date.type': 'date',
          'projection.date.format': 'yyyy-MM-dd',
          'projection.date.range': '2026-01-01,NOW',
          'projection.date.interval': '1',
          'projection.date.interval.unit': 'DAYS',
          'storage.location.template': `${location}date=\${date}/`,
        },
        storageDescriptor: {
          location,
          columns: Object.entries(COLUMNS).map(([name, type]) => ({ name, type })),
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: {
            serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
            parameters: { 'ignore.malformed.json': 'true' },
          },
        },
      },
    });
    const workGroup = new CfnWorkGroup(this, 'WorkGroup', {
      name: 'thingstead',
      description: 'Queries over the telemetry archive',
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        bytesScannedCutoffPerQuery: MAX_SCANNED_BYTES,
        publishCloudWatchMetricsEnabled: true,
        resultConfiguration: {
          outputLocation: `s3://${bucketName}/${ATHENA_RESULTS_PREFIX}`,
          encryptionConfiguration: { encryptionOption: 'SSE_S3' },
        },
      },
    });
    new CfnOutput(this, 'AthenaWorkGroup', { value: workGroup.ref }).overrideLogicalId('AthenaWorkGroupName');
  }
}
