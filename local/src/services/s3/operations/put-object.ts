import { createHash } from 'node:crypto';
import type { PutObjectCommandInput, PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import type { Bucket } from '../bucket.ts';
import { type Buckets, checkKey } from '../buckets.ts';
import { checksumMember, verifyIntegrity } from '../checksums.ts';
import { checkWriteConditions } from '../conditions.ts';
import { type Encryption, encryptionConditionKeys, encryptionForWrite, newEncryptionMembers } from '../encryption.ts';
import { objectCreated } from '../object-events.ts';
import type { ObjectContent, ObjectHeaders } from '../object-store.ts';
import { parseTagging } from '../tagging.ts';

/** "You can upload up to 5 GB with a single PUT." */
const MAX_BODY_BYTES = 5 * 1024 ** 3;
/** "User-defined metadata is limited to 2 KB." */
const MAX_METADATA_BYTES = 2 * 1024;
/** ACLs that give the bucket's owner what the owner has anyway. */
const OWNER_ACLS: ReadonlySet<string> = new Set(['bucket-owner-full-control', 'bucket-owner-read']);

/** PutObject with its body as a buffer; the SDK's own type knows streams, which do not occur here. */
export type PutInput = Omit<PutObjectCommandInput, 'Body' | 'Expires'> & {
  readonly Body?: Uint8Array | string | undefined;
  readonly Expires?: string | undefined;
};

/** @throws AwsError AccessControlListNotSupported when the bucket has no ACLs, NotEmulated for an ACL that shares */
export function checkAcl(acl: string | undefined, bucket: Bucket): void {
  if (acl === undefined || OWNER_ACLS.has(acl)) return;
  if (bucket.aclsDisabled) throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs');
  if (acl !== 'private') throw new AwsError('NotEmulated', `The local runtime does not emulate the ACL ${acl}.`, 501);
}

/** @throws AwsError MetadataTooLarge */
export function checkMetadata(
  metadata: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > MAX_METADATA_BYTES) {
    throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, {
      Size: bytes,
      MaxSizeAllowed: MAX_METADATA_BYTES,
    });
  }
  return Object.fromEntries(entries);
}

/** The headers that are kept with an object. */
export function keptHeaders(input: { readonly [Name in keyof ObjectHeaders]?: string | undefined }): ObjectHeaders {
  const { CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ContentType, Expires } = input;
  return {
    CacheControl,
    ContentDisposition,
    ContentEncoding,
    ContentLanguage,
    ContentType: ContentType ?? 'binary/octet-stream',
    Expires,
  };
}

/** A body as a buffer; text is UTF-8. */
export function bytesOf(body: PutInput['Body']): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  return Buffer.isBuffer(body) ? body : Buffer.from(body);
}

/** The entity tag of an object in one piece, with its quotes. */
export function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function contentOf(input: PutInput, encryption: Encryption): ObjectContent {
  const body = bytesOf(input.Body);
  if (body.length > MAX_BODY_BYTES) {
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  return {
    body,
    etag: etagOf(body),
    headers: keptHeaders(input),
    metadata: checkMetadata(input.Metadata),
    checksum: verifyIntegrity(input, body),
    encryption,
    storageClass: input.StorageClass ?? 'STANDARD',
    tags: parseTagging(input.Tagging),
  };
}

/** What a request to write an object needs, besides the KMS key. */
export function writePermissions(
  buckets: Buckets,
  input: Pick<PutInput, 'ACL' | 'Bucket' | 'Key' | 'ServerSideEncryption' | 'SSEKMSKeyId' | 'Tagging'>,
): readonly Permission[] {
  const { ACL, Bucket, Key = '', Tagging } = input;
  const keys = { ...encryptionConditionKeys(input), ...(ACL !== undefined && { 's3:x-amz-acl': ACL }) };
  return [
    buckets.permission('PutObject', Bucket, Key, keys),
    ...(Tagging === undefined ? [] : [buckets.permission('PutObjectTagging', Bucket, Key)]),
  ];
}

/** PutObject: stores an object, as a new version if the bucket has them. */
export function putObject(buckets: Buckets): AnyOperation {
  return operation<PutInput, Omit<PutObjectCommandOutput, '$metadata'>>({
    permissions: (input) => writePermissions(buckets, input),
    async run(input, context) {
      const bucket = buckets.get(input.Bucket);
      const key = checkKey(input.Key);
      checkAcl(input.ACL, bucket);
      const encryption = await encryptionForWrite(buckets, bucket, key, input, context);
      const content = contentOf(input, encryption);
      checkWriteConditions(input, bucket.objects.find(key));
      const { versioning } = bucket.settings;
      const version = bucket.objects.add(key, content, buckets.kernel.clock.now(), versioning);
      objectCreated(buckets, bucket, version, 'PutObject', context);
      return {
        ETag: content.etag,
        ...(content.checksum && { [checksumMember(content.checksum.algorithm)]: content.checksum.value }),
        ...newEncryptionMembers(content.encryption),
        ...(versioning !== undefined && { VersionId: version.id }),
      };
    },
  });
}
