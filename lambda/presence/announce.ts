import { MAX_THINGS_PER_NOTICE, noticeGroupKey, type PendingNotice } from '@thingstead/contracts/notices';
import type { PresenceRow } from '@thingstead/contracts/presence';
import { change, checkAt } from './change.ts';
import { confirm, mark, markAll, namedBefore } from './confirm.ts';
import { type Kind, kindOf, pendingOf } from './pending.ts';
import type { Ports } from './ports.ts';
import { groupOf } from './state.ts';

/** Outages that follow each other for ever still get a notice after so long. */
const LONGEST_WAIT_MS = 10 * 60_000;
/** A notice of some hundred things takes seconds. */
const TELLING_MS = 10_000;
/** The function's timeout. */
const TIMEOUT_MS = 60_000;

/**
 * Sends what is pending about a thing. Things of one group that are due within a window of each other go in one notice: the
 * one that is due last sends it for all, the others wait for it. INVARIANTS:
 * - a thing is named only if its row and the broker agree, at that moment, that it is as the notice says;
 * - the notice is in the table before it is sent, and whoever finds one that is not known to be sent completes it first. What
 *   is repeated carries the same id, so a crash anywhere neither loses a notice nor makes a second one;
 * - the things are marked after that, the sender last, so that until then the others wait for it or find themselves named.
 */
export async function announce(thing: string, row: PresenceRow, ports: Ports): Promise<void> {
  const kind: Kind = row.presence?.outage ? 'offline' : 'online';
  const pending = pendingOf(row.presence, kind);
  if (!pending) return;
  const { things, now } = ports;
  const group = groupOf(thing, row);
  const groupKey = noticeGroupKey(kind, group);

  const last = await things.notice(groupKey);
  if (last?.status === 'pending') {
    const dueAt = await completeLater(groupKey, last, ports);
    // It may have been in that notice: look again.
    return checkAt(thing, { id: pending.id, dueAt }, ports);
  }
  if (last && namedBefore(last, thing, pending.id)) return mark({ thing, about: pending.id }, last, ports);
  if (kind === 'online' && !(await wasTold(thing, row, ports))) return forget(thing, pending.id, ports);

  const waitsFor = await laterOne(groupKey, pending.dueAt, ports);
  if (waitsFor !== undefined) return checkAt(thing, { id: pending.id, dueAt: waitsFor }, ports);
  const members = await things.pending(groupKey, pending.dueAt - LONGEST_WAIT_MS, pending.dueAt, MAX_THINGS_PER_NOTICE);
  // Of those that are due at the same moment one tells.
  if (members.some((each) => each.dueAt === pending.dueAt && each.thing > thing))
    return checkAt(thing, { id: pending.id, dueAt: now() + TELLING_MS }, ports);
  const names = [...members.map((each) => each.thing).filter((name) => name !== thing), thing];
  const named = await confirm(kind, names, ports);
  // Somebody else has done it, or it is no longer true.
  if (!named.some((each) => each.thing === thing && each.about === pending.id)) return;
  const revision = (last?.revision ?? 0) + 1;
  const notice: PendingNotice = {
    id: `${groupKey}#${pending.dueAt}.${revision}`,
    kind,
    group: named.length === 1 ? { kind: 'thing', name: thing } : group,
    things: named,
    at: now(),
    status: 'pending',
    takenAt: now(),
    revision,
  };
  if (await things.writeNotice(groupKey, notice)) return send(groupKey, notice, ports);
  // Another of the group began one at the same moment: it may name this thing.
  return checkAt(thing, { id: pending.id, dueAt: now() + TELLING_MS }, ports);
}

/**
 * When to look again, if another one of the group is due later within the window: it tells for all. It is given the time to
 * do so; whoever it has named finds that out with one read.
 */
async function laterOne(
  groupKey: string,
  dueAt: number,
  { things, settings, now }: Ports,
): Promise<number | undefined> {
  const later = await things.latestPending(groupKey, dueAt, dueAt + settings.groupWindowSeconds * 1000);
  if (!later) return undefined;
  const [first] = await things.pending(groupKey, dueAt - LONGEST_WAIT_MS, dueAt, 1);
  if (later.dueAt - (first?.dueAt ?? dueAt) > LONGEST_WAIT_MS) return undefined;
  return Math.max(later.dueAt, now()) + TELLING_MS;
}

/**
 * Ends what a crash has cut off, when the thing on whose behalf it was begun has come back or gone again: that notice may
 * name others.
 */
export async function resume(thing: string, row: PresenceRow, about: string, ports: Ports): Promise<void> {
  const kind: Kind = kindOf(about);
  const groupKey = noticeGroupKey(kind, groupOf(thing, row));
  const last = await ports.things.notice(groupKey);
  if (last?.status !== 'pending' || !namedBefore(last, thing, about)) return;
  const dueAt = await completeLater(groupKey, last, ports);
  if (dueAt > ports.now()) await checkAt(thing, { id: about, dueAt }, ports);
}

/** Completes a notice if whoever began it cannot be at work on it any more; gives the time at which to look again. */
async function completeLater(groupKey: string, notice: PendingNotice, ports: Ports): Promise<number> {
  const freeAt = notice.takenAt + TIMEOUT_MS;
  if (ports.now() >= freeAt) await complete(groupKey, notice, ports);
  return Math.max(freeAt, ports.now());
}

/** Sends a notice that may have been sent already, with those of whom it is still true. */
async function complete(groupKey: string, notice: PendingNotice, ports: Ports): Promise<void> {
  const names = notice.things.map(({ thing }) => thing);
  const named = await confirm(notice.kind, names, ports);
  const sure = named.filter(({ thing, about }) => namedBefore(notice, thing, about));
  const revision = notice.revision + 1;
  if (sure.length === 0) {
    await ports.things.writeNotice(groupKey, { ...notice, status: 'sent', revision });
    return;
  }
  const taken: PendingNotice = { ...notice, things: sure, takenAt: ports.now(), revision };
  if (await ports.things.writeNotice(groupKey, taken)) await send(groupKey, taken, ports);
}

async function send(groupKey: string, notice: PendingNotice, ports: Ports): Promise<void> {
  const { id, kind, group, at } = notice;
  const named = notice.things.map(({ thing, since }) => ({ thing, since }));
  await ports.notices.send({ id, kind, group, at, things: named });
  const sent: PendingNotice = { ...notice, status: 'sent', revision: notice.revision + 1 };
  if (await ports.things.writeNotice(groupKey, sent)) ports.reports.announced({ id, kind, things: named.length });
  await markAll(sent, ports);
}

/** Whether the notice has gone out that this thing was offline. It was being sent when the thing came back. */
async function wasTold(thing: string, row: PresenceRow, { things }: Ports): Promise<boolean> {
  const returned = row.presence?.returned;
  if (!returned || returned.noticed) return returned !== undefined;
  const last = await things.notice(noticeGroupKey('offline', groupOf(thing, row)));
  return last?.status === 'sent' && namedBefore(last, thing, returned.outage);
}

async function forget(thing: string, about: string, ports: Ports): Promise<void> {
  await change(thing, ports, async (row) => {
    if (row?.presence?.returned?.id !== about) return undefined;
    const { returned, ...presence } = row.presence;
    return { next: { ...presence, revision: presence.revision + 1 } };
  });
}
