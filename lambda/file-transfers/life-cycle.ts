/** The life of a transfer: which state may follow which, when it ends, and what it takes of the thing's room. */
import { maxEncryptedBytes, type TransferRow, type TransferState } from '@thingstead/contracts/file-store';
import type { Outcome, Ports, Refused, Step } from './ports.ts';

/** Others change the same transfer at the same time: device, S3 and requests. There are not so many. */
const ATTEMPTS = 5;

const NEXT: Readonly<Record<TransferState, readonly TransferState[]>> = {
  REQUESTED: ['UPLOADING', 'FAILED', 'CANCELLED', 'EXPIRED'],
  UPLOADING: ['STORED', 'FAILED', 'CANCELLED', 'EXPIRED'],
  STORED: ['DELIVERING', 'DELIVERED', 'REJECTED', 'CANCELLED', 'REMOVED', 'EXPIRED'],
  DELIVERING: ['DELIVERED', 'FAILED', 'CANCELLED', 'EXPIRED'],
  DELIVERED: [],
  REJECTED: [],
  FAILED: [],
  CANCELLED: [],
  REMOVED: [],
  EXPIRED: [],
};

/** Others changed the transfer again and again; whoever called tries again later. */
export class ContendedTransferError extends Error {
  override readonly name = 'ContendedTransferError';
}

/** Its state now: what nobody has ended in time is over all the same. */
export function stateOf({ state, endsAt }: Pick<TransferRow, 'state' | 'endsAt'>, now: number): TransferState {
  return !hasEnded(state) && now >= endsAt ? 'EXPIRED' : state;
}

export function hasEnded(state: TransferState): boolean {
  return NEXT[state].length === 0;
}

/** Forward only. */
export function mayFollow(next: TransferState, state: TransferState): boolean {
  return NEXT[state].includes(next);
}

/** Encrypted bytes that a transfer takes in the bucket, or may take before it is whole. Undefined when it has ended. */
export function roomOf(row: Pick<TransferRow, 'state' | 'endsAt' | 'size' | 'bytes'>, now: number): number | undefined {
  return hasEnded(stateOf(row, now)) ? undefined : (row.bytes ?? maxEncryptedBytes(row.size));
}

/**
 * Changes a transfer as `decide` says of its present row: undefined leaves it. When another is faster, the row is read and
 * decided about again. Gives the row as it is after that; undefined when there is none.
 *
 * @throws ContendedTransferError
 */
export async function transition(
  { thing, id }: Pick<TransferRow, 'thing' | 'id'>,
  decide: (row: TransferRow) => Step | undefined,
  { transfers, reports, now }: Pick<Ports, 'transfers' | 'reports' | 'now'>,
): Promise<TransferRow | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const row = await transfers.read(thing, id);
    const step = row && decide(row);
    if (!step) return row;
    const next = step.state === undefined ? step : { ...step, changedAt: now() };
    if (await transfers.change(row, next)) {
      if (step.state !== undefined) reports.changed(row, step.state, step.reason);
      return { ...row, ...next };
    }
  }
  throw new ContendedTransferError(`transfer ${id} of ${thing} was changed by others ${ATTEMPTS} times`);
}

/** Ends a transfer that has not ended, where the table of states allows it. */
export function end(
  transfer: Pick<TransferRow, 'thing' | 'id'>,
  state: 'FAILED' | 'CANCELLED' | 'EXPIRED' | 'REMOVED' | 'REJECTED',
  reason: string,
  ports: Pick<Ports, 'transfers' | 'reports' | 'now'>,
): Promise<TransferRow | undefined> {
  return transition(transfer, (row) => (mayFollow(state, row.state) ? { state, reason } : undefined), ports);
}

export function refused(code: Refused['code'], reason: string, retry = false): Refused {
  return { ok: false, code, reason, retry };
}

/** A transfer that can go on; or why it cannot. */
export function live(row: TransferRow | undefined, now: number): Outcome<TransferRow> {
  if (!row) return refused('unknown-transfer', 'there is no such transfer');
  const state = stateOf(row, now);
  if (state === 'EXPIRED') return refused('expired', 'its time is over');
  return hasEnded(state)
    ? refused('wrong-state', `it is ${state}${row.reason ? `: ${row.reason}` : ''}`)
    : { ok: true, value: row };
}
