/** Headers and query parameters of S3 requests and answers, by the member of the API that they carry. */
import { AwsError } from '../../../kernel/errors.ts';
import type { WireRequest } from '../../../kernel/wire.ts';

const REQUEST_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'CacheControl',
  'content-disposition': 'ContentDisposition',
  'content-language': 'ContentLanguage',
  'content-md5': 'ContentMD5',
  'content-type': 'ContentType',
  expires: 'Expires',
  'if-match': 'IfMatch',
  'if-none-match': 'IfNoneMatch',
  range: 'Range',
  'x-amz-acl': 'ACL',
  'x-amz-checksum-algorithm': 'ChecksumAlgorithm',
  'x-amz-checksum-crc32': 'ChecksumCRC32',
  'x-amz-checksum-crc32c': 'ChecksumCRC32C',
  'x-amz-checksum-crc64nvme': 'ChecksumCRC64NVME',
  'x-amz-checksum-mode': 'ChecksumMode',
  'x-amz-checksum-sha1': 'ChecksumSHA1',
  'x-amz-checksum-sha256': 'ChecksumSHA256',
  'x-amz-checksum-type': 'ChecksumType',
  'x-amz-copy-source': 'CopySource',
  'x-amz-copy-source-range': 'CopySourceRange',
  'x-amz-metadata-directive': 'MetadataDirective',
  'x-amz-sdk-checksum-algorithm': 'ChecksumAlgorithm',
  'x-amz-server-side-encryption': 'ServerSideEncryption',
  'x-amz-server-side-encryption-aws-kms-key-id': 'SSEKMSKeyId',
  'x-amz-server-side-encryption-bucket-key-enabled': 'BucketKeyEnabled',
  'x-amz-server-side-encryption-context': 'SSEKMSEncryptionContext',
  'x-amz-skip-destination-validation': 'SkipDestinationValidation',
  'x-amz-storage-class': 'StorageClass',
  'x-amz-tagging': 'Tagging',
  'x-amz-tagging-directive': 'TaggingDirective',
};

const REQUEST_DATES: Readonly<Record<string, string>> = {
  'if-modified-since': 'IfModifiedSince',
  'if-unmodified-since': 'IfUnmodifiedSince',
};

/** Beginnings of headers whose effect is not emulated: they are refused, since ignoring them would change the outcome. */
const REFUSED_HEADERS = [
  'x-amz-bypass-governance-retention',
  'x-amz-copy-source-if-',
  'x-amz-copy-source-server-side-encryption-',
  'x-amz-grant-',
  'x-amz-if-match-',
  'x-amz-mfa',
  'x-amz-object-lock-',
  'x-amz-server-side-encryption-customer-',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
] as const;

const QUERY: Readonly<Record<string, string>> = {
  'continuation-token': 'ContinuationToken',
  delimiter: 'Delimiter',
  'encoding-type': 'EncodingType',
  'key-marker': 'KeyMarker',
  prefix: 'Prefix',
  'response-cache-control': 'ResponseCacheControl',
  'response-content-disposition': 'ResponseContentDisposition',
  'response-content-encoding': 'ResponseContentEncoding',
  'response-content-language': 'ResponseContentLanguage',
  'response-content-type': 'ResponseContentType',
  'start-after': 'StartAfter',
  'part-number-marker': 'PartNumberMarker',
  'upload-id-marker': 'UploadIdMarker',
  uploadId: 'UploadId',
  'version-id-marker': 'VersionIdMarker',
  versionId: 'VersionId',
};

const QUERY_NUMBERS: Readonly<Record<string, string>> = {
  'max-keys': 'MaxKeys',
  'max-parts': 'MaxParts',
  'max-uploads': 'MaxUploads',
  partNumber: 'PartNumber',
};

const META = 'x-amz-meta-';

/** The content encoding without the framing of the upload, which the front door has taken away. */
function contentEncoding(header: string | undefined): string | undefined {
  const encodings = header?.split(',').map((each) => each.trim());
  return encodings?.filter((each) => each !== '' && each !== 'aws-chunked').join(',') || undefined;
}

