/** Uploads in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. */
import { createHash, randomBytes } from 'node:crypto';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { AwsError } from '../../kernel/errors.ts';
import { CHECKSUM_ALGORITHMS, type Checksum, type ChecksumAlgorithm, checksumMember, checksumOf } from './checksums.ts';
import type { ObjectContent } from './object-store.ts';

/** "Part size: 5 MiB to 5 GiB. There is no minimum size limit on the last part of your multipart upload." */
const MIN_PART_BYTES = 5 * 1024 ** 2;
const MAX_PARTS = 10_000;

export interface Part {
  readonly number: number;
  readonly body: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly checksum: Checksum | undefined;
  readonly lastModified: number;
}

interface UploadOptions {
  readonly key: string;
  readonly initiatedAt: number;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: 'COMPOSITE' | 'FULL_OBJECT';
  /** The id of an upload that was kept; a new one makes its own. */
  readonly id?: string;
  /** What the object will have, besides its bytes. */
  readonly content: Pick<ObjectContent, 'headers' | 'metadata' | 'encryption' | 'storageClass' | 'tags'>;
}

/** @throws AwsError InvalidArgument */
export function checkPartNumber(number: number | undefined): number {
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= MAX_PARTS) return number;
  throw new AwsError('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`, 400, {
    ArgumentName: 'partNumber',
    ArgumentValue: number,
  });
}

/** One upload that has neither been completed nor aborted. */
export class MultipartUpload {
  readonly id: string;
  readonly key: string;
  readonly initiatedAt: number;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: 'COMPOSITE' | 'FULL_OBJECT';
  readonly content: UploadOptions['content'];
  readonly #parts = new Map<number, Part>();

  constructor({ id, key, initiatedAt, checksumAlgorithm, checksumType, content }: UploadOptions) {
    this.id = id ?? randomBytes(48).toString('base64url');
    this.key = key;
    this.initiatedAt = initiatedAt;
    this.checksumAlgorithm = checksumAlgorithm;
    this.checksumType = checksumType;
    this.content = content;
  }

  /** Takes over a part of a kept upload. */
  restorePart(part: Part): void {
    this.#parts.set(part.number, part);
  }

  /** In the order of their numbers. */
  get parts(): readonly Part[] {
    return [...this.#parts.values()].sort((a, b) => a.number - b.number);
  }

  /**
   * Adds a part, or replaces the one of the same number.
   *
   * @throws AwsError InvalidRequest for a checksum of another algorithm than the upload's
   */
  add(number: number, body: Buffer, sent: Checksum | undefined, now: number): Part {
    const algorithm = this.checksumAlgorithm;
    if (algorithm !== undefined && sent !== undefined && sent.algorithm !== algorithm) {
      throw new AwsError(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${sent.algorithm.toLowerCase()}`,
      );
    }
    const own = algorithm === undefined ? undefined : { algorithm, value: checksumOf(algorithm, body) };
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    const part: Part = { number, body, etag, checksum: sent ?? own, lastModified: now };
    this.#parts.set(number, part);
    return part;
  }

  /**
   * The object of the listed parts.
   *
   * @throws AwsError MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall
   */
  assemble(listed: readonly CompletedPart[]): ObjectContent {
    if (listed.length === 0) throw new AwsError('MalformedXML', 'You must specify at least one part');
    const parts = listed.map((each) => this.#listedPart(each));
    parts.forEach((part, at) => {
      const previous = parts[at - 1];
      if (previous !== undefined && previous.number >= part.number) {
        throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.');
      }
      if (at < parts.length - 1 && part.body.length < MIN_PART_BYTES) {
        throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
          ETag: part.etag,
          MinSizeAllowed: MIN_PART_BYTES,
          PartNumber: part.number,
          ProposedSize: part.body.length,
        });
      }
    });
    const body = Buffer.concat(parts.map((part) => part.body));
    const digests = parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex'));
    const etag = `"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}"`;
    return { ...this.content, body, etag, checksum: this.#checksumOf(parts, body) };
  }

  #listedPart({ PartNumber, ETag, ...rest }: CompletedPart): Part {
    const part = this.#parts.get(Number(PartNumber));
    const sameTag = part?.etag.replaceAll('"', '') === ETag?.replaceAll('"', '');
    const checked = CHECKSUM_ALGORITHMS.every((algorithm) => {
      const given = rest[checksumMember(algorithm)];
      return given === undefined || (part?.checksum?.algorithm === algorithm && part.checksum.value === given);
    });
    if (part !== undefined && sameTag && checked) return part;
    throw new AwsError(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      400,
      { UploadId: this.id, PartNumber, ETag },
    );
  }

  #checksumOf(parts: readonly Part[], body: Buffer): Checksum | undefined {
    const algorithm = this.checksumAlgorithm;
    if (algorithm === undefined) return undefined;
    if (this.checksumType === 'FULL_OBJECT') return { algorithm, value: checksumOf(algorithm, body) };
    const values = parts.map(({ checksum }) => Buffer.from(checksum?.value ?? '', 'base64'));
    const value = `${checksumOf(algorithm, Buffer.concat(values))}-${parts.length}`;
    return { algorithm, value, isComposite: true };
  }
}
