import type { CopyObjectCommandInput, CopyObjectCommandOutput } from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { type Buckets, checkKey } from '../buckets.ts';
import { CHECKSUM_ALGORITHMS, checksumMember, checksumOf } from '../checksums.ts';
import { checkWriteConditions } from '../conditions.ts';
import {
  authorizeDecryption,
  encryptionConditionKeys,
  encryptionForWrite,
  newEncryptionMembers,
} from '../encryption.ts';
import { objectCreated } from '../object-events.ts';
import type { ObjectContent } from '../object-store.ts';
import { parseTagging } from '../tagging.ts';
import { checkAcl, checkMetadata, etagOf, keptHeaders } from './put-object.ts';

/** CopyObject with its Expires as text, as it stands in the header. */
type CopyInput = Omit<CopyObjectCommandInput, 'Expires'> & { readonly Expires?: string | undefined };

interface Source {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** @throws AwsError InvalidArgument for a source that is not `bucket/key`, URL-encoded, with an optional version */
export function parseSource(text: string | undefined): Source {
  const [path = '', query] = (text ?? '').split('?');
  const match = /^\/?([^/]+)\/(.+)$/s.exec(decodeURIComponent(path));
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new AwsError('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  }
  const versionId = new URLSearchParams(query).get('versionId') ?? undefined;
  return { bucket: match[1], key: match[2], versionId };
}

function contentFrom(source: ObjectContent, input: CopyInput, encryption: ObjectContent['encryption']): ObjectContent {
  const replaced = input.MetadataDirective === 'REPLACE';
  // The copy is one piece: a checksum over parts would not be its own.
  const composite = source.checksum?.isComposite ? source.checksum.algorithm : undefined;
  const algorithm = CHECKSUM_ALGORITHMS.find((each) => each === input.ChecksumAlgorithm) ?? composite;
  return {
    body: source.body,
    etag: etagOf(source.body),
    headers: replaced ? keptHeaders(input) : source.headers,
    metadata: replaced ? checkMetadata(input.Metadata) : source.metadata,
    checksum: algorithm ? { algorithm, value: checksumOf(algorithm, source.body) } : source.checksum,
    encryption,
    storageClass: input.StorageClass ?? 'STANDARD',
    tags: input.TaggingDirective === 'REPLACE' ? parseTagging(input.Tagging) : source.tags,
  };
}

/** CopyObject within the account, with the source's metadata and tags or new ones. */
export function copyObject(buckets: Buckets): AnyOperation {
  return operation<CopyInput, Omit<CopyObjectCommandOutput, '$metadata'>>({
    permissions(input) {
      const source = parseSource(input.CopySource);
      const read = source.versionId === undefined ? 'GetObject' : 'GetObjectVersion';
      return [
        buckets.permission(read, source.bucket, source.key),
        buckets.permission('PutObject', input.Bucket, input.Key ?? '', encryptionConditionKeys(input)),
        ...(input.TaggingDirective === 'REPLACE'
          ? [buckets.permission('PutObjectTagging', input.Bucket, input.Key ?? '')]
          : []),
      ];
    },
    async run(input, context) {
      const from = parseSource(input.CopySource);
      const source = buckets.object(from.bucket, from.key, from.versionId, context);
      const bucket = buckets.get(input.Bucket);
      const key = checkKey(input.Key);
      checkAcl(input.ACL, bucket);
      const ontoItself = from.bucket === bucket.name && from.key === key && from.versionId === undefined;
      if (ontoItself && input.MetadataDirective !== 'REPLACE' && !input.StorageClass && !input.ServerSideEncryption) {
        throw new AwsError(
          'InvalidRequest',
          "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        );
      }
      const { encryption: sourceEncryption } = source.content;
      await authorizeDecryption(buckets, buckets.get(from.bucket), from.key, sourceEncryption, context);
      const encryption = await encryptionForWrite(buckets, bucket, key, input, context);
      checkWriteConditions(input, bucket.objects.find(key));
      const content = contentFrom(source.content, input, encryption);
      const { versioning } = bucket.settings;
      const version = bucket.objects.add(key, content, buckets.kernel.clock.now(), versioning);
      objectCreated(buckets, bucket, version, 'CopyObject', context);
      const sourceVersioned = buckets.get(from.bucket).settings.versioning !== undefined;
      return {
        CopyObjectResult: {
          ETag: content.etag,
          LastModified: new Date(version.lastModified),
          ...(content.checksum && { [checksumMember(content.checksum.algorithm)]: content.checksum.value }),
        },
        ...newEncryptionMembers(content.encryption),
        ...(versioning !== undefined && { VersionId: version.id }),
        ...(sourceVersioned && { CopySourceVersionId: source.version.id }),
      };
    },
  });
}
