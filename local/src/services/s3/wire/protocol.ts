/** REST-XML as S3 speaks it (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html). */
import { AwsError } from '../../../kernel/errors.ts';
import type { WireProtocol, WireRequest, WireResponse } from '../../../kernel/wire.ts';
import { hostIdOf } from '../host-id.ts';
import { corsFromXml, corsToXml } from './cors-xml.ts';
import { readMembers, withPresignedHeaders, writeHeaders } from './headers.ts';
import { notificationFromXml, notificationToXml } from './notification-xml.ts';
import { addressOf, operationOf } from './routes.ts';
import { errorXml, parseXml, toXml } from './xml.ts';

type Members = Readonly<Record<string, unknown>>;

function asBoolean(value: unknown): boolean | undefined {
  return value === undefined ? undefined : value === 'true';
}

/** What the body of a request carries, by operation. */
const READ_BODY: Readonly<Record<string, (request: WireRequest) => Members>> = {
  PutObject: ({ body }) => ({ Body: body }),
  UploadPart: ({ body }) => ({ Body: body }),
  CompleteMultipartUpload({ body }) {
    const { Part } = parseXml(body, 'CompleteMultipartUpload');
    return { MultipartUpload: { Parts: Part ?? [] } };
  },
  CreateBucket: ({ body }) =>
    body.length === 0 ? {} : { CreateBucketConfiguration: parseXml(body, 'CreateBucketConfiguration') },
  DeleteObjects({ body }) {
    const { Object: Objects, Quiet } = parseXml(body, 'Delete');
    return { Delete: { Objects, Quiet: asBoolean(Quiet) } };
  },
  PutBucketCors: ({ body }) => ({ CORSConfiguration: corsFromXml(parseXml(body, 'CORSConfiguration')) }),
  PutBucketNotificationConfiguration: ({ body }) => ({
    NotificationConfiguration: notificationFromXml(parseXml(body, 'NotificationConfiguration')),
  }),
  PutBucketPolicy: ({ body }) => ({ Policy: body.toString('utf8') }),
  PutBucketVersioning: ({ body }) => ({ VersioningConfiguration: parseXml(body, 'VersioningConfiguration') }),
  PutObjectTagging({ body }) {
    const { TagSet } = parseXml(body, 'Tagging') as { readonly TagSet?: { readonly Tag?: unknown } | '' };
    return { Tagging: { TagSet: (TagSet === '' ? undefined : TagSet?.Tag) ?? [] } };
  },
  PutPublicAccessBlock({ body }) {
    const settings = Object.entries(parseXml(body, 'PublicAccessBlockConfiguration'));
    return {
      PublicAccessBlockConfiguration: Object.fromEntries(settings.map(([name, value]) => [name, asBoolean(value)])),
    };
  },
};

/** Operations whose request has a body that its checksum headers belong to, and which does not verify them itself. */
const VERIFIED_HERE: ReadonlySet<string> = new Set(['DeleteObjects', 'PutBucketCors']);

type Document = readonly [root: string, content: object | string];

function checksums(output: Members): Members {
  return Object.fromEntries(Object.entries(output).filter(([name]) => name.startsWith('Checksum')));
}

/** The XML document of an answer, by operation. */
const WRITE_BODY: Readonly<Record<string, (output: Members) => Document>> = {
  ListBuckets: ({ Owner, Buckets }) => ['ListAllMyBucketsResult', { Owner, Buckets: { Bucket: Buckets } }],
  ListObjectsV2: (output) => ['ListBucketResult', output],
  ListObjectVersions: ({ Versions, DeleteMarkers, ...rest }) => [
    'ListVersionsResult',
    { ...rest, Version: Versions, DeleteMarker: DeleteMarkers },
  ],
  DeleteObjects: ({ Deleted, Errors }) => ['DeleteResult', { Deleted, Error: Errors }],
  CopyObject: ({ CopyObjectResult }) => ['CopyObjectResult', CopyObjectResult as object],
  CreateMultipartUpload: ({ Bucket, Key, UploadId }) => ['InitiateMultipartUploadResult', { Bucket, Key, UploadId }],
  UploadPartCopy: ({ CopyPartResult }) => ['CopyPartResult', CopyPartResult as object],
  CompleteMultipartUpload: ({ Location, Bucket, Key, ETag, ...rest }) => [
    'CompleteMultipartUploadResult',
    { Location, Bucket, Key, ETag, ...checksums(rest) },
  ],
  ListParts: ({ Parts, ...rest }) => ['ListPartsResult', { ...rest, Part: Parts }],
  ListMultipartUploads: ({ Uploads, ...rest }) => ['ListMultipartUploadsResult', { ...rest, Upload: Uploads }],
  GetBucketCors: (output) => ['CORSConfiguration', corsToXml(output)],
  GetBucketLocation: ({ LocationConstraint = '' }) => ['LocationConstraint', String(LocationConstraint)],
  GetBucketNotificationConfiguration: (output) => ['NotificationConfiguration', notificationToXml(output)],
  GetBucketVersioning: (output) => ['VersioningConfiguration', output],
  GetPublicAccessBlock: (output) => ['PublicAccessBlockConfiguration', output.PublicAccessBlockConfiguration as object],
  GetBucketEncryption(output) {
    const { Rules } = output.ServerSideEncryptionConfiguration as { readonly Rules?: unknown };
    return ['ServerSideEncryptionConfiguration', { Rule: Rules }];
  },
  GetObjectTagging: ({ TagSet }) => ['Tagging', { TagSet: { Tag: TagSet } }],
};

