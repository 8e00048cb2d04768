/** What is remembered of a transfer. Neither keys nor URLs are: after a restart the device asks for them again. */
import { ContentType, FileName, TransferId } from '@thingstead/contracts/files';
import * as v from 'valibot';

const Bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** It is over without success: the cloud has to be told, unless it knows; what is left of it has to be removed. */
const GivenUp = v.object({ state: v.literal('given-up'), reason: v.string(), tell: v.boolean() });

const Outgoing = {
  direction: v.literal('from-device'),
  id: TransferId,
  name: FileName,
  contentType: ContentType,
  size: Bytes,
  /** The file as it was; absolute. */
  source: v.string(),
  /** As LargeFiles gives it. */
  version: v.string(),
  /** It was put into the folder of outgoing files, from which it goes when it is over. */
  isOwn: v.boolean(),
};

export const OutgoingRecord = v.variant('state', [
  /** It is to be encrypted. */
  v.object({ ...Outgoing, state: v.literal('new') }),
  /** All that is encrypted is on the disk: its length, SHA-256 in base64, and that of each part. */
  v.object({
    ...Outgoing,
    state: v.literal('sending'),
    bytes: Bytes,
    sha256: v.string(),
    parts: v.array(v.string()),
  }),
  /** The cloud has it. */
  v.object({ ...Outgoing, state: v.literal('stored') }),
  /** `again`: under another id; the file stays where it is. */
  v.object({ ...Outgoing, ...GivenUp.entries, again: v.boolean() }),
]);
export type OutgoingRecord = v.InferOutput<typeof OutgoingRecord>;

const Incoming = { direction: v.literal('to-device'), id: TransferId, name: FileName, size: Bytes };

export const IncomingRecord = v.variant('state', [
  v.object({
    ...Incoming,
    state: v.literal('downloading'),
    /** Of what is encrypted; SHA-256 in base64. */
    bytes: Bytes,
    sha256: v.string(),
    etag: v.string(),
    /** So much of it is on the disk for certain. */
    synced: Bytes,
    /** How often it was on the disk and was not what was sent. */
    damaged: v.number(),
  }),
  /** It is decrypted, and is about to be renamed to this name. */
  v.object({ ...Incoming, state: v.literal('placing'), target: v.string() }),
  v.object({
    ...Incoming,
    state: v.literal('received'),
    target: v.string(),
    /** The cloud knows. */
    told: v.boolean(),
    /** Its handler has run, or there is none. */
    handled: v.boolean(),
  }),
  v.object({ ...Incoming, ...GivenUp.entries }),
]);
export type IncomingRecord = v.InferOutput<typeof IncomingRecord>;

export const TransferRecord = v.union([OutgoingRecord, IncomingRecord]);
export type TransferRecord = v.InferOutput<typeof TransferRecord>;
