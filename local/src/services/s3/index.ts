import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { Buckets } from './buckets.ts';
import { type ChecksumMembers, verifyIntegrity } from './checksums.ts';
import { crossOrigin } from './cross-origin.ts';
import { keptBuckets } from './kept-buckets.ts';
import { bucketCors } from './operations/bucket-cors.ts';
import {
  getBucketNotificationConfiguration,
  putBucketNotificationConfiguration,
} from './operations/bucket-notification.ts';
import { bucketSettings } from './operations/bucket-settings.ts';
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './operations/buckets.ts';
import { copyObject } from './operations/copy-object.ts';
import { deleteObject, deleteObjects } from './operations/delete-object.ts';
import { getObject, headObject } from './operations/get-object.ts';
import { listObjectsV2, listObjectVersions } from './operations/list-objects.ts';
import { listMultipartUploads, listParts } from './operations/list-uploads.ts';
import { multipartUploads } from './operations/multipart-uploads.ts';
import { objectTagging } from './operations/object-tagging.ts';
import { putObject } from './operations/put-object.ts';
import { s3Protocol } from './wire/protocol.ts';

/** S3: buckets, objects, versions and uploads in parts, with events to EventBridge, queues, topics and functions. Inside the process bodies are buffers. */
export function createS3Service(kernel: Kernel): Service {
  const buckets = new Buckets(kernel);
  const protocol = s3Protocol(kernel.accountId, (input, body) =>
    verifyIntegrity(input satisfies ChecksumMembers, body),
  );
  return {
    name: 's3',
    signingNames: ['s3'],
    protocols: [protocol],
    ...crossOrigin(buckets, protocol),
    operations: {
      ...bucketCors(buckets),
      ...bucketSettings(buckets),
      ...multipartUploads(buckets),
      ...objectTagging(buckets),
      CopyObject: copyObject(buckets),
      CreateBucket: createBucket(buckets),
      DeleteBucket: deleteBucket(buckets),
      DeleteObject: deleteObject(buckets),
      DeleteObjects: deleteObjects(buckets),
      GetBucketNotificationConfiguration: getBucketNotificationConfiguration(buckets),
      GetBucketLocation: getBucketLocation(buckets),
      GetObject: getObject(buckets),
      HeadBucket: headBucket(buckets),
      HeadObject: headObject(buckets),
      ListBuckets: listBuckets(buckets),
      ListMultipartUploads: listMultipartUploads(buckets),
      ListParts: listParts(buckets),
      ListObjectsV2: listObjectsV2(buckets),
      ListObjectVersions: listObjectVersions(buckets),
      PutBucketNotificationConfiguration: putBucketNotificationConfiguration(buckets),
      PutObject: putObject(buckets),
    },
    state: keptBuckets(buckets),
  };
}
