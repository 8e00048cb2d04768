import { objectKeyOf, type TransferRow } from '@thingstead/contracts/file-store';
import { hasEnded, mayFollow, stateOf, transition } from './life-cycle.ts';
import type { Ports } from './ports.ts';

/**
 * A person wants it no more: what is on its way is cancelled, what is stored is removed. Said again it does the rest of what was
 * cut off. What has ended otherwise stays as it is, without its object.
 */
export async function remove(row: TransferRow, ports: Ports): Promise<void> {
  const { thing, id, direction } = row;
  const after = await transition(
    row,
    (now) => {
      if (hasEnded(stateOf(now, ports.now()))) return undefined;
      const state = direction === 'from-device' && now.state === 'STORED' ? 'REMOVED' : 'CANCELLED';
      return mayFollow(state, now.state) ? { state } : undefined;
    },
    ports,
  );
  if (after?.uploadId !== undefined) await ports.objects.abort(thing, id, after.uploadId);
  await ports.objects.remove(objectKeyOf(thing, id));
  if (after?.state === 'CANCELLED') await ports.answers.accepted(thing, id, { type: 'cancelled' });
}
