import {
  type RolloutDeviceRow,
  type RolloutEvent,
  type RolloutRow,
  type RolloutTick,
  rolloutDueShard,
} from '@thingstead/contracts/rollout-store';
import { FAILURES } from '@thingstead/contracts/rollouts';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { retried } from '../rollouts/device-steps.ts';
import { ContendedRolloutError } from '../rollouts/operate.ts';
import type { TickPorts } from '../rollouts/ports.ts';
import { type Decision, decide, leftInWave } from './decide.ts';
import { lookAtDue, putOff } from './due.ts';
import { expand } from './expand.ts';
import { type Numbers, numbersOf, totalOf, underWay } from './numbers.ts';
import { allowedStarts, MAX_STARTS, ratePerMinute, timeUntil, timeUntilOpen } from './schedule.ts';
import { startAgain, startNext } from './start.ts';

/** A limit of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const MAX_DELAY_MS = 900_000;
/** While devices are under way, what they say is looked at so often. */
const POLL_MS = 30_000;
const SOON_MS = 1_000;
/** While a rollout is paused, devices that wait for another attempt stand in nobody's way for so long. */
const PAUSED_MS = 300_000;
/** A request to the API lives for 30 seconds: what it has not stored by then it stores no more. */
const STORED_WITHIN_MS = 60_000;
const CONCURRENCY = 10;
/** How often a tick begins again that others have overtaken. */
const ATTEMPTS = 5;

/**
 * Moves a rollout on by one step: lists devices, ends what is over its time, decides, starts devices. INVARIANTS:
 * - the next tick is on the queue before the row says that this one is done; of copies of one tick, one moves the row on;
 * - all that a tick does before that may be done twice;
 * - a tick does a bounded amount of work, however large the rollout is.
 */
export async function onTick(tick: RolloutTick, ports: TickPorts): Promise<void> {
  const { rollouts, ticks, now } = ports;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const row = await rollouts.read(tick.rollout);
    if (!row) {
      // It is sent before the rollout is stored. If that failed, nobody was told that there is one.
      if (now() < tick.at + STORED_WITHIN_MS) await ticks.send(tick, 5);
      return;
    }
    if (tick.tick < row.tick) return lookAgain(row, ports);
    if (await (row.state === 'EXPANDING' ? list(row, tick, ports) : step(row, tick, ports))) return;
    // It may have come before the row named it, and that was done meanwhile: then it is the one that counts.
  }
  throw new ContendedRolloutError(`rollout ${tick.rollout} was changed by others ${ATTEMPTS} times`);
}

/** False: somebody else has changed the rollout. */
async function list(row: RolloutRow, tick: RolloutTick, ports: TickPorts): Promise<boolean> {
  const expanded = await expand(row, ports);
  return (
    expanded !== undefined && goOn(expanded.rollout, expanded.moved, tick, { delay: 0, event: expanded.event }, ports)
  );
}

/** False: somebody else has changed the rollout. */
async function step(row: RolloutRow, tick: RolloutTick, ports: TickPorts): Promise<boolean> {
  const { rollouts, releases, now } = ports;
  const { retries, more } = await lookAtDue(row, ports);
  const numbers = numbersOf(await rollouts.counts(row.id), row.settings.waves.length);
  const { product, counter } = row.release;
  const mayGoOn = row.state === 'RUNNING' || row.state === 'PAUSED';
  const yanked = mayGoOn && (await releases.find(product, counter))?.state === 'YANKED';
  const decision = decide(row, numbers, { now: now(), yanked });
  if (decision) {
    await complete(row, decision, numbers, ports);
    const next = { ...row, ...decision.change, changedAt: now() };
    return goOn(row, next, tick, { delay: SOON_MS, event: decision.event }, ports);
  }
  // One that comes back after all others are done has its other attempts too.
  const mayStart = row.state === 'RUNNING' || row.state === 'COMPLETED';
  const next = mayStart ? await start(row, numbers, retries, ports) : row;
  const isStill = row.state === 'PAUSED' && underWay(numbers.all) === numbers.all.RETRY;
  if (row.state === 'PAUSED' && !isStill) await putOff(retries, ports, PAUSED_MS);
  if (!next) return false;
  const isOver = underWay(numbers.all) === 0 && (row.state === 'COMPLETED' || row.state === 'ABORTED');
  if (!isOver) {
    // Those that only wait for the rollout to go on are left as they are: nothing becomes of them before.
    const delay = isStill ? MAX_DELAY_MS : await delayOf(next, numbers, more, ports);
    return goOn(row, reopened(next, numbers), tick, { delay }, ports);
  }
  const last = { ...next, revision: row.revision + 1, tick: tick.tick + 1 };
  if (!(await rollouts.advance(row, last))) return false;
  await lookAgain(next, ports);
  return true;
}

/** A device has come back to a rollout that had ended: it ends once more. */
function reopened(row: RolloutRow, { all }: Numbers): RolloutRow {
  const { endedAt, ...others } = row;
  return endedAt !== undefined && underWay(all) > 0 ? others : row;
}

