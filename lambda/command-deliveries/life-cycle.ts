/** The life of a command: which state may follow which, and when it ends. */
import { type CommandRow, OUTCOME_GRACE_MS, WAITING_STATES } from '@thingstead/contracts/command-store';
import type { CommandOutcome, CommandState } from '@thingstead/contracts/commands';
import type { Commands, DeliveryPorts, Step } from './ports.ts';

/** Others change the same command at the same time: device, ticks and requests. There are not so many. */
const ATTEMPTS = 5;

/** Others changed the command again and again; whoever called tries again later. */
export class ContendedCommandError extends Error {
  override readonly name = 'ContendedCommandError';
}

export function isWaiting({ state }: Pick<CommandRow, 'state'>): boolean {
  return WAITING_STATES.includes(state);
}

/** When nobody waits for the device any more: what it has begun in time it may still tell. Epoch milliseconds. */
export function endOf({ state, voidAt }: Pick<CommandRow, 'state' | 'voidAt'>): number {
  return state === 'DELIVERED' ? voidAt + OUTCOME_GRACE_MS : voidAt;
}

/** Forward only: from a state that waits to one behind it. */
export function mayFollow(next: CommandOutcome['state'], state: CommandState): boolean {
  if (!WAITING_STATES.includes(state)) return false;
  return next !== 'DELIVERED' || state !== 'DELIVERED';
}

/**
 * Changes a command as `decide` says of its present row: undefined leaves it. When another is faster, the row is read and
 * decided about again. Gives the row that was decided about last; undefined when there is none.
 *
 * @throws ContendedCommandError
 */
export async function transition(
  { thing, id }: Pick<CommandRow, 'thing' | 'id'>,
  decide: (row: CommandRow) => Step | undefined,
  { commands, reports }: { readonly commands: Commands } & Pick<DeliveryPorts, 'reports'>,
): Promise<CommandRow | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const row = await commands.read(thing, id);
    const step = row && decide(row);
    if (!step) return row;
    if (await commands.change(row, row.state, step)) {
      reports.changed(row, step.state);
      return { ...row, ...step };
    }
  }
  throw new ContendedCommandError(`command ${id} of ${thing} was changed by others ${ATTEMPTS} times`);
}

/** Ends a command that has not ended by itself. `reason` when it ends before its time. */
export function expire(row: CommandRow, ports: DeliveryPorts, reason?: string): Promise<CommandRow | undefined> {
  const changedAt = ports.now();
  return transition(
    row,
    (now) =>
      isWaiting(now) && (reason !== undefined || changedAt >= endOf(now))
        ? { state: 'EXPIRED', changedAt, ...(reason !== undefined && { reason }) }
        : undefined,
    ports,
  );
}
