/**
 * Things that sleep (batteries, LPWAN) have no connection most of the time, and silence raises no event. They have an expected
 * interval; a sweep every minute finds those that are overdue.
 */
import type { PresenceRow, PresenceState } from '@thingstead/contracts/presence';
import { DUE_SHARDS } from '@thingstead/contracts/things';
import { change } from './change.ts';
import { ask } from './observe.ts';
import { outageId } from './pending.ts';
import type { Ports } from './ports.ts';
import { backAgain, optional, timesOf } from './state.ts';

/** Of one shard in one sweep. What is left over is still due in the next. */
const MAX_OVERDUE = 500;
/** A thing that is silent is looked at so often, to see that it is back. */
const LOOK_AGAIN_MS = 60_000;

/** Puts a check of each thing that is overdue on the queue. */
export async function sweep(ports: Ports): Promise<void> {
  const { things, checks, now } = ports;
  const shards = Array.from({ length: DUE_SHARDS }, (_, shard) => `due#${shard}`);
  const overdue = await Promise.all(shards.map((shard) => things.overdue(shard, now(), MAX_OVERDUE)));
  for (const thing of overdue.flat()) await checks.send({ kind: 'silence', thing }, 0);
}

/** Looks for a sign of life: a connection, or a reading since the last one. */
export async function checkSilence(thing: string, ports: Ports): Promise<void> {
  await change(thing, ports, async (row) => {
    const known = row?.presence;
    const { expectedIntervalMs } = timesOf(row, ports.settings);
    const { connected, since } = await ask(thing, ports);
    if (connected || expectedIntervalMs === undefined) return asConnected(known, { connected, since }, ports);
    const reading = (await ports.readings.lastArrival(thing)) ?? 0;
    const lastSeen = Math.max(reading, known?.since ?? row?.dueAt ?? 0);
    return asSleeping(row, lastSeen, expectedIntervalMs, ports);
  });
}

/** It is connected after all, or no longer one that sleeps: its connection speaks for it again. */
function asConnected(
  known: PresenceState | undefined,
  truth: { readonly connected: boolean; readonly since: number | undefined },
  ports: Ports,
): { readonly next: PresenceState } | undefined {
  if (!known) return undefined;
  const times = timesOf(undefined, ports.settings);
  const { outage, returned, ...rest } = known;
  const since = truth.since ?? ports.now();
  const ended = truth.connected ? backAgain(known, since, ports.now(), times) : optional('outage', outage);
  return { next: { ...rest, connected: truth.connected, since, ...ended, revision: known.revision + 1 } };
}

function asSleeping(
  row: PresenceRow | undefined,
  lastSeen: number,
  expectedIntervalMs: number,
  ports: Ports,
): { readonly next: PresenceState; readonly dueAt: number } {
  const known = row?.presence;
  const now = ports.now();
  const revision = (known?.revision ?? 0) + 1;
  const { outage, returned, ...rest } = known ?? { connected: false, since: lastSeen };
  const silent = lastSeen + expectedIntervalMs <= now;
  if (silent) {
    const begun = outage ?? { id: outageId(revision, now), since: lastSeen, dueAt: now };
    return { next: { ...rest, outage: begun, revision }, dueAt: now + LOOK_AGAIN_MS };
  }
  const ended = outage ? backAgain(known, lastSeen, now, timesOf(row, ports.settings)) : optional('returned', returned);
  return { next: { ...rest, ...ended, revision }, dueAt: lastSeen + expectedIntervalMs };
}