/** What is brought to all, and has proved itself, those get who join later. Before it is decided, so that it is not forgotten. */
async function complete(row: RolloutRow, { change }: Decision, { all }: Numbers, ports: TickPorts): Promise<void> {
  const { makeCurrent, successPercent } = row.settings;
  if (change.state !== 'COMPLETED' || !makeCurrent) return;
  const counted = totalOf(all) - all.UNREACHED - all.CANCELLED;
  // What has reached nobody has not proved itself.
  if (all.SUCCEEDED === 0 || 100 * all.SUCCEEDED < successPercent * counted) return;
  await ports.releases.makeCurrent(row.release.product, row.release.counter, row.id, ports.now());
}

/** Undefined: the rollout is another by now, perhaps paused. */
async function start(
  row: RolloutRow,
  numbers: Numbers,
  retries: readonly RolloutDeviceRow[],
  ports: TickPorts,
): Promise<RolloutRow | undefined> {
  if ((await ports.rollouts.read(row.id))?.revision !== row.revision) return undefined;
  const now = ports.now();
  const again = await giveAnother(row, ports);
  const perMinute = ratePerMinute(row.settings.rate, numbers.all);
  const allowed = allowedStarts(row, perMinute, now);
  const closed = timeUntilOpen(row.settings.window, now);
  if (closed > 0) {
    await putOff(retries, ports, closed);
    return { ...again, allowance: { starts: 0, at: now } };
  }
  const begun = retries.slice(0, Math.floor(allowed));
  await mapConcurrent(begun, CONCURRENCY, (device) => startAgain(device, row, ports));
  await putOff(retries.slice(begun.length), ports);
  const room = Math.min(Math.floor(allowed) - begun.length, leftInWave(row, numbers), MAX_STARTS);
  const next = room > 0 ? await startNext(again, room, ports) : again;
  const used = begun.length + next.started - row.started;
  return { ...next, allowance: { starts: Math.max(0, allowed - used), at: now } };
}

/** An operator wants those that have failed to try again: they wait for it as others do. */
async function giveAnother(row: RolloutRow, { devices, now }: TickPorts): Promise<RolloutRow> {
  if (row.retriedTo === undefined) return row;
  const page = await devices.page(row.id, row.retriedTo, MAX_STARTS);
  const failed = page.filter(({ state }) => FAILURES.includes(state));
  await mapConcurrent(failed, CONCURRENCY, (device) => devices.write(device, retried(device, { dueAt: now() }, now())));
  const { retriedTo, ...others } = row;
  const last = page.at(-1);
  const place = last && `${last.order}#${last.thing}`;
  // Beyond the cursor none has been started yet.
  return place === undefined || place >= row.cursor ? others : { ...others, retriedTo: place };
}

/** When there is something to do again, in milliseconds. */
async function delayOf(row: RolloutRow, numbers: Numbers, more: boolean, ports: TickPorts): Promise<number> {
  // A rollout that is paused gives nobody another attempt.
  if (more || (row.retriedTo !== undefined && row.state === 'RUNNING')) return SOON_MS;
  const now = ports.now();
  const shard = rolloutDueShard(row.id, row.state === 'ABORTED');
  const dueAt = await ports.devices.nextDueAt(shard);
  const due = dueAt === undefined ? MAX_DELAY_MS : Math.max(SOON_MS, dueAt - now);
  const poll = underWay(numbers.all) > 0 || row.started > 0 ? POLL_MS : MAX_DELAY_MS;
  const idle = Math.min(due, poll);
  const left = leftInWave(row, numbers);
  if (row.state !== 'RUNNING' || left === 0) return idle;
  const closed = timeUntilOpen(row.settings.window, now);
  if (closed > 0) return Math.min(underWay(numbers.all) > 0 ? idle : due, closed);
  const perMinute = ratePerMinute(row.settings.rate, numbers.all);
  return Math.min(idle, Math.max(SOON_MS, timeUntil(left, allowedStarts(row, perMinute, now), perMinute)));
}

async function goOn(
  row: RolloutRow,
  next: RolloutRow,
  { tick }: RolloutTick,
  { delay, event }: { readonly delay: number; readonly event?: Omit<RolloutEvent, 'number' | 'at'> | undefined },
  { rollouts, ticks, reports, now }: TickPorts,
): Promise<boolean> {
  const delaySeconds = Math.ceil(Math.min(delay, MAX_DELAY_MS) / 1000);
  await ticks.send({ rollout: row.id, tick: tick + 1, at: now() }, delaySeconds);
  const moved = { ...next, revision: row.revision + 1, tick: tick + 1, nextTickAt: now() + delaySeconds * 1000 };
  const decided = event && { ...event, number: row.events, at: now() };
  const written = await rollouts.advance(row, decided ? { ...moved, events: row.events + 1 } : moved, decided);
  if (written && decided) reports.decided(row.id, decided);
  return written;
}

/** A device may have come back in the moment in which the rollout ended; or the tick died that was to see to that. */
async function lookAgain(row: RolloutRow, { rollouts, ticks, now }: TickPorts): Promise<void> {
  if (row.endedAt === undefined) return;
  const numbers = numbersOf(await rollouts.counts(row.id), row.settings.waves.length);
  const fresh = underWay(numbers.all) > 0 ? await rollouts.read(row.id) : undefined;
  if (fresh?.endedAt !== undefined) await ticks.send({ rollout: row.id, tick: fresh.tick, at: now() }, 1);
}
