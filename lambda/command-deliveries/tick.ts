import type { CommandRow, CommandTick } from '@thingstead/contracts/command-store';
import { deliver } from './deliver.ts';
import { endOf, expire, isWaiting } from './life-cycle.ts';
import type { Ports } from './ports.ts';

/** When a new command is looked at first: most have been done by then. No time to live is shorter. */
export const FIRST_DELAY_SECONDS = 5;
/** A limit of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const MAX_DELAY_SECONDS = 900;
/** A request to the API lives for 30 seconds: what it has not stored by then it stores no more. */
const STORED_WITHIN_MS = 60_000;

/**
 * Looks after one command until it has ended: publishes it again to a device that has not said that it has it, and ends it
 * when its time is over. Each tick brings the next one, so that a command whose function died is not forgotten; of copies of
 * one tick, one goes on.
 */
export async function onTick(tick: CommandTick, ports: Ports): Promise<void> {
  const { commands, ticks, now } = ports;
  const row = await commands.read(tick.thing, tick.id);
  if (!row) {
    // It is sent before the command is stored. If that failed, nobody was told that it was accepted.
    if (now() < tick.at + STORED_WITHIN_MS) await ticks.send(tick, FIRST_DELAY_SECONDS);
    return;
  }
  if (!isWaiting(row) || row.tick > tick.tick) return;
  if (now() >= endOf(row)) {
    const after = await expire(row, ports);
    // In this moment it may have become DELIVERED, with more time.
    return after && isWaiting(after) ? goOn(after, tick, ports) : undefined;
  }
  await tryAgain(row, ports);
  await goOn(row, tick, ports);
}

/**
 * A device that has the command gets it again only when it asks: it may be at it. A failure ends nothing, since the command
 * has to end in time whether or not it can be published; the next tick tries again.
 */
async function tryAgain(row: CommandRow, ports: Ports): Promise<void> {
  if (row.state === 'DELIVERED' || ports.now() >= row.voidAt) return;
  try {
    const thing = await ports.things.find(row.thing);
    if (thing?.connected) await deliver(row, true, ports);
  } catch (error) {
    ports.reports.failed(`delivery of ${row.id} to ${row.thing}`, error);
  }
}

async function goOn(row: CommandRow, tick: CommandTick, { commands, ticks, now }: Ports): Promise<void> {
  const next = tick.tick + 1;
  const end = endOf(row);
  const wanted = row.state === 'DELIVERED' ? end : Math.min(now() + FIRST_DELAY_SECONDS * 1000 * 2 ** next, end);
  const delay = Math.min(Math.max(Math.ceil((wanted - now()) / 1000), 1), MAX_DELAY_SECONDS);
  // Sent before it is named: a tick that died in between comes again, and its copies end at the next one that is named.
  await ticks.send({ ...tick, tick: next }, delay);
  await commands.advance(row, next);
}
