/**
 * File transfer on the wire between a device and the cloud, on `device/{thing}/files/{request}/v1`. The bytes themselves travel
 * through S3, encrypted by the sender in the format of the AWS Encryption SDK.
 */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Base64 = v.pipe(v.string(), v.base64());
/** 32 bytes. */
const Sha256 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/, 'is no SHA-256 in base64'));

/** A ULID, chosen by whoever begins the transfer, so that asking twice is one transfer. It sorts by time. */
export const TransferId = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is no id of a transfer'));

/** Stands where an id does, when a device asks for the transfers that wait for it. */
export const PENDING_TRANSFERS = 'pending';

export const FILE_DIRECTIONS = ['from-device', 'to-device'] as const;
export type FileDirection = (typeof FILE_DIRECTIONS)[number];

/** What a file is called: a name, not a path. */
export const FileName = v.pipe(
  v.string(),
  v.check((name) => name.isWellFormed(), 'has half of a surrogate pair in it'),
  v.regex(
    /^(?!\.{1,2}$)[^\p{Cc}/\\]{1,200}$/u,
    'must be 1 to 200 characters, none of them / \\ or a control character',
  ),
);

/** The parts of a multipart upload; S3 wants 5 MiB at least, but for the last. */
export const PART_BYTES = 8 * 1024 * 1024;
/** URLs in one answer: each may be 2 KB long, and a message has 128 KB. */
export const MAX_PARTS_PER_ANSWER = 10;
/** How long a presigned URL may be begun with. */
export const URL_SECONDS = 60;

/**
 * The encryption context of a file: bound to its data key by KMS, and written into the header of what is encrypted. Whoever
 * decrypts compares all of it.
 */
export function fileContext(of: {
  readonly stage: string;
  readonly thing: string;
  readonly transfer: string;
  readonly direction: FileDirection;
}): Readonly<Record<string, string>> {
  return {
    'thingstead:stage': of.stage,
    'thingstead:thing': of.thing,
    'thingstead:transfer': of.transfer,
    'thingstead:direction': of.direction,
  };
}

/** A data key of KMS (AES-256): its plain text for the one who encrypts or decrypts, and wrapped by KMS for the header of the file. */
export const FileDataKey = v.object({
  plaintext: Base64,
  wrapped: Base64,
  keyArn: v.string(),
  context: v.record(v.string(), v.string()),
});
export type FileDataKey = v.InferOutput<typeof FileDataKey>;

const PartNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000));
const StoredPart = v.object({ number: PartNumber, etag: v.pipe(v.string(), v.maxLength(100)) });

export const ContentType = v.pipe(
  v.string(),
  v.regex(/^[\x20-\x7e]{1,100}$/, 'must be 1 to 100 visible ASCII characters'),
);

/** Parts that are to be sent: `sha256` in base64, of what is encrypted. */
export const WantedParts = v.pipe(
  v.array(
    v.object({ number: PartNumber, bytes: v.pipe(Bytes, v.minValue(1), v.maxValue(PART_BYTES)), sha256: Sha256 }),
  ),
  v.minLength(1),
  v.maxLength(MAX_PARTS_PER_ANSWER),
);
export type WantedParts = v.InferOutput<typeof WantedParts>;

/** What was sent, whole: the parts as S3 has answered; `bytes` and `sha256` (base64) of all that is encrypted. */
export const SentFile = v.object({
  parts: v.pipe(v.array(StoredPart), v.minLength(1), v.maxLength(1000)),
  bytes: Bytes,
  sha256: Sha256,
});
export type SentFile = v.InferOutput<typeof SentFile>;

/** Where to put parts: PUT exactly these bytes; `headers` are signed. The answer's ETag goes into `complete`. */
export const PartUrls = v.object({
  urls: v.array(v.object({ number: PartNumber, url: v.string(), headers: v.record(v.string(), v.string()) })),
  /** They are to be begun with before. */
  expiresAt: EpochMilliseconds,
});
export type PartUrls = v.InferOutput<typeof PartUrls>;

