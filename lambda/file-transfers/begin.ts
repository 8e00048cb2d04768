import {
  MAX_TRANSFERS_PER_THING,
  maxEncryptedBytes,
  TRANSFER_HISTORY_SECONDS,
  type TransferRow,
  UPLOAD_DAYS,
} from '@thingstead/contracts/file-store';
import { type FileDataKey, fileContext } from '@thingstead/contracts/files';
import { live, refused, roomOf, transition } from './life-cycle.ts';
import type { Outcome, Ports, UploadGrant } from './ports.ts';

/** Transfers of one thing that begin at the same time. */
const ATTEMPTS = 5;
const DAY_MS = 86_400_000;

/** What a sender says of a file. */
export type Announced = Pick<
  TransferRow,
  'thing' | 'id' | 'direction' | 'name' | 'contentType' | 'size' | 'startedBy' | 'authority'
>;

/** When the row of a transfer that ends then may go. Epoch seconds. */
export function forgottenAt(endsAt: number): number {
  return Math.ceil(endsAt / 1000) + TRANSFER_HISTORY_SECONDS;
}

/**
 * Begins a transfer, or goes on with it when the same sender announces the same file again: the same key, the same upload, and
 * which parts S3 has.
 */
export async function begin(file: Announced, ports: Ports): Promise<Outcome<UploadGrant>> {
  const made = await findOrCreate(file, ports);
  if (!made.ok) return made;
  const going = live(made.value, ports.now());
  if (!going.ok) return going;
  if (going.value.state !== 'REQUESTED' && going.value.state !== 'UPLOADING') {
    return refused('wrong-state', `it is ${going.value.state}`);
  }
  const open = await openUpload(going.value, ports);
  if (!open.ok) return open;
  const { value: row } = open;
  const parts = row.uploadId === undefined ? [] : await ports.objects.parts(row.thing, row.id, row.uploadId);
  // Completed just now, or thrown away before its time.
  if (!parts) return refused('busy', 'it is being completed', true);
  ports.reports.granted(row, row.startedBy ?? 'device');
  const stored = parts.map(({ number, etag, bytes }) => ({ number, etag, bytes }));
  return { ok: true, value: { row, dataKey: await dataKeyOf(row, ports), stored } };
}

/** The key of a transfer, for whoever may encrypt or decrypt it. */
export async function dataKeyOf(row: TransferRow, { keys, settings }: Ports): Promise<FileDataKey> {
  const context = contextOf(row, settings.stage);
  const plaintext = await keys.unwrap(row.wrappedKey, context);
  return { plaintext, wrapped: row.wrappedKey, keyArn: row.keyArn, context };
}

function contextOf({ thing, id, direction }: Announced, stage: string) {
  return fileContext({ stage, thing, transfer: id, direction });
}

async function findOrCreate(file: Announced, ports: Ports): Promise<Outcome<TransferRow>> {
  const { transfers, keys, settings, now } = ports;
  let key: Awaited<ReturnType<typeof keys.generate>> | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await transfers.read(file.thing, file.id);
    if (before)
      return isSame(before, file) ? { ok: true, value: before } : refused('invalid', 'this id is another file’s');
    const startedAt = now();
    const occupied = await transfers.occupied(file.thing);
    const room = checkRoom(file, occupied.rows, ports, startedAt);
    if (!room.ok) return room;
    key ??= await keys.generate(contextOf(file, settings.stage));
    const endsAt = startedAt + UPLOAD_DAYS * DAY_MS;
    const row: TransferRow = {
      ...file,
      ...{ state: 'REQUESTED', startedAt, changedAt: startedAt },
      ...{ wrappedKey: key.wrapped, keyArn: key.keyArn, endsAt, expiresAt: forgottenAt(endsAt) },
    };
    if (await transfers.create(row, occupied.version)) {
      ports.reports.changed(row, 'REQUESTED');
      return { ok: true, value: row };
    }
  }
  return refused('busy', 'other transfers of this thing begin at the same time', true);
}

function isSame(row: TransferRow, file: Announced): boolean {
  return (['direction', 'name', 'contentType', 'size', 'startedBy'] as const).every((name) => row[name] === file[name]);
}

function checkRoom(
  { size }: Announced,
  rows: readonly Parameters<typeof roomOf>[0][],
  { settings: { maxBytes, quotaBytesPerThing } }: Ports,
  now: number,
): Outcome<undefined> {
  if (size > maxBytes) return refused('too-large', `a file has at most ${maxBytes} bytes; this one has ${size}`);
  if (rows.length >= MAX_TRANSFERS_PER_THING) {
    return refused(
      'quota',
      `a thing has at most ${MAX_TRANSFERS_PER_THING} transfers, those that have ended too`,
      true,
    );
  }
  const taken = rows.reduce((sum, row) => sum + (roomOf(row, now) ?? 0), 0);
  const wanted = maxEncryptedBytes(size);
  if (taken + wanted <= quotaBytesPerThing) return { ok: true, value: undefined };
  const reason = `the files of a thing take at most ${quotaBytesPerThing} bytes; ${taken} are taken, this one may take ${wanted}`;
  return refused('quota', reason, true);
}

/** One upload for each transfer: of two that begin it, one keeps its own. */
async function openUpload(row: TransferRow, ports: Ports): Promise<Outcome<TransferRow>> {
  if (row.uploadId !== undefined) return { ok: true, value: row };
  const uploadId = await ports.objects.begin(row.thing, row.id);
  const after = await transition(
    row,
    ({ state }) => (state === 'REQUESTED' ? { state: 'UPLOADING', uploadId } : undefined),
    ports,
  );
  if (after?.uploadId !== uploadId) await ports.objects.abort(row.thing, row.id, uploadId);
  const going = live(after, ports.now());
  return going.ok && going.value.state !== 'UPLOADING' ? refused('wrong-state', `it is ${going.value.state}`) : going;
}
