import type { CheckThing } from '@thingstead/contracts/presence';
import { announce, resume } from './announce.ts';
import { checkAt } from './change.ts';
import { correctRow, correctShadow } from './correct.ts';
import { isPending, isToCome } from './pending.ts';
import type { Ports } from './ports.ts';
import { checkSilence } from './silence.ts';
import { timesOf } from './state.ts';

/** The function's timeout: later than that nobody writes any more what a check announced. */
const WRITING_MS = 60_000;

/**
 * Looks again: compares the row and the shadow with what the broker says now, puts right what is wrong, and if what this
 * check is about is still pending, sends the notice. Nothing in the message is believed but what it is about.
 */
export async function check({ thing, about, dueAt }: CheckThing, ports: Ports): Promise<void> {
  const { things, checks, settings, now } = ports;
  const found = await things.read(thing);
  // Whoever put the check on the queue writes the row next, or has died.
  if (about !== undefined && isToCome(found?.presence, about) && now() < dueAt + WRITING_MS) {
    return checks.send({ kind: 'check', thing, about, dueAt }, 1);
  }
  if (!found?.presence) return;
  if (about !== undefined && !isPending(found.presence, about)) return resume(thing, found, about, ports);
  if (now() < dueAt) return checkAt(thing, { dueAt, ...(about !== undefined && { id: about }) }, ports);

  // Its description may have come after its disconnection: for a thing that sleeps, that is no outage.
  if (timesOf(found, settings).expectedIntervalMs !== undefined) await checkSilence(thing, ports);
  const row = await correctRow(thing, ports);
  if (!row?.presence) return;
  await correctShadow(thing, row.presence.connected, ports);
  if (about === undefined || !isPending(row.presence, about)) return;
  if (row.mutedUntil !== undefined && now() < row.mutedUntil) {
    return checkAt(thing, { id: about, dueAt: row.mutedUntil }, ports);
  }
  await announce(thing, row, ports);
}
