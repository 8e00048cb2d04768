import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { objectKeyOf, type TransferRow } from '@thingstead/contracts/file-store';
import { URL_SECONDS, type WantedParts } from '@thingstead/contracts/files';
import type { ObjectPart, Objects, SignedUrl } from '../file-transfers/ports.ts';

/** The bucket of files in S3. The client must not add checksums of its own to what it signs. */
export class FileObjects implements Objects {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async begin(thing: string, transfer: string): Promise<string> {
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({
        ...this.#at(thing, transfer),
        // Of what it is before it is encrypted, S3 knows nothing.
        ContentType: 'application/octet-stream',
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    if (UploadId === undefined) throw new Error('S3 began an upload without an id');
    return UploadId;
  }

  async abort(thing: string, transfer: string, UploadId: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#at(thing, transfer), UploadId });
    await unless('NoSuchUpload', () => this.#client.send(command));
  }

  parts(thing: string, transfer: string, UploadId: string): Promise<readonly ObjectPart[] | undefined> {
    return unless('NoSuchUpload', async () => {
      const parts: ObjectPart[] = [];
      const input = { ...this.#at(thing, transfer), UploadId };
      // S3 names a next marker on the last page too, which the paginator of the SDK would follow.
      for (let marker: string | undefined, more = true; more; ) {
        const page = await this.#client.send(new ListPartsCommand({ ...input, PartNumberMarker: marker }));
        marker = page.NextPartNumberMarker;
        more = page.IsTruncated === true;
        parts.push(
          ...(page.Parts ?? []).map(({ PartNumber = 0, ETag = '', Size = 0, ChecksumSHA256 }) => ({
            ...{ number: PartNumber, etag: ETag, bytes: Size, sha256: ChecksumSHA256 },
          })),
        );
      }
      return parts;
    });
  }

  async partUrl(
    { thing, id, uploadId: UploadId }: TransferRow & { readonly uploadId: string },
    { number: PartNumber, bytes, sha256 }: WantedParts[number],
  ): Promise<SignedUrl> {
    const headers = { 'content-length': String(bytes), 'x-amz-checksum-sha256': sha256 };
    const command = new UploadPartCommand({
      ...this.#at(thing, id),
      ...{ UploadId, PartNumber, ContentLength: bytes, ChecksumSHA256: sha256 },
    });
    // As headers, not in the query: what is sent must have them, and S3 compares.
    const url = await getSignedUrl(this.#client, command, {
      expiresIn: URL_SECONDS,
      unhoistableHeaders: new Set(Object.keys(headers)),
      signableHeaders: new Set(['host', ...Object.keys(headers)]),
    });
    return { url, headers };
  }

  async complete(
    thing: string,
    transfer: string,
    UploadId: string,
    parts: readonly ObjectPart[],
  ): Promise<'made' | 'gone' | 'changed'> {
    const Parts = parts.map(({ number, etag, sha256 }) => ({ PartNumber: number, ETag: etag, ChecksumSHA256: sha256 }));
    const input = { ...this.#at(thing, transfer), UploadId, MultipartUpload: { Parts } };
    try {
      await this.#client.send(new CompleteMultipartUploadCommand(input));
      return 'made';
    } catch (error) {
      if (isNamed(error, 'NoSuchUpload')) return 'gone';
      if (isNamed(error, 'InvalidPart') || isNamed(error, 'EntityTooSmall')) return 'changed';
      throw error;
    }
  }

  find(thing: string, transfer: string): Promise<{ readonly bytes: number; readonly etag: string } | undefined> {
    return unless('NotFound', async () => {
      const found = await this.#client.send(new HeadObjectCommand(this.#at(thing, transfer)));
      return { bytes: found.ContentLength ?? 0, etag: found.ETag ?? '' };
    });
  }

  downloadUrl(thing: string, transfer: string): Promise<string> {
    const command = new GetObjectCommand(this.#at(thing, transfer));
    return getSignedUrl(this.#client, command, { expiresIn: URL_SECONDS });
  }

  async remove(Key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key }));
  }

  #at(thing: string, transfer: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: objectKeyOf(thing, transfer) };
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof S3ServiceException && error.name === name;
}

async function unless<Result>(name: string, call: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isNamed(error, name)) return undefined;
    throw error;
  }
}
