/**
 * Which operation a request means: method, whether the path names an object, and the subresource of the query. Operations
 * without an implementation stand here too, so that the refusal can name them.
 */
import type { WireRequest } from '../../../kernel/wire.ts';

type Routes = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Of a bucket: method, then subresource; the empty one is the bucket itself. */
const BUCKET: Routes = {
  GET: {
    '': 'ListObjects',
    acl: 'GetBucketAcl',
    cors: 'GetBucketCors',
    encryption: 'GetBucketEncryption',
    lifecycle: 'GetBucketLifecycleConfiguration',
    'list-type': 'ListObjectsV2',
    location: 'GetBucketLocation',
    logging: 'GetBucketLogging',
    notification: 'GetBucketNotificationConfiguration',
    'object-lock': 'GetObjectLockConfiguration',
    ownershipControls: 'GetBucketOwnershipControls',
    policy: 'GetBucketPolicy',
    policyStatus: 'GetBucketPolicyStatus',
    publicAccessBlock: 'GetPublicAccessBlock',
    replication: 'GetBucketReplication',
    tagging: 'GetBucketTagging',
    uploads: 'ListMultipartUploads',
    versioning: 'GetBucketVersioning',
    versions: 'ListObjectVersions',
    website: 'GetBucketWebsite',
  },
  HEAD: { '': 'HeadBucket' },
  POST: { delete: 'DeleteObjects' },
  PUT: {
    '': 'CreateBucket',
    acl: 'PutBucketAcl',
    cors: 'PutBucketCors',
    encryption: 'PutBucketEncryption over HTTP',
    lifecycle: 'PutBucketLifecycleConfiguration over HTTP',
    logging: 'PutBucketLogging over HTTP',
    notification: 'PutBucketNotificationConfiguration',
    ownershipControls: 'PutBucketOwnershipControls over HTTP',
    policy: 'PutBucketPolicy',
    publicAccessBlock: 'PutPublicAccessBlock',
    tagging: 'PutBucketTagging over HTTP',
    versioning: 'PutBucketVersioning',
  },
  DELETE: { '': 'DeleteBucket', cors: 'DeleteBucketCors', policy: 'DeleteBucketPolicy' },
};

const OBJECT: Routes = {
  GET: {
    '': 'GetObject',
    acl: 'GetObjectAcl',
    attributes: 'GetObjectAttributes',
    tagging: 'GetObjectTagging',
    uploadId: 'ListParts',
  },
  HEAD: { '': 'HeadObject' },
  POST: {
    restore: 'RestoreObject',
    select: 'SelectObjectContent',
    uploadId: 'CompleteMultipartUpload',
    uploads: 'CreateMultipartUpload',
  },
  PUT: { '': 'PutObject', acl: 'PutObjectAcl', tagging: 'PutObjectTagging', uploadId: 'UploadPart' },
  DELETE: { '': 'DeleteObject', tagging: 'DeleteObjectTagging', uploadId: 'AbortMultipartUpload' },
};

/** Parameters that qualify an operation without naming one. */
const QUALIFIERS =
  /^(x-id|x-amz-.*|prefix|delimiter|max-keys|continuation-token|start-after|fetch-owner|encoding-type|key-marker|version-id-marker|versionId|partNumber|max-parts|part-number-marker|max-uploads|upload-id-marker|response-.*|optional-object-attributes|max-buckets|bucket-region)$/i;

export interface Address {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

/** Bucket and key of a path-style request. Buckets as host names do not occur: SDKs use paths for IP addresses. */
export function addressOf(path: string): Address {
  const [, bucket = '', ...rest] = path.split('/');
  const key = rest.join('/');
  return {
    bucket: bucket === '' ? undefined : decodeURIComponent(bucket),
    key: key === '' ? undefined : decodeURIComponent(key),
  };
}

/** The name of the operation; for what S3 does not have, a text that shows the request. */
export function operationOf({ method, query, headers }: WireRequest, { bucket, key }: Address): string {
  const subresource = [...query.keys()].find((name) => !QUALIFIERS.test(name)) ?? '';
  if (bucket === undefined) return method === 'GET' ? 'ListBuckets' : `${method} /`;
  const operation = (key === undefined ? BUCKET : OBJECT)[method]?.[subresource];
  if (headers['x-amz-copy-source'] !== undefined && operation === 'PutObject') return 'CopyObject';
  if (headers['x-amz-copy-source'] !== undefined && operation === 'UploadPart') return 'UploadPartCopy';
  return operation ?? `${method}${subresource === '' ? '' : ` ?${subresource}`}`;
}
