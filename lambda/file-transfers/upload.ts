import { maxEncryptedBytes, type TransferRow } from '@thingstead/contracts/file-store';
import { PART_BYTES, type PartUrls, type SentFile, URL_SECONDS, type WantedParts } from '@thingstead/contracts/files';
import { forgottenAt } from './begin.ts';
import { end, live, refused, transition } from './life-cycle.ts';
import type { ObjectPart, Outcome, Ports } from './ports.ts';

const DAY_MS = 86_400_000;

type Uploading = TransferRow & { readonly uploadId: string };

function uploading(row: TransferRow | undefined, now: number): Outcome<Uploading> {
  const going = live(row, now);
  if (!going.ok) return going;
  const { uploadId, state } = going.value;
  return state === 'UPLOADING' && uploadId !== undefined
    ? { ok: true, value: { ...going.value, uploadId } }
    : refused('wrong-state', `it is ${state}`);
}

/** Where to put these parts. Together the parts of a file cannot be more than the file needs. */
export async function urlsOf(
  row: TransferRow | undefined,
  parts: WantedParts,
  { objects, now }: Ports,
): Promise<Outcome<PartUrls>> {
  const at = now();
  const going = uploading(row, at);
  if (!going.ok) return going;
  const { value } = going;
  const most = maxEncryptedBytes(value.size);
  const beyond = parts.find(({ number, bytes }) => (number - 1) * PART_BYTES + bytes > most);
  if (beyond) {
    return refused(
      'too-large',
      `part ${beyond.number} is beyond ${most} bytes, which a file of ${value.size} takes at most`,
    );
  }
  const urls = await Promise.all(
    parts.map(async (part) => ({ number: part.number, ...(await objects.partUrl(value, part)) })),
  );
  return { ok: true, value: { urls, expiresAt: at + URL_SECONDS * 1000 } };
}

/**
 * Makes an object of the parts, if they are those that the sender means. INVARIANTS:
 * - what the sender says of the whole is in the row before S3 makes the object: whoever is told of the object knows what it is;
 * - said again, it is the same; said otherwise, it is refused.
 */
export async function complete(
  row: TransferRow | undefined,
  sent: SentFile,
  ports: Ports,
): Promise<Outcome<TransferRow>> {
  // Again: the answer was lost, and the device may have been fast.
  if (row && isWhole(row)) return isSame(row, sent) ? { ok: true, value: row } : contradiction();
  const going = uploading(row, ports.now());
  if (!going.ok) return going;
  const { thing, id, uploadId, size } = going.value;
  if (going.value.bytes !== undefined && !isSame(going.value, sent)) return contradiction();
  const parts = await ports.objects.parts(thing, id, uploadId);
  if (!parts) return afterUpload(going.value, ports);
  const checked = compare(parts, sent, size);
  if (!checked.ok) return checked;
  const claimed = await transition(
    going.value,
    (now) =>
      now.state === 'UPLOADING' && now.bytes === undefined ? { bytes: sent.bytes, sha256: sent.sha256 } : undefined,
    ports,
  );
  const still = live(claimed, ports.now());
  if (!still.ok) return still;
  if (!isSame(still.value, sent)) return contradiction();
  const made = await ports.objects.complete(thing, id, uploadId, parts);
  return made === 'changed'
    ? refused('checksum', 'a part was replaced meanwhile', true)
    : afterUpload(still.value, ports);
}

/** The object is there: the transfer is STORED, if this is what its sender has said. Else it stays as it is. */
export function stored(
  row: TransferRow,
  object: { readonly bytes: number; readonly etag: string },
  ports: Ports,
): Promise<TransferRow | undefined> {
  const endsAt = ports.now() + ports.settings.retentionDays * DAY_MS;
  return transition(
    row,
    (now) =>
      now.state === 'UPLOADING' && now.bytes === object.bytes
        ? { state: 'STORED', etag: object.etag, transferred: object.bytes, endsAt, expiresAt: forgottenAt(endsAt) }
        : undefined,
    ports,
  );
}

/** The upload is over: with an object, or with nothing. */
async function afterUpload(row: TransferRow, ports: Ports): Promise<Outcome<TransferRow>> {
  const object = await ports.objects.find(row.thing, row.id);
  if (!object) {
    // With it, S3 may be at it: the event of the object tells, or the transfer ends in its time.
    if (row.bytes !== undefined) return refused('busy', 'it is being completed', true);
    return live(await end(row, 'EXPIRED', 'its parts are gone', ports), ports.now());
  }
  const after = live(await stored(row, object, ports), ports.now());
  if (!after.ok || after.value.state !== 'UPLOADING') return after;
  return refused('checksum', `S3 has ${object.bytes} bytes, which is not what was promised`);
}

function isWhole({ state }: TransferRow): boolean {
  return state === 'STORED' || state === 'DELIVERING' || state === 'DELIVERED';
}

function isSame({ bytes, sha256 }: TransferRow, sent: SentFile): boolean {
  return bytes === sent.bytes && sha256 === sent.sha256;
}

function contradiction() {
  return refused('checksum', 'another size or hash was said before');
}

function compare(parts: readonly ObjectPart[], sent: SentFile, size: number): Outcome<undefined> {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const most = maxEncryptedBytes(size);
  if (bytes < size) return refused('checksum', `these parts have ${bytes} bytes, the file ${size}`, true);
  if (bytes > most) return refused('too-large', `these parts have ${bytes} bytes; the file takes at most ${most}`);
  const wrong = sent.parts.find(
    ({ number, etag }, at) => number !== at + 1 || parts[at]?.number !== number || !sameTag(parts[at], etag),
  );
  if (wrong) return refused('checksum', `part ${wrong.number} is not what S3 has`, true);
  if (parts.length !== sent.parts.length) {
    return refused('checksum', `S3 has ${parts.length} parts, not ${sent.parts.length}`, true);
  }
  if (bytes !== sent.bytes) return refused('checksum', `S3 has ${bytes} bytes, not ${sent.bytes}`, true);
  return { ok: true, value: undefined };
}

function sameTag(part: ObjectPart, etag: string): boolean {
  return part.etag.replaceAll('"', '') === etag.replaceAll('"', '');
}
