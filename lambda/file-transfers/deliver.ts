import { objectKeyOf, type TransferRow } from '@thingstead/contracts/file-store';
import { type FileAnswer, URL_SECONDS } from '@thingstead/contracts/files';
import { reaches } from '@thingstead/contracts/grants';
import { dataKeyOf } from './begin.ts';
import { end, live, mayFollow, refused, transition } from './life-cycle.ts';
import type { Outcome, Ports } from './ports.ts';

type Download = Omit<Extract<FileAnswer, { type: 'download' }>, 'type'>;

/** A file that S3 has whole. */
type Whole = TransferRow & { readonly bytes: number; readonly sha256: string; readonly etag: string };

const LOST_ACCESS = 'whoever sent it has lost the access to do so';

/** What a receiver needs: key and URL. The caller has seen to it that they may have it. */
export async function downloadOf(row: Whole, ports: Ports): Promise<Download> {
  const expiresAt = ports.now() + URL_SECONDS * 1000;
  const [dataKey, url] = await Promise.all([dataKeyOf(row, ports), ports.objects.downloadUrl(row.thing, row.id)]);
  const { name, size, bytes, sha256, etag } = row;
  return { name, size, dataKey, url, expiresAt, etag, bytes, sha256 };
}

/** A transfer whose object can be read now; or why not. */
export function readable(row: TransferRow | undefined, now: number): Outcome<Whole> {
  const going = live(row, now);
  if (!going.ok) return going;
  const { state, bytes, sha256, etag } = going.value;
  if (state !== 'STORED' && state !== 'DELIVERING') return refused('wrong-state', `it is ${state}`);
  if (bytes === undefined || sha256 === undefined || etag === undefined)
    throw new Error(`a transfer is ${state} without an object`);
  return { ok: true, value: { ...going.value, bytes, sha256, etag } };
}

/** Tells a device of a file that waits for it, as often as it is called. */
export async function offer(row: TransferRow, ports: Ports): Promise<void> {
  const found = await allowed(readable(row, ports.now()), ports);
  if (!found.ok) return;
  const { thing, id, name, size, bytes } = found.value;
  await ports.answers.accepted(thing, id, { type: 'offer', name, size, bytes });
  ports.reports.offered(row);
}

/** For the device: the file is on its way to it. */
export async function deliver(row: TransferRow, ports: Ports): Promise<Outcome<Download>> {
  const found = await allowed(readable(row, ports.now()), ports);
  if (!found.ok) return found;
  const after = await transition(
    found.value,
    ({ state }) => (mayFollow('DELIVERING', state) ? { state: 'DELIVERING', transferred: 0 } : undefined),
    ports,
  );
  const still = readable(after, ports.now());
  if (!still.ok) return still;
  ports.reports.granted(row, 'device');
  return { ok: true, value: await downloadOf(still.value, ports) };
}

/** Ends the transfer when its sender might not send it any more: a thing that was sold takes nothing of who sold it. */
async function allowed(found: Outcome<Whole>, ports: Ports): Promise<Outcome<Whole>> {
  if (!found.ok || (await isStillAllowed(found.value, ports))) return found;
  // The object first: who is cut off in between finds the row as it was. Of a row that has ended nobody would look for it.
  await ports.objects.remove(objectKeyOf(found.value.thing, found.value.id));
  await end(found.value, 'CANCELLED', LOST_ACCESS, ports);
  return refused('not-allowed', LOST_ACCESS);
}

async function isStillAllowed(
  { authority, startedBy, startedAt, thing }: TransferRow,
  { access }: Ports,
): Promise<boolean> {
  if (authority === 'staff') return true;
  const found = startedBy === undefined ? undefined : await access(startedBy, thing);
  // Access that was lost and given again is another.
  return found?.role !== undefined && reaches(found.role, 'controller') && startedAt >= found.visibleFrom;
}
