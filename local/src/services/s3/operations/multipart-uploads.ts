import type {
  AbortMultipartUploadCommandInput,
  CompleteMultipartUploadCommandInput,
  CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommandInput,
  CreateMultipartUploadCommandOutput,
  UploadPartCommandInput,
  UploadPartCommandOutput,
  UploadPartCopyCommandInput,
  UploadPartCopyCommandOutput,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, CallContext } from '../../../kernel/service.ts';
import type { Bucket } from '../bucket.ts';
import { type Buckets, checkKey } from '../buckets.ts';
import { CHECKSUM_ALGORITHMS, type Checksum, checksumMember, verifyIntegrity } from '../checksums.ts';
import { checkWriteConditions } from '../conditions.ts';
import { authorizeDecryption, encryptionForWrite, encryptionMembers, newEncryptionMembers } from '../encryption.ts';
import { checkPartNumber, MultipartUpload } from '../multipart-upload.ts';
import { objectCreated } from '../object-events.ts';
import { parseTagging } from '../tagging.ts';
import { parseSource } from './copy-object.ts';
import { bytesOf, checkAcl, checkMetadata, keptHeaders, type PutInput, writePermissions } from './put-object.ts';

type Output<T> = Omit<T, '$metadata'>;
type CreateInput = Omit<CreateMultipartUploadCommandInput, 'Expires'> & { readonly Expires?: string | undefined };
type PartInput = Omit<UploadPartCommandInput, 'Body'> & Pick<PutInput, 'Body'>;

interface Named {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
}

/** @throws AwsError NoSuchUpload */
export function findUpload(buckets: Buckets, { Bucket, Key, UploadId }: Named): MultipartUpload {
  const upload = buckets.get(Bucket).uploads.get(UploadId ?? '');
  if (upload !== undefined && upload.key === Key) return upload;
  throw new AwsError(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
    { UploadId },
  );
}

function checksumMembers(checksum: Checksum | undefined): Readonly<Record<string, string>> {
  return checksum === undefined ? {} : { [checksumMember(checksum.algorithm)]: checksum.value };
}

/** "COMPOSITE" unless asked otherwise; CRC64NVME is always of the full object, SHA never. */
function checksumTypeOf({ ChecksumAlgorithm, ChecksumType }: CreateInput): 'COMPOSITE' | 'FULL_OBJECT' {
  const type = ChecksumType ?? (ChecksumAlgorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const isSha = ChecksumAlgorithm?.startsWith('SHA') === true;
  if (!(type === 'FULL_OBJECT' ? isSha : ChecksumAlgorithm === 'CRC64NVME')) return type;
  throw new AwsError(
    'InvalidRequest',
    `The ${type} checksum type cannot be used with the ${ChecksumAlgorithm?.toLowerCase()} checksum algorithm.`,
  );
}

function createMultipartUpload(buckets: Buckets): AnyOperation {
  return operation<CreateInput, Output<CreateMultipartUploadCommandOutput>>({
    permissions: (input) => writePermissions(buckets, input),
    async run(input, context) {
      const bucket = buckets.get(input.Bucket);
      const key = checkKey(input.Key);
      checkAcl(input.ACL, bucket);
      const encryption = await encryptionForWrite(buckets, bucket, key, input, context);
      const checksumAlgorithm = CHECKSUM_ALGORITHMS.find((each) => each === input.ChecksumAlgorithm);
      const upload = new MultipartUpload({
        key,
        initiatedAt: buckets.kernel.clock.now(),
        checksumAlgorithm,
        checksumType: checksumTypeOf(input),
        content: {
          headers: keptHeaders(input),
          metadata: checkMetadata(input.Metadata),
          encryption,
          storageClass: input.StorageClass ?? 'STANDARD',
          tags: parseTagging(input.Tagging),
        },
      });
      bucket.uploads.set(upload.id, upload);
      return {
        Bucket: bucket.name,
        Key: key,
        UploadId: upload.id,
        ...newEncryptionMembers(encryption),
        ...(checksumAlgorithm && { ChecksumAlgorithm: checksumAlgorithm, ChecksumType: upload.checksumType }),
      };
    },
  });
}

/** "These permissions are required because S3 must decrypt and read data from the encrypted file parts." */
function authorizeParts(buckets: Buckets, bucket: Bucket, upload: MultipartUpload, context: CallContext) {
  return authorizeDecryption(buckets, bucket, upload.key, upload.content.encryption, context);
}

function uploadPart(buckets: Buckets): AnyOperation {
  return operation<PartInput, Output<UploadPartCommandOutput>>({
    permissions: ({ Bucket, Key }) => [buckets.permission('PutObject', Bucket, Key ?? '')],
    async run(input, context) {
      const upload = findUpload(buckets, input);
      const number = checkPartNumber(input.PartNumber);
      await authorizeParts(buckets, buckets.get(input.Bucket), upload, context);
      const body = bytesOf(input.Body);
      const part = upload.add(number, body, verifyIntegrity(input, body), buckets.kernel.clock.now());
      return { ETag: part.etag, ...checksumMembers(part.checksum), ...encryptionMembers(upload.content.encryption) };
    },
  });
}

/** @throws AwsError InvalidArgument for a range that is not `bytes=first-last` within the object */
function rangeOf(header: string | undefined, body: Buffer): Buffer {
  if (header === undefined) return body;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (first !== undefined && last !== undefined && Number(first) <= Number(last) && Number(last) < body.length) {
    return body.subarray(Number(first), Number(last) + 1);
  }
  throw new AwsError('InvalidArgument', `Range specified is not valid for source object of size: ${body.length}`);
}

function uploadPartCopy(buckets: Buckets): AnyOperation {
  return operation<UploadPartCopyCommandInput, Output<UploadPartCopyCommandOutput>>({
    permissions({ Bucket, Key, CopySource }) {
      const source = parseSource(CopySource);
      const read = source.versionId === undefined ? 'GetObject' : 'GetObjectVersion';
      const write = buckets.permission('PutObject', Bucket, Key ?? '');
      return [buckets.permission(read, source.bucket, source.key), write];
    },
    async run(input, context) {
      const upload = findUpload(buckets, input);
      const number = checkPartNumber(input.PartNumber);
      const from = parseSource(input.CopySource);
      const { content } = buckets.object(from.bucket, from.key, from.versionId, context);
      await authorizeDecryption(buckets, buckets.get(from.bucket), from.key, content.encryption, context);
      await authorizeParts(buckets, buckets.get(input.Bucket), upload, context);
      const body = rangeOf(input.CopySourceRange, content.body);
      const part = upload.add(number, body, undefined, buckets.kernel.clock.now());
      const CopyPartResult = {
        ETag: part.etag,
        LastModified: new Date(part.lastModified),
        ...checksumMembers(part.checksum),
      };
      return { CopyPartResult, ...encryptionMembers(upload.content.encryption) };
    },
  });
}

/** @throws AwsError BadDigest when the request says another checksum of the whole object */
function verifyWhole(input: CompleteMultipartUploadCommandInput, checksum: Checksum | undefined): void {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const given = input[checksumMember(algorithm)];
    if (given === undefined || checksum?.algorithm !== algorithm) continue;
    if (given !== checksum.value && given !== checksum.value.split('-')[0]) {
      throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    }
  }
}

