import type { PresenceRow, PresenceState } from '@thingstead/contracts/presence';
import type { Ports } from './ports.ts';
import { indexesOf, timesOf } from './state.ts';

/** How often a write starts again that lost a race; after that the queue brings the message again. */
const MAX_ATTEMPTS = 5;
/** A limit of SQS. */
const MAX_DELAY_SECONDS = 900;

/** Another writer was faster several times on end. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
}

/** The next state of a row, and how long silence is allowed from then on; undefined: nothing to write. */
export type Change = (
  row: PresenceRow | undefined,
) => Promise<{ readonly next: PresenceState; readonly dueAt?: number } | undefined>;

/**
 * Reads a thing's row, changes its presence and writes it; again when another writer was faster. Gives what is there then.
 * INVARIANT: the check of an outage or of a return is on the queue before the row says that it is pending. A crash in between
 * leaves a check about something that never was, which does nothing.
 *
 * @throws ContentionError
 */
export async function change(thing: string, ports: Ports, decide: Change): Promise<PresenceRow | undefined> {
  const { things, settings, reports } = ports;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const row = await things.read(thing);
    const decided = await decide(row);
    if (!decided) return row;
    const { next, dueAt } = decided;
    const known = row?.presence;
    const times = timesOf(row, settings);
    if (next.outage && next.outage.id !== known?.outage?.id) await checkAt(thing, next.outage, ports);
    if (next.returned && next.returned.id !== known?.returned?.id) await checkAt(thing, next.returned, ports);
    if (await things.write(thing, next, indexesOf(thing, row, next, times, dueAt))) {
      if (known?.connected !== next.connected)
        reports.changed({ thing, connected: next.connected, reason: next.reason });
      return { ...row, presence: next };
    }
  }
  throw new ContentionError(`${thing} was changed by others ${MAX_ATTEMPTS} times while it was being updated`);
}

/** Puts a check on the queue that acts at `dueAt`, or passes itself on until then. */
export async function checkAt(
  thing: string,
  { id, dueAt }: { readonly id?: string; readonly dueAt: number },
  { checks, now }: Ports,
): Promise<void> {
  const wait = Math.max(0, Math.ceil((dueAt - now()) / 1000));
  const about = id === undefined ? {} : { about: id };
  await checks.send({ kind: 'check', thing, dueAt, ...about }, Math.min(MAX_DELAY_SECONDS, wait));
}
