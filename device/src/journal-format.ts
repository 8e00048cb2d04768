/** How the outbox writes its entries: one frame each, which can be found again after damaged bytes. */
import { crc32 } from 'node:zlib';
import { Reading } from '@thingstead/contracts/telemetry';
import * as v from 'valibot';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Readings of one sensor, by their order numbers. */
const Range = { sensor: v.string(), first: Count, last: Count };

const EntrySchema = v.variant('kind', [
  /** The first of a file: where numbers continue. */
  v.object({
    kind: v.literal('state'),
    session: v.string(),
    sequence: Count,
    order: Count,
    /** Milliseconds for which agents have run on this outbox. */
    ran: Count,
    dropped: Count,
    setAside: Count,
    damaged: Count,
    unkept: Count,
  }),
  v.object({ kind: v.literal('reading'), order: Count, ran: Count, sensor: v.string(), reading: Reading }),
  /** These readings are one message from now on. Synced before the message is sent for the first time. */
  v.object({ kind: v.literal('batch'), session: v.string(), sequence: Count, ...Range, count: Count }),
  /** These readings leave the outbox. */
  v.object({ kind: v.literal('end'), outcome: v.picklist(['acknowledged', 'setAside', 'dropped']), ...Range }),
]);
export type Entry = v.InferOutput<typeof EntrySchema>;
export type StateEntry = Extract<Entry, { kind: 'state' }>;
export type ReadingEntry = Extract<Entry, { kind: 'reading' }>;
export type BatchEntry = Extract<Entry, { kind: 'batch' }>;
export type EndEntry = Extract<Entry, { kind: 'end' }>;

const MAGIC = Buffer.from([0xa7, 0x54]);
/** Magic, length of the body, CRC-32 of length and body. */
const HEAD_BYTES = 10;

export function encodeEntry(entry: Entry): Buffer {
  const body = Buffer.from(JSON.stringify(entry));
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  MAGIC.copy(frame);
  frame.writeUInt32LE(body.length, 2);
  body.copy(frame, HEAD_BYTES);
  frame.writeUInt32LE(checksum(frame), 6);
  return frame;
}

export interface Decoded {
  readonly entries: readonly Entry[];
  /** Stretches of bytes that are no entry. A write that a power cut has torn is one. */
  readonly damaged: number;
}

/** Reads all entries that are whole, also those behind damaged bytes. */
export function decodeEntries(data: Buffer): Decoded {
  const entries: Entry[] = [];
  let damaged = 0;
  let position = 0;
  while (position < data.length) {
    const frame = frameAt(data, position);
    const entry = frame && parse(frame);
    if (entry) entries.push(entry);
    else damaged += 1;
    position = frame ? position + frame.length : nextFrame(data, position + 1);
  }
  return { entries, damaged };
}

function nextFrame(data: Buffer, from: number): number {
  let position = data.indexOf(MAGIC, from);
  while (position !== -1 && !frameAt(data, position)) position = data.indexOf(MAGIC, position + 1);
  return position === -1 ? data.length : position;
}

function frameAt(data: Buffer, position: number): Buffer | undefined {
  if (position + HEAD_BYTES > data.length || data.compare(MAGIC, 0, 2, position, position + 2) !== 0) return undefined;
  const end = position + HEAD_BYTES + data.readUInt32LE(position + 2);
  if (end > data.length) return undefined;
  const frame = data.subarray(position, end);
  return checksum(frame) === frame.readUInt32LE(6) ? frame : undefined;
}

function checksum(frame: Buffer): number {
  return crc32(frame.subarray(HEAD_BYTES), crc32(frame.subarray(2, 6)));
}

function parse(frame: Buffer): Entry | undefined {
  try {
    const result = v.safeParse(EntrySchema, JSON.parse(frame.toString('utf8', HEAD_BYTES)));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
