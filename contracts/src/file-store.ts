/** The files table and bucket: each transfer and how far it is. What is transferred is in the bucket, encrypted by its sender. */
import * as v from 'valibot';
import { ContentType, FILE_DIRECTIONS, FileName, TransferId } from './files.ts';
import { PersonId, ThingName } from './grants.ts';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EpochSeconds = EpochMilliseconds;
const Bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * `REQUESTED`: there is a row and a key; `UPLOADING`: S3 takes parts; `STORED`: it is whole in S3, which is where a file from a
 * device stays; `DELIVERING`: the device has asked for it; `DELIVERED`: the device has it. The others end it without.
 */
export const TRANSFER_STATES = [
  'REQUESTED',
  'UPLOADING',
  'STORED',
  'DELIVERING',
  'DELIVERED',
  'REJECTED',
  'FAILED',
  'CANCELLED',
  'REMOVED',
  'EXPIRED',
] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

/** An upload that is not whole by then is over. The bucket throws its parts away after as many days. */
export const UPLOAD_DAYS = 3;
/** How long the row of a transfer stays after its end. */
export const TRANSFER_HISTORY_SECONDS = 7 * 86_400;
/** Rows of one thing, of transfers that have ended too: so many are read to know whether there is room for another. */
export const MAX_TRANSFERS_PER_THING = 1000;

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** All sort keys of transfers begin with it. */
export const TRANSFER_PREFIX = 'transfer#';

export function transferKey(thing: string, id: string): Key {
  return { pk: thing, sk: `${TRANSFER_PREFIX}${id}` };
}

/** Its version changes with every transfer that begins: two that begin at the same time do not both take the last room. */
export function filesAccountKey(thing: string): Key {
  return { pk: thing, sk: 'account' };
}

export const FilesAccountRow = v.object({ version: v.pipe(v.number(), v.safeInteger()) });

export const TransferRow = v.object({
  thing: ThingName,
  id: TransferId,
  direction: v.picklist(FILE_DIRECTIONS),
  name: FileName,
  contentType: ContentType,
  /** Of the file as it was. */
  size: Bytes,
  state: v.picklist(TRANSFER_STATES),
  startedAt: EpochMilliseconds,
  changedAt: EpochMilliseconds,
  /** Of a file for a device: who sent it, and by what they might. */
  startedBy: v.optional(PersonId),
  authority: v.optional(v.picklist(['grant', 'staff'])),
  /** The data key, encrypted by KMS (base64), and by which key. */
  wrappedKey: v.string(),
  keyArn: v.string(),
  /** Of the multipart upload. */
  uploadId: v.optional(v.string()),
  /** Of what is encrypted, as the sender says: size and SHA-256 in base64. Written before the upload is completed. */
  bytes: v.optional(Bytes),
  sha256: v.optional(v.string()),
  /** Of the object. */
  etag: v.optional(v.string()),
  /** Encrypted bytes that went, of the leg that its state says. */
  transferred: v.optional(Bytes),
  reason: v.optional(v.string()),
  /** From then on it is over, whether or not anybody has written so. */
  endsAt: EpochMilliseconds,
  expiresAt: EpochSeconds,
});
export type TransferRow = v.InferOutput<typeof TransferRow>;

/** Settings of the functions of files. */
export const FilesSettings = v.object({
  stage: v.string(),
  maxBytes: Bytes,
  quotaBytesPerThing: Bytes,
  retentionDays: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
export type FilesSettings = v.InferOutput<typeof FilesSettings>;

/** All objects of files begin with it. */
export const FILES_PREFIX = 'files/';

/** Where a file is in the bucket. The thing comes from a topic or from a path that was authorised, never from a body. */
export function objectKeyOf(thing: string, transfer: string): string {
  return `${FILES_PREFIX}${thing}/${transfer}`;
}

/** Undefined for a key that is none of a file. */
export function transferOfObject(key: string): { readonly thing: string; readonly transfer: string } | undefined {
  const [prefix, thing = '', transfer, ...more] = key.split('/');
  if (`${prefix}/` !== FILES_PREFIX || !THING_NAME.test(thing) || !v.is(TransferId, transfer) || more.length > 0)
    return;
  return { thing, transfer };
}

/** Frames of 4 KiB are the smallest that senders make; each has a number, an initialisation vector and a tag. */
const FRAME_BYTES = 4096;
const FRAME_OVERHEAD_BYTES = 32;
/** Header with context and wrapped key, and the end of the last frame. */
const MESSAGE_OVERHEAD_BYTES = 4096;

/**
 * How large a file of this size may be once it is encrypted, at most:
 * https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
 */
export function maxEncryptedBytes(size: number): number {
  return size + Math.ceil(size / FRAME_BYTES) * FRAME_OVERHEAD_BYTES + MESSAGE_OVERHEAD_BYTES;
}
