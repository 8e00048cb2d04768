/** The state in a thing's row: how it changes, and which indexes it belongs in. */
import { type NoticeGroup, noticeGroupKey } from '@thingstead/contracts/notices';
import type { PresenceRow, PresenceSettings, PresenceState } from '@thingstead/contracts/presence';
import { dueShardOf, siteOf } from '@thingstead/contracts/things';
import type { Evidence } from './evidence.ts';
import { outageId, returnId } from './pending.ts';
import type { IndexEntries } from './ports.ts';

/** What is true of the connection, and since when. */
export interface Verdict {
  readonly connected: boolean;
  /** Epoch milliseconds; undefined when nobody knows. */
  readonly since: number | undefined;
  readonly reason: string | undefined;
  /** When the broker lost the connection, as it says itself: later than an outage began means that it was back in between. */
  readonly lostAt?: number | undefined;
  /** The broker was asked for it. */
  readonly asked: boolean;
}

export interface Times {
  readonly offlineDelayMs: number;
  /** Set for a thing that sleeps. */
  readonly expectedIntervalMs: number | undefined;
  readonly groupWindowMs: number;
}

/** The settings of a thing's type. */
export function timesOf(row: PresenceRow | undefined, settings: PresenceSettings): Times {
  const ofType = row?.thingType === undefined ? undefined : settings.thingTypes[row.thingType];
  const expected = ofType?.expectedIntervalSeconds ?? settings.expectedIntervalSeconds;
  return {
    offlineDelayMs: (ofType?.offlineDelaySeconds ?? settings.offlineDelaySeconds) * 1000,
    expectedIntervalMs: expected === undefined ? undefined : expected * 1000,
    groupWindowMs: settings.groupWindowSeconds * 1000,
  };
}

/** The state with the evidence in it and with the verdict as what is true. `now` begins an outage. */
export function nextState(
  known: PresenceState | undefined,
  evidence: Evidence,
  verdict: Verdict,
  times: Times,
  now: number,
): PresenceState {
  const { lifeCycle, shadow, ipAddress } = evidence;
  const broker = verdict.asked ? { connected: verdict.connected, at: now } : evidence.broker;
  const revision = (known?.revision ?? 0) + 1;
  const anotherSession = known?.lifeCycle?.session !== lifeCycle?.session;
  const changed = known?.connected !== verdict.connected || anotherSession;
  // Both its events came at once: it was back, and is gone again.
  const goneAgain = known?.lifeCycle !== undefined && anotherSession && lifeCycle?.connected === false;
  return {
    connected: verdict.connected,
    since: changed || !known ? (verdict.since ?? now) : known.since,
    ...optional('reason', changed ? verdict.reason : known?.reason),
    ...optional('ipAddress', ipAddress),
    ...optional('lifeCycle', lifeCycle),
    ...optional('shadow', shadow),
    ...optional('broker', broker),
    ...pendingNotices(known, verdict, times, { revision, now, goneAgain }),
    revision,
  };
}

/** An outage begins with the loss of the connection and ends with the next one; for a thing that sleeps, silence begins it. */
function pendingNotices(
  known: PresenceState | undefined,
  { connected, since, lostAt }: Verdict,
  times: Times,
  { revision, now, goneAgain }: { readonly revision: number; readonly now: number; readonly goneAgain: boolean },
): Pick<PresenceState, 'outage' | 'returned'> {
  if (connected) return backAgain(known, since ?? now, now, times);
  const told = known?.outage?.notice !== undefined;
  if (isSameOutage(known?.outage, lostAt, times) && (told || !goneAgain)) return optional('outage', known?.outage);
  if (times.expectedIntervalMs !== undefined) return optional('returned', known?.returned);
  // Not from the time of an event, so that no notice is early by the error of a clock.
  const dueAt = (lostAt ?? now) + times.offlineDelayMs;
  return { outage: { id: outageId(revision, dueAt), since: since ?? now, dueAt } };
}

/** False when there is none, or when the connection was lost again after it had begun: then it was back in between. */
export function isSameOutage(
  outage: PresenceState['outage'],
  lostAt: number | undefined,
  { offlineDelayMs, expectedIntervalMs }: Times,
): boolean {
  if (!outage) return false;
  if (outage.notice !== undefined || expectedIntervalMs !== undefined || lostAt === undefined) return true;
  return lostAt <= outage.dueAt - offlineDelayMs;
}

/** Ends the outage. If a notice had said that the thing was gone, one has to say that it is back. */
export function backAgain(
  known: PresenceState | undefined,
  since: number,
  now: number,
  { groupWindowMs }: Times,
): Pick<PresenceState, 'outage' | 'returned'> {
  const outage = known?.outage;
  // An outage that was due may be in a notice that is being sent at this moment.
  if (!outage || (outage.notice === undefined && now < outage.dueAt)) return optional('returned', known?.returned);
  const alone = outage.noticeCount === 1;
  // Things that went in one notice come back one by one; they wait for each other.
  const dueAt = now + (alone ? 0 : groupWindowMs);
  const noticed = outage.notice !== undefined;
  return { returned: { id: returnId(outage), at: since, dueAt, outage: outage.id, noticed } };
}

/** The group in whose notice an outage of this thing goes: its gateway, else its site, else itself. */
export function groupOf(thing: string, row: PresenceRow | undefined): NoticeGroup {
  if (row?.gateway !== undefined) return { kind: 'gateway', name: row.gateway };
  const site = siteOf(thing);
  return site === undefined ? { kind: 'thing', name: thing } : { kind: 'site', name: site };
}

/** `dueAt` is kept only while a thing that sleeps has no connection. */
export function indexesOf(
  thing: string,
  row: PresenceRow | undefined,
  { connected, outage, returned, since }: PresenceState,
  { expectedIntervalMs }: Times,
  dueAt?: number,
): IndexEntries {
  const group = groupOf(thing, row);
  const silentFrom = expectedIntervalMs === undefined || connected ? undefined : (dueAt ?? since + expectedIntervalMs);
  return {
    pending: pendingEntry(outage, returned, group),
    due: silentFrom === undefined ? undefined : { shard: dueShardOf(thing), dueAt: silentFrom },
    basis: { ...optional('gateway', row?.gateway), ...optional('thingType', row?.thingType) },
  };
}

function pendingEntry(
  outage: PresenceState['outage'],
  returned: PresenceState['returned'],
  group: NoticeGroup,
): IndexEntries['pending'] {
  if (outage && outage.notice === undefined) {
    return { groupKey: noticeGroupKey('offline', group), dueAt: outage.dueAt };
  }
  if (returned) return { groupKey: noticeGroupKey('online', group), dueAt: returned.dueAt };
  return undefined;
}

/** Members of rows are present or absent, never undefined. */
export function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [name in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [name in Name]?: Value };
}