/** Parameters of the signature itself, which every presigned address has. */
const OF_SIGNATURE =
  /^x-amz-(algorithm|content-sha256|credential|date|expires|security-token|signature|signedheaders)$/;

/** A presigned request with the headers that its address carries: SDKs put what they sign into the query. */
export function withPresignedHeaders(request: WireRequest): WireRequest {
  if (!request.query.has('X-Amz-Signature')) return request;
  const hoisted: Record<string, string> = {};
  for (const [parameter, value] of request.query) {
    const name = parameter.toLowerCase();
    if (name.startsWith('x-amz-') && !OF_SIGNATURE.test(name)) hoisted[name] = value;
  }
  return { ...request, headers: { ...hoisted, ...request.headers } };
}

/**
 * All members that a request carries in headers and query parameters.
 *
 * @throws AwsError NotImplemented for a header whose effect is not emulated, InvalidArgument for a value that is none
 */
export function readMembers({ headers, query }: WireRequest): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (REFUSED_HEADERS.some((refused) => name.startsWith(refused))) {
      throw new AwsError('NotImplemented', 'A header you provided implies functionality that is not implemented', 501, {
        Header: name,
      });
    }
    const member = REQUEST_HEADERS[name];
    const date = REQUEST_DATES[name];
    if (member !== undefined) input[member] = value;
    else if (name.startsWith(META)) metadata[name.slice(META.length)] = value;
    else if (date !== undefined && !Number.isNaN(Date.parse(value))) input[date] = new Date(value);
  }
  const encoding = contentEncoding(headers['content-encoding']);
  if (encoding !== undefined) input.ContentEncoding = encoding;
  if (Object.keys(metadata).length > 0) input.Metadata = metadata;
  for (const [name, value] of query) {
    const member = QUERY[name];
    const number = QUERY_NUMBERS[name];
    if (member !== undefined) input[member] = value;
    if (number === undefined) continue;
    if (!/^\d+$/.test(value)) throw new AwsError('InvalidArgument', `Provided ${name} not an integer`);
    input[number] = Number(value);
  }
  return input;
}

const RESPONSE_HEADERS: Readonly<Record<string, string>> = {
  AcceptRanges: 'accept-ranges',
  BucketArn: 'x-amz-bucket-arn',
  BucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  BucketRegion: 'x-amz-bucket-region',
  CacheControl: 'cache-control',
  ChecksumAlgorithm: 'x-amz-checksum-algorithm',
  ChecksumCRC32: 'x-amz-checksum-crc32',
  ChecksumCRC32C: 'x-amz-checksum-crc32c',
  ChecksumCRC64NVME: 'x-amz-checksum-crc64nvme',
  ChecksumSHA1: 'x-amz-checksum-sha1',
  ChecksumSHA256: 'x-amz-checksum-sha256',
  ChecksumType: 'x-amz-checksum-type',
  ContentDisposition: 'content-disposition',
  ContentEncoding: 'content-encoding',
  ContentLanguage: 'content-language',
  ContentLength: 'content-length',
  ContentRange: 'content-range',
  ContentType: 'content-type',
  CopySourceVersionId: 'x-amz-copy-source-version-id',
  DeleteMarker: 'x-amz-delete-marker',
  ETag: 'etag',
  Expires: 'expires',
  Location: 'location',
  SSEKMSEncryptionContext: 'x-amz-server-side-encryption-context',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  ServerSideEncryption: 'x-amz-server-side-encryption',
  StorageClass: 'x-amz-storage-class',
  TagCount: 'x-amz-tagging-count',
  VersionId: 'x-amz-version-id',
};

/** The members of an answer that belong into its headers. */
export function writeHeaders(output: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [member, value] of Object.entries(output)) {
    const name = RESPONSE_HEADERS[member];
    if (name !== undefined && value !== undefined) headers[name] = String(value);
  }
  if (output.LastModified instanceof Date) headers['last-modified'] = output.LastModified.toUTCString();
  for (const [name, value] of Object.entries((output.Metadata ?? {}) as Readonly<Record<string, string>>)) {
    headers[META + name] = value;
  }
  return headers;
}
