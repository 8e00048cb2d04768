import type {
  ListMultipartUploadsCommandInput,
  ListMultipartUploadsCommandOutput,
  ListPartsCommandInput,
  ListPartsCommandOutput,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Buckets } from '../buckets.ts';
import { checksumMember } from '../checksums.ts';
import type { MultipartUpload } from '../multipart-upload.ts';
import { findUpload } from './multipart-uploads.ts';

type Output<T> = Omit<T, '$metadata'>;

const MAX_PAGE = 1000;

function pageSize(asked: number | undefined): number {
  return Math.min(asked ?? MAX_PAGE, MAX_PAGE);
}

/** ListParts: the parts of an upload that is not complete yet. */
export function listParts(buckets: Buckets): AnyOperation {
  return operation<ListPartsCommandInput, Output<ListPartsCommandOutput>>({
    permissions: ({ Bucket, Key }) => [buckets.permission('ListMultipartUploadParts', Bucket, Key ?? '')],
    run(input) {
      const upload = findUpload(buckets, input);
      const MaxParts = pageSize(input.MaxParts);
      const marker = Number(input.PartNumberMarker ?? 0);
      const rest = upload.parts.filter(({ number }) => number > marker);
      const page = rest.slice(0, MaxParts);
      return {
        Bucket: input.Bucket,
        Key: upload.key,
        UploadId: upload.id,
        StorageClass: upload.content.storageClass as 'STANDARD',
        PartNumberMarker: String(marker),
        NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
        MaxParts,
        IsTruncated: rest.length > page.length,
        ...(upload.checksumAlgorithm && {
          ChecksumAlgorithm: upload.checksumAlgorithm,
          ChecksumType: upload.checksumType,
        }),
        Parts: page.map(({ number, body, etag, checksum, lastModified }) => ({
          PartNumber: number,
          LastModified: new Date(lastModified),
          ETag: etag,
          Size: body.length,
          ...(checksum && { [checksumMember(checksum.algorithm)]: checksum.value }),
        })),
      };
    },
  });
}

function isAfter(upload: MultipartUpload, key: string | undefined, id: string | undefined, all: string[]): boolean {
  if (key === undefined || upload.key > key) return true;
  return upload.key === key && id !== undefined && all.indexOf(upload.id) > all.indexOf(id);
}

/** ListMultipartUploads: by key, then by the time of their beginning. */
export function listMultipartUploads(buckets: Buckets): AnyOperation {
  return operation<ListMultipartUploadsCommandInput, Output<ListMultipartUploadsCommandOutput>>({
    permissions: ({ Bucket }) => [buckets.permission('ListBucketMultipartUploads', Bucket)],
    run({ Bucket, Prefix = '', KeyMarker, UploadIdMarker, Delimiter, ...input }) {
      if (Delimiter !== undefined) throw notEmulated('s3', 'ListMultipartUploads with delimiter');
      const MaxUploads = pageSize(input.MaxUploads);
      const inOrder = [...buckets.get(Bucket).uploads.values()].sort(
        (a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || a.initiatedAt - b.initiatedAt,
      );
      const ids = inOrder.map(({ id }) => id);
      const rest = inOrder.filter(
        (upload) => upload.key.startsWith(Prefix) && isAfter(upload, KeyMarker, UploadIdMarker, ids),
      );
      const page = rest.slice(0, MaxUploads);
      const isTruncated = rest.length > page.length;
      return {
        Bucket,
        KeyMarker: KeyMarker ?? '',
        UploadIdMarker: UploadIdMarker ?? '',
        Prefix,
        MaxUploads,
        IsTruncated: isTruncated,
        ...(isTruncated && { NextKeyMarker: page.at(-1)?.key, NextUploadIdMarker: page.at(-1)?.id }),
        Uploads: page.map(({ id, key, initiatedAt, content, checksumAlgorithm, checksumType }) => ({
          UploadId: id,
          Key: key,
          Initiated: new Date(initiatedAt),
          StorageClass: content.storageClass as 'STANDARD',
          ...(checksumAlgorithm && { ChecksumAlgorithm: checksumAlgorithm, ChecksumType: checksumType }),
        })),
      };
    },
  });
}