/** Parts that S3 has of an upload. */
export const KeptParts = v.array(v.object({ number: PartNumber, etag: v.string(), bytes: Bytes }));
export type KeptParts = v.InferOutput<typeof KeptParts>;

/** `device/{thing}/files/{transfer}/v1`: what a device says. Each may be sent again. */
export const FileRequest = v.variant('type', [
  /** Begins a transfer from the device; again, the same: goes on with it. */
  v.object({
    type: v.literal('upload'),
    name: FileName,
    contentType: v.optional(ContentType, 'application/octet-stream'),
    /** Of the file as it was. */
    size: Bytes,
  }),
  /** Where to put these parts of what is encrypted. */
  v.object({ type: v.literal('parts'), parts: WantedParts }),
  /** All parts are there. */
  v.object({ type: v.literal('complete'), ...SentFile.entries }),
  /** Wants the key and a URL of a file that is for the device; again when the URL has expired. */
  v.object({ type: v.literal('download') }),
  /** How far it is, in encrypted bytes; at most every few seconds. */
  v.object({ type: v.literal('progress'), bytes: Bytes }),
  /** The device has the whole file, decrypted and verified. */
  v.object({ type: v.literal('received'), size: Bytes }),
  /** The device gives up, for good. */
  v.object({ type: v.literal('failed'), reason: v.pipe(v.string(), v.maxLength(500)) }),
  /** On `pending`: the device listens, and has room. */
  v.object({ type: v.literal('pending') }),
]);
export type FileRequest = v.InferInput<typeof FileRequest>;

/** `.../accepted`: the answer to a request, with its type; or what the cloud says by itself (`offer`, `cancelled`). */
export const FileAnswer = v.variant('type', [
  v.object({
    type: v.literal('upload'),
    dataKey: FileDataKey,
    partBytes: v.literal(PART_BYTES),
    /** Parts that S3 has already. */
    stored: KeptParts,
  }),
  v.object({ type: v.literal('parts'), ...PartUrls.entries }),
  /** The file is stored. Also the answer to `upload` once it is. */
  v.object({ type: v.literal('complete') }),
  v.object({
    type: v.literal('download'),
    name: FileName,
    size: Bytes,
    dataKey: FileDataKey,
    /** GET, also of a range. */
    url: v.string(),
    expiresAt: EpochMilliseconds,
    etag: v.string(),
    /** Of what is encrypted; `sha256` in base64. */
    bytes: Bytes,
    sha256: Base64,
  }),
  v.object({ type: v.literal('progress') }),
  v.object({ type: v.literal('received') }),
  v.object({ type: v.literal('failed') }),
  /** A file waits for the device: it may ask for the download. */
  v.object({ type: v.literal('offer'), name: FileName, size: Bytes, bytes: Bytes }),
  /** A person has cancelled it; the device throws away what it has. */
  v.object({ type: v.literal('cancelled') }),
]);
export type FileAnswer = v.InferOutput<typeof FileAnswer>;

/** `.../rejected`. `retry`: the same may be asked later; else the transfer is over. */
export const FileRejection = v.object({
  type: v.string(),
  code: v.picklist([
    'invalid',
    'unknown-transfer',
    'wrong-state',
    'too-large',
    'quota',
    'not-allowed',
    'checksum',
    'expired',
    'busy',
  ]),
  reason: v.string(),
  retry: v.boolean(),
});
export type FileRejection = v.InferOutput<typeof FileRejection>;

/** What the rule hands to the function: any message on `device/{thing}/files/{request}/v1`. */
export const FileEvent = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name')),
  transfer: v.string(),
  at: EpochMilliseconds,
  /** The message as it came, in base64. */
  payload: v.string(),
});
export type FileEvent = v.InferOutput<typeof FileEvent>;