function completeMultipartUpload(buckets: Buckets): AnyOperation {
  return operation<CompleteMultipartUploadCommandInput, Output<CompleteMultipartUploadCommandOutput>>({
    permissions: ({ Bucket, Key }) => [buckets.permission('PutObject', Bucket, Key ?? '')],
    run(input, context) {
      const bucket = buckets.get(input.Bucket);
      const upload = findUpload(buckets, input);
      const content = upload.assemble(input.MultipartUpload?.Parts ?? []);
      verifyWhole(input, content.checksum);
      checkWriteConditions(input, bucket.objects.find(upload.key));
      const { versioning } = bucket.settings;
      const version = bucket.objects.add(upload.key, content, buckets.kernel.clock.now(), versioning);
      bucket.uploads.delete(upload.id);
      objectCreated(buckets, bucket, version, 'CompleteMultipartUpload', context);
      return {
        Location: `${buckets.kernel.endpoint}/${bucket.name}/${encodeURIComponent(upload.key)}`,
        Bucket: bucket.name,
        Key: upload.key,
        ETag: content.etag,
        ...checksumMembers(content.checksum),
        ...(content.checksum && { ChecksumType: upload.checksumType }),
        ...encryptionMembers(content.encryption),
        ...(versioning !== undefined && { VersionId: version.id }),
      };
    },
  });
}

/** The operations that upload an object in parts. */
export function multipartUploads(buckets: Buckets): Readonly<Record<string, AnyOperation>> {
  return {
    CreateMultipartUpload: createMultipartUpload(buckets),
    UploadPart: uploadPart(buckets),
    UploadPartCopy: uploadPartCopy(buckets),
    CompleteMultipartUpload: completeMultipartUpload(buckets),
    AbortMultipartUpload: operation<AbortMultipartUploadCommandInput, object>({
      permissions: ({ Bucket, Key }) => [buckets.permission('AbortMultipartUpload', Bucket, Key ?? '')],
      run(input) {
        buckets.get(input.Bucket).uploads.delete(findUpload(buckets, input).id);
        return {};
      },
    }),
  };
}
