/** The things in a notice: of whom it is true, and that they know of it. */
import type { PendingNotice } from '@thingstead/contracts/notices';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { change } from './change.ts';
import { correctRow } from './correct.ts';
import { type Kind, pendingOf } from './pending.ts';
import type { Ports } from './ports.ts';

/** Calls to the broker under way at a time. */
const CONCURRENCY = 16;

type Named = PendingNotice['things'][number];

/** Those of whom it is true now, in the order of their names; rows that are wrong are put right. */
export async function confirm(kind: Kind, names: readonly string[], ports: Ports): Promise<Named[]> {
  const confirmed = await mapConcurrent(names, CONCURRENCY, async (thing): Promise<readonly Named[]> => {
    const row = await correctRow(thing, ports);
    const pending = pendingOf(row?.presence, kind);
    if (!row?.presence || !pending || ports.now() < pending.dueAt) return [];
    const muted = row.mutedUntil !== undefined && ports.now() < row.mutedUntil;
    return muted ? [] : [{ thing, since: pending.since, about: pending.id }];
  });
  return confirmed.flat();
}

/** Marks all that are named, and the last of them last. */
export async function markAll(notice: PendingNotice, ports: Ports): Promise<void> {
  await mapConcurrent(notice.things.slice(0, -1), CONCURRENCY, (each) => mark(each, notice, ports));
  for (const last of notice.things.slice(-1)) await mark(last, notice, ports);
}

/** Records in a thing's row that a notice has named it. */
export async function mark(
  { thing, about }: Pick<Named, 'thing' | 'about'>,
  { id, kind, things }: PendingNotice,
  ports: Ports,
): Promise<void> {
  await change(thing, ports, async (row) => {
    const presence = row?.presence;
    if (!presence) return undefined;
    const { returned, ...rest } = presence;
    const revision = presence.revision + 1;
    if (kind === 'online') return returned?.id === about ? { next: { ...rest, revision } } : undefined;
    const { outage } = presence;
    if (outage?.id !== about || outage.notice !== undefined) return undefined;
    return { next: { ...presence, outage: { ...outage, notice: id, noticeCount: things.length }, revision } };
  });
}

export function namedBefore({ things }: PendingNotice, thing: string, about: string): boolean {
  return things.some((each) => each.thing === thing && each.about === about);
}
