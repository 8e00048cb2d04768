/** What is pending about a thing, an outage or a return, and the ids by which checks and notices name it. */
import type { PendingNotice } from '@thingstead/contracts/notices';
import type { PresenceState } from '@thingstead/contracts/presence';

export type Kind = PendingNotice['kind'];
type Outage = NonNullable<PresenceState['outage']>;

const RETURN = 'back-';

/** Begins with the revision that the row has from then on. The time tells it from that of a thing which was deleted and made again. */
export function outageId(revision: number, at: number): string {
  return `${revision}-${at}`;
}

export function returnId(outage: Outage): string {
  return `${RETURN}${outage.id}`;
}

/** Whether an id is that of an outage or of a return. */
export function kindOf(id: string): Kind {
  return id.startsWith(RETURN) ? 'online' : 'offline';
}

interface Pending {
  readonly id: string;
  readonly since: number;
  readonly dueAt: number;
}

/** The outage, or the return, about which a notice has to go out. A thing that sleeps is back without a connection. */
export function pendingOf(presence: PresenceState | undefined, kind: Kind): Pending | undefined {
  const { outage, returned } = presence ?? {};
  if (kind === 'online') return outage || !returned ? undefined : { ...returned, since: returned.at };
  return outage && outage.notice === undefined ? outage : undefined;
}

/** Whether a notice about this is pending. */
export function isPending(presence: PresenceState, id: string): boolean {
  return pendingOf(presence, kindOf(id))?.id === id;
}

/** Whether the row may come to say that this is pending: a check is on the queue before its row is written. */
export function isToCome(presence: PresenceState | undefined, id: string): boolean {
  if (kindOf(id) === 'online') return presence?.outage !== undefined && returnId(presence.outage) === id;
  return Number.parseInt(id, 10) > (presence?.revision ?? 0);
}
