import { UPLOAD_DAYS } from '@thingstead/contracts/file-store';
import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket, type CorsRule, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { pin } from './pin.ts';
import type { PlatformConfig } from './platform-config.ts';
import { FILES_BUCKET_NAME, STATE_EXPORTS } from './resource-names.ts';

/**
 * The bucket of files and two keys: one wraps the data keys with which senders encrypt, the other is the bucket's own. What is
 * in the bucket is read with both; with the second and the bucket alone, nothing is.
 */
export class FilesState extends Construct {
  constructor(scope: Construct, id: string, { config }: { readonly config: PlatformConfig }) {
    super(scope, id);
    const bucketKey = this.#key('FilesBucketKey', 'thingstead-files-bucket', 'The bucket of files');
    const dataKeys = this.#key('FilesKey', 'thingstead-files', 'Data keys of files, each bound to thing and transfer');
    this.#bucket(bucketKey, config);
    this.#export('FilesKeyArn', dataKeys.keyArn, STATE_EXPORTS.filesKeyArn);
    this.#export('FilesBucketKeyArn', bucketKey.keyArn, STATE_EXPORTS.filesBucketKeyArn);
  }

  #bucket(encryptionKey: Key, { files, access }: PlatformConfig): void {
    const bucket = new Bucket(this, 'Bucket', {
      bucketName: FILES_BUCKET_NAME,
      encryption: BucketEncryption.KMS,
      encryptionKey,
      // One call of KMS for many objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      // S3 refuses a rule without an origin.
      ...(access.allowedOrigins.length > 0 && { cors: [pagesOf(access.allowedOrigins)] }),
      lifecycleRules: [
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(UPLOAD_DAYS) },
        { id: 'retention', expiration: Duration.days(files.retentionDays) },
      ],
    });
    pin(bucket, 'FilesBucket');
    const { defaultChild } = bucket.node;
    if (defaultChild instanceof CfnBucket) {
      // The construct's own way is a function that calls S3 on every deployment.
      defaultChild.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    }
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'Objects are read and written with URLs that live for a minute, and the log of the functions says who was given one. CloudTrail data events record access where that is asked for.',
    );
    new CfnOutput(this, 'FilesBucketName', { value: bucket.bucketName }).overrideLogicalId('FilesBucketName');
  }

  #key(id: string, alias: string, description: string): Key {
    const key = new Key(this, id, {
      alias,
      description,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    pin(key, id);
    return key;
  }

  #export(id: string, value: string, exportName: string): void {
    new CfnOutput(this, id, { value, exportName }).overrideLogicalId(id);
  }
}

/** Web pages that may call the API may fetch and put what it gives them URLs for: parts of a file by PUT, a file by GET, also by ranges. */
function pagesOf(allowedOrigins: string[]): CorsRule {
  return {
    id: 'web-pages',
    allowedOrigins,
    allowedMethods: [HttpMethods.GET, HttpMethods.PUT],
    allowedHeaders: ['content-type', 'if-match', 'range', 'x-amz-checksum-sha256'],
    // Without the tag of a part nobody can complete a file.
    exposedHeaders: ['etag', 'content-range', 'x-amz-request-id'],
    maxAge: 3600,
  };
}
