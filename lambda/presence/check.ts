import type { CheckThing } from '@thingstead/contracts/presence';
import { announce, resume } from './announce.ts';
import { checkAt } from './change.ts';
import { pendingOf } from './confirm.ts';
import { correctRow, correctShadow } from './correct.ts';
import type { Ports } from './ports.ts';

/**
 * Looks again: compares the row and the shadow with what the broker says now, puts right what is wrong, and if what this
 * check is about is still pending, sends the notice. Nothing in the message is believed but what it is about.
 */
export async function check({ thing, about, dueAt }: CheckThing, ports: Ports): Promise<void> {
  const { things, now } = ports;
  const found = await things.read(thing);
  if (!found?.presence) return;
  const isAbout = (presence: typeof found.presence): boolean =>
    [pendingOf(presence, 'offline'), pendingOf(presence, 'online')].some((pending) => pending?.id === about);
  if (about !== undefined && !isAbout(found.presence)) return resume(thing, found, about, ports);
  if (now() < dueAt) return checkAt(thing, { dueAt, ...(about !== undefined && { id: about }) }, ports);

  const row = await correctRow(thing, ports);
  if (!row?.presence) return;
  await correctShadow(thing, row.presence.connected, ports);
  if (about === undefined || !isAbout(row.presence)) return;
  if (row.mutedUntil !== undefined && now() < row.mutedUntil) {
    return checkAt(thing, { id: about, dueAt: row.mutedUntil }, ports);
  }
  await announce(thing, row, ports);
}
