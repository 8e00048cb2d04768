/** Deterministic names by which the platform stack finds what the state stack holds, without exports. */
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { Aws, Stack } from 'aws-cdk-lib';
import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IStream, Stream } from 'aws-cdk-lib/aws-kinesis';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export const TELEMETRY_STREAM_NAME = 'thingstead-telemetry';

/** Bucket names are global, so this one carries account and region. */
export const ARCHIVE_BUCKET_NAME = `thingstead-archive-${Aws.ACCOUNT_ID}-${Aws.REGION}`;

/** The images of firmware releases. */
export const FIRMWARE_BUCKET_NAME = `thingstead-firmware-${Aws.ACCOUNT_ID}-${Aws.REGION}`;

/** What devices and people transfer, encrypted by them. */
export const FILES_BUCKET_NAME = `thingstead-files-${Aws.ACCOUNT_ID}-${Aws.REGION}`;

/**
 * Ids that AWS chooses, so that no name finds them: the state stack exports them under these names. What is exported is never
 * replaced, so the exports never stop an update.
 */
export const STATE_EXPORTS = {
  userPoolId: 'thingstead-user-pool-id',
  appClientId: 'thingstead-app-client-id',
  identityPoolId: 'thingstead-identity-pool-id',
  accessTableStreamArn: 'thingstead-access-table-stream-arn',
  firmwareAssignmentKeyArn: 'thingstead-firmware-assignment-key-arn',
  filesKeyArn: 'thingstead-files-key-arn',
  filesBucketKeyArn: 'thingstead-files-bucket-key-arn',
  /** With the issuer `KMS` in `thingstead:certificates` only. */
  certificatesKeyArn: 'thingstead-certificates-key-arn',
  /** With `thingstead:voice` only. */
  alexaClientId: 'thingstead-alexa-client-id',
  voiceKeyArn: 'thingstead-voice-key-arn',
} as const;

/** A table of the state stack. */
export function stateTable(scope: Construct, table: keyof typeof TABLE_NAMES): ITable {
  return Table.fromTableName(scope, `${table.charAt(0).toUpperCase()}${table.slice(1)}Table`, TABLE_NAMES[table]);
}

/** The telemetry stream of the state stack. */
export function telemetryStream(scope: Construct): IStream {
  const streamArn = Stack.of(scope).formatArn({
    service: 'kinesis',
    resource: 'stream',
    resourceName: TELEMETRY_STREAM_NAME,
  });
  return Stream.fromStreamArn(scope, 'Stream', streamArn);
}

/** The bucket of firmware images of the state stack. */
export function firmwareBucket(scope: Construct): IBucket {
  return Bucket.fromBucketName(scope, 'FirmwareBucket', FIRMWARE_BUCKET_NAME);
}

/** The archive bucket of the state stack. */
export function archiveBucket(scope: Construct): IBucket {
  return Bucket.fromBucketName(scope, 'ArchiveBucket', ARCHIVE_BUCKET_NAME);
}

/** The files bucket of the state stack. */
export function filesBucket(scope: Construct): IBucket {
  return Bucket.fromBucketName(scope, 'FilesBucket', FILES_BUCKET_NAME);
}
