import { objectKeyOf, type TransferRow, transferOfObject } from '@thingstead/contracts/file-store';
import * as v from 'valibot';
import { offer } from './deliver.ts';
import { end, hasEnded, stateOf } from './life-cycle.ts';
import type { Ports } from './ports.ts';
import { stored } from './upload.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
export const ObjectEvent = v.object({
  source: v.literal('aws.s3'),
  'detail-type': v.picklist(['Object Created', 'Object Deleted']),
  detail: v.object({ object: v.object({ key: v.string() }) }),
});
export type ObjectEvent = v.InferOutput<typeof ObjectEvent>;

/**
 * Takes what S3 says of an object. Events come twice, late, and before the answer to who made the object: what counts is what S3
 * has now. A file for a device is offered from here, whoever completed it.
 */
export async function onObjectEvent(event: ObjectEvent, ports: Ports): Promise<void> {
  const { key } = event.detail.object;
  const named = transferOfObject(key);
  if (!named)
    return event['detail-type'] === 'Object Created' ? orphan(key, 'its key is none of a file', ports) : undefined;
  const [row, object] = await Promise.all([
    ports.transfers.read(named.thing, named.transfer),
    ports.objects.find(named.thing, named.transfer),
  ]);
  if (!object) return row && gone(row, ports);
  if (!row) return orphan(key, 'it belongs to no transfer', ports);
  if (row.state === 'DELIVERED') return ports.objects.remove(key);
  if (hasEnded(stateOf(row, ports.now()))) return orphan(key, `its transfer is ${stateOf(row, ports.now())}`, ports);
  const after = await stored(row, object, ports);
  if (!after) return orphan(key, 'it belongs to no transfer', ports);
  if (after.bytes !== object.bytes || after.etag !== object.etag) return unexpected(after, ports);
  if (after.direction === 'to-device' && after.state === 'STORED') await offer(after, ports);
}

/** An operator may have removed it, or the bucket in its time. */
async function gone(row: TransferRow, ports: Ports): Promise<void> {
  if (row.state === 'STORED' || row.state === 'DELIVERING')
    await end(row, 'EXPIRED', 'the store has it no more', ports);
}

/** Nobody could verify it. */
async function unexpected(row: TransferRow, ports: Ports): Promise<void> {
  await end(
    row,
    row.state === 'STORED' ? 'EXPIRED' : 'FAILED',
    'the store has another object than was promised',
    ports,
  );
  await orphan(objectKeyOf(row.thing, row.id), 'it is not what its sender has promised', ports);
}

async function orphan(key: string, reason: string, ports: Ports): Promise<void> {
  await ports.objects.remove(key);
  ports.reports.orphaned(key, reason);
}
