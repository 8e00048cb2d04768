import { GetObjectCommand, HeadObjectCommand, NotFound, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Image, Images, StoredImage, UploadUrl } from '../firmware/ports.ts';
import type { DownloadUrl, DownloadUrls } from '../firmware-devices/ports.ts';

/** An upload is begun at once; how long it takes then does not matter. */
const UPLOAD_SECONDS = 60;
/** A device that is cut off asks again. So long, at most, what was yanked can still be begun. */
const DOWNLOAD_SECONDS = 300;

/** The bucket has no versions, or S3 left out what it always says. */
export class IncompleteImageError extends Error {
  override readonly name = 'IncompleteImageError';
}

/**
 * The bucket of images. URLs are signed with the credentials of the function's role and end with them, too.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
export class FirmwareImages implements Images, DownloadUrls {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #now: () => number;

  constructor(client: S3Client, bucket: string, now: () => number) {
    this.#client = client;
    this.#bucket = bucket;
    this.#now = now;
  }

  async uploadUrl(
    Key: string,
    { size, sha256 }: { readonly size: number; readonly sha256: string },
  ): Promise<UploadUrl> {
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    const put = new PutObjectCommand({
      Bucket: this.#bucket,
      Key,
      ContentLength: size,
      ChecksumSHA256: checksum,
    });
    const expiresAt = this.#now() + UPLOAD_SECONDS * 1000;
    const url = await getSignedUrl(this.#client, put, {
      expiresIn: UPLOAD_SECONDS,
      // A header that is signed and not in the URL: S3 takes no other image than the one that was signed.
      unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
    });
    return { url, headers: { 'content-length': String(size), 'x-amz-checksum-sha256': checksum }, expiresAt };
  }

  async find(Key: string): Promise<StoredImage | undefined> {
    const head = new HeadObjectCommand({ Bucket: this.#bucket, Key, ChecksumMode: 'ENABLED' });
    try {
      const { VersionId, ETag, ContentLength, ChecksumSHA256 } = await this.#client.send(head);
      if (!VersionId || !ETag || ContentLength === undefined) throw new IncompleteImageError(`HeadObject of ${Key}`);
      const sha256 = ChecksumSHA256 && Buffer.from(ChecksumSHA256, 'base64').toString('hex');
      return { versionId: VersionId, etag: ETag, size: ContentLength, sha256 };
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  async downloadUrl(Key: string, { versionId }: Image): Promise<DownloadUrl> {
    const get = new GetObjectCommand({ Bucket: this.#bucket, Key, VersionId: versionId });
    const expiresAt = this.#now() + DOWNLOAD_SECONDS * 1000;
    return { url: await getSignedUrl(this.#client, get, { expiresIn: DOWNLOAD_SECONDS }), expiresAt };
  }
}
