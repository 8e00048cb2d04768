/** What S3 tells EventBridge: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. */
import type { CallContext } from '../../kernel/service.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import type { Version } from './object-store.ts';

/** "a hexadecimal value that determines the event sequence"; it grows with every event of the account. */
function sequencer(count: number): string {
  return count.toString(16).toUpperCase().padStart(16, '0');
}

function send(buckets: Buckets, bucket: Bucket, detailType: string, object: object, more: object, by: CallContext) {
  if (!bucket.settings.notifiesEventBridge) return;
  const { kernel } = buckets;
  buckets.events += 1;
  const detail = {
    version: '0',
    bucket: { name: bucket.name },
    object: { ...object, sequencer: sequencer(buckets.events) },
    'request-id': by.requestId,
    requester: by.caller.kind === 'service' ? by.caller.arn : by.caller.accountId,
    ...(by.sourceIp !== undefined && { 'source-ip-address': by.sourceIp }),
    ...more,
  };
  const event = { source: 'aws.s3', detailType, resources: [bucket.arn], detail };
  const caller = kernel.serviceCaller('s3.amazonaws.com', bucket.arn);
  kernel.activity.track(() => kernel.call('events', 'PublishServiceEvent', event, caller));
}

function versionMember(bucket: Bucket, id: string) {
  return bucket.settings.versioning === undefined ? {} : { 'version-id': id };
}

/** Object Created; `reason` is the operation that wrote it. */
export function objectCreated(
  buckets: Buckets,
  bucket: Bucket,
  { key, id, content }: Version,
  reason: 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload',
  by: CallContext,
): void {
  const size = content?.body.length;
  const object = { key, size, etag: content?.etag.replaceAll('"', ''), ...versionMember(bucket, id) };
  send(buckets, bucket, 'Object Created', object, { reason }, by);
}

/** Object Deleted: for good, or by a delete marker. */
export function objectDeleted(
  buckets: Buckets,
  bucket: Bucket,
  { key, id }: Version,
  marker: boolean,
  by: CallContext,
) {
  const more = {
    reason: 'DeleteObject',
    'deletion-type': marker ? 'Delete Marker Created' : 'Permanently Deleted',
  };
  send(buckets, bucket, 'Object Deleted', { key, ...versionMember(bucket, id) }, more, by);
}
