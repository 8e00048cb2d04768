/**
 * Sizes in the message format of the AWS Encryption SDK, version 2, with frames:
 * https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
 */
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';

/** Without a signature: the public key of one would be a member of the context, which the data key was bound to before. */
export const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

export const CLIENT_OPTIONS = {
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
};

/** Plain text in one frame. Smaller ones cost time (4 KiB: a fifth of the throughput), larger ones memory. */
export const FRAME_BYTES = 64 * 1024;
/** A frame is held in memory until it is known to be genuine. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** No header with one data key is larger: its context and the three parts of the key have 64 KiB each at most. */
export const MAX_HEADER_BYTES = 257 * 1024;

const IV = 12;
const TAG = 16;
/** Sequence number, initialization vector, tag. */
const FRAME_OVERHEAD = 4 + IV + TAG;
/** Mark of the end, sequence number, initialization vector, length, tag. */
const FINAL_FRAME_OVERHEAD = 4 + 4 + IV + 4 + TAG;

export interface HeaderParts {
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly encryptedDataKeys: readonly {
    readonly providerId: string;
    readonly providerInfo: string;
    readonly encryptedDataKey: Uint8Array;
  }[];
}

/** Length of a header with its tag. */
export function headerBytes({ encryptionContext, encryptedDataKeys }: HeaderParts): number {
  const pairs = Object.entries(encryptionContext);
  const context = pairs.reduce((sum, [name, value]) => sum + 4 + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  const keys = encryptedDataKeys.reduce(
    (sum, { providerId, providerInfo, encryptedDataKey }) =>
      sum + 6 + Buffer.byteLength(providerId) + Buffer.byteLength(providerInfo) + encryptedDataKey.length,
    0,
  );
  // Version, suite, message id, length and count of the context, count of keys, content type, frame length, commitment, tag.
  return 1 + 2 + 32 + 2 + (pairs.length > 0 ? 2 : 0) + context + 2 + keys + 1 + 4 + 32 + TAG;
}

/** Length of all frames, the last of which is shorter than the others, or empty. */
export function framesBytes(size: number, frameLength: number): number {
  return size + framesOverhead(size, frameLength) + FINAL_FRAME_OVERHEAD;
}

/** The same when a plain text that fills its frames ends with the last full one, as some writers have it. */
export function framesBytesWithFullEnd(size: number, frameLength: number): number {
  return framesBytes(size, frameLength) - FRAME_OVERHEAD;
}

/** What so much plain text adds, but for the last frame. */
export function framesOverhead(size: number, frameLength: number): number {
  return Math.floor(size / frameLength) * FRAME_OVERHEAD;
}
