import type { TransferRow } from '@thingstead/contracts/file-store';
import type { Transfer } from '@thingstead/contracts/routes/files';
import { stateOf } from '../file-transfers/life-cycle.ts';

/** A transfer as the API shows it: what nobody has ended in time is EXPIRED all the same. */
export function viewOf(row: TransferRow, now: number): Transfer {
  const { id, thing, direction, name, contentType, size, startedBy, startedAt, changedAt, endsAt } = row;
  const { bytes, sha256, transferred, reason } = row;
  return {
    ...{ id, thing, direction, name, contentType, size, state: stateOf(row, now), startedAt, changedAt, endsAt },
    ...(startedBy !== undefined && { startedBy }),
    ...(bytes !== undefined && { bytes }),
    ...(sha256 !== undefined && { sha256 }),
    ...(transferred !== undefined && { transferred }),
    ...(reason !== undefined && { reason }),
  };
}