/** Operations that answer 204. */
const NO_CONTENT: ReadonlySet<string> = new Set([
  'AbortMultipartUpload',
  'DeleteBucket',
  'DeleteBucketCors',
  'DeleteBucketPolicy',
  'DeleteObject',
  'DeleteObjectTagging',
]);

/** Members of an error that are headers rather than elements. */
const ERROR_HEADERS = ['DeleteMarker', 'VersionId', 'ETag'] as const;

function withId(headers: Readonly<Record<string, string>>, requestId: string): Readonly<Record<string, string>> {
  return { ...headers, 'x-amz-request-id': requestId, 'x-amz-id-2': hostIdOf(requestId) };
}

function answer(operation: string, output: Members, requestId: string): WireResponse {
  if (operation === 'GetBucketPolicy') {
    return {
      status: 200,
      headers: withId({ 'content-type': 'application/json' }, requestId),
      body: String(output.Policy),
    };
  }
  const document = WRITE_BODY[operation]?.(output);
  if (document !== undefined) {
    const { VersionId, CopySourceVersionId, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = output;
    const { SSEKMSEncryptionContext } = output;
    const { ChecksumAlgorithm, ChecksumType } = operation === 'CreateMultipartUpload' ? output : {};
    const headers = writeHeaders({
      VersionId,
      CopySourceVersionId,
      ServerSideEncryption,
      SSEKMSKeyId,
      SSEKMSEncryptionContext,
      BucketKeyEnabled,
      ChecksumAlgorithm,
      ChecksumType,
    });
    return {
      status: 200,
      headers: withId({ ...headers, 'content-type': 'application/xml' }, requestId),
      body: toXml(...document),
    };
  }
  const headers = withId(writeHeaders(output), requestId);
  if (operation === 'GetObject' || operation === 'HeadObject') {
    const body = Buffer.isBuffer(output.Body) ? output.Body : '';
    return { status: output.ContentRange === undefined ? 200 : 206, headers, body };
  }
  return { status: NO_CONTENT.has(operation) ? 204 : 200, headers, body: '' };
}

/** The protocol of S3. `accountId` owns every bucket; `verify` checks the integrity of a body against the request. */
export function s3Protocol(accountId: string, verify: (input: Members, body: Buffer) => void): WireProtocol {
  return {
    authenticationErrors: 's3',
    decode(received) {
      const request = withPresignedHeaders(received);
      const address = addressOf(request.path);
      const operation = operationOf(request, address);
      const expectedOwner = request.headers['x-amz-expected-bucket-owner'];
      if (expectedOwner !== undefined && expectedOwner !== accountId) {
        throw new AwsError('AccessDenied', 'Access Denied', 403);
      }
      const input: Members = {
        ...readMembers(request),
        Bucket: address.bucket,
        Key: address.key,
        ...READ_BODY[operation]?.(request),
      };
      if (VERIFIED_HERE.has(operation)) verify(input, request.body);
      return { operation, input };
    },
    encode: (operation, output, requestId) => answer(operation, (output ?? {}) as Members, requestId),
    encodeError({ code, message, status, details }, requestId) {
      const headers: Record<string, unknown> = {};
      const rest: Record<string, unknown> = { ...details };
      for (const name of ERROR_HEADERS) {
        headers[name] = details[name];
        if (name === 'ETag') delete rest[name];
      }
      return {
        status,
        headers: withId({ ...writeHeaders(headers), 'content-type': 'application/xml' }, requestId),
        body: status === 304 ? '' : errorXml({ Code: code, Message: message, ...rest, RequestId: requestId }),
      };
    },
  };
}
