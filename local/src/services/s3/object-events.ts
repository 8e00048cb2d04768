/**
 * What S3 tells others of its objects: EventBridge (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html)
 * and the destinations of the bucket's notifications.
 */
import { AwsError } from '../../kernel/errors.ts';
import type { CallContext } from '../../kernel/service.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import { deliver } from './notifications/deliver.ts';
import { eventMessage, type ObjectEvent } from './notifications/event-record.ts';
import { isFor } from './notifications/notification.ts';
import type { Version } from './object-store.ts';

interface Happening {
  /** As notifications call it: `s3:ObjectCreated:Put`. */
  readonly name: string;
  /** As EventBridge calls it: `Object Created`. */
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly versionId: string;
  readonly etag?: string | undefined;
  readonly size?: number | undefined;
}

/** "a hexadecimal value that determines the event sequence"; it grows with every event of the account. */
function sequencer(count: number): string {
  return count.toString(16).toUpperCase().padStart(16, '0');
}

function tell(buckets: Buckets, bucket: Bucket, happening: Happening, by: CallContext): void {
  buckets.events += 1;
  const { name, key, size, etag } = happening;
  const versionId = bucket.settings.versioning === undefined ? undefined : happening.versionId;
  const time = buckets.kernel.clock.now();
  const event = { name, key, size, etag, versionId, time, sequencer: sequencer(buckets.events) };
  if (bucket.settings.notifiesEventBridge) tellEventBridge(buckets, bucket, happening, event, by);
  for (const notification of bucket.settings.notifications) {
    if (!isFor(notification, name, key)) continue;
    const { kernel } = buckets;
    const message = eventMessage(event, bucket, notification, by, kernel);
    kernel.activity.track(async () => {
      try {
        await deliver(kernel, bucket, notification, message);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const { arn, id } = notification;
        kernel.log.warn('S3 could not deliver a notification', {
          bucket: bucket.name,
          key,
          event: name,
          id,
          arn,
          error,
        });
      }
    });
  }
}

function tellEventBridge(
  { kernel }: Buckets,
  bucket: Bucket,
  { detailType, detail: more }: Happening,
  { key, size, etag, versionId, sequencer: position }: ObjectEvent,
  by: CallContext,
): void {
  const detail = {
    version: '0',
    bucket: { name: bucket.name },
    object: { key, size, etag, 'version-id': versionId, sequencer: position },
    'request-id': by.requestId,
    requester: by.caller.kind === 'service' ? by.caller.arn : by.caller.accountId,
    ...(by.sourceIp !== undefined && { 'source-ip-address': by.sourceIp }),
    ...more,
  };
  const event = { source: 'aws.s3', detailType, resources: [bucket.arn], detail };
  const caller = kernel.serviceCaller('s3.amazonaws.com', bucket.arn);
  kernel.activity.track(() => kernel.call('events', 'PublishServiceEvent', event, caller));
}

function plainEtag({ content }: Version): string | undefined {
  return content?.etag.replaceAll('"', '');
}

const CREATED = {
  PutObject: 's3:ObjectCreated:Put',
  CopyObject: 's3:ObjectCreated:Copy',
  CompleteMultipartUpload: 's3:ObjectCreated:CompleteMultipartUpload',
} as const;

/** An object was written; `reason` is the operation. */
export function objectCreated(
  buckets: Buckets,
  bucket: Bucket,
  version: Version,
  reason: keyof typeof CREATED,
  by: CallContext,
): void {
  const happening = {
    name: CREATED[reason],
    detailType: 'Object Created',
    detail: { reason },
    key: version.key,
    versionId: version.id,
    etag: plainEtag(version),
    size: version.content?.body.length,
  };
  tell(buckets, bucket, happening, by);
}

/** The entity tag of nothing, which delete markers have. */
const MARKER_ETAG = 'd41d8cd98f00b204e9800998ecf8427e';

/** An object was deleted, by a request or by a lifecycle rule: for good, or by a delete marker. */
export function objectDeleted(
  buckets: Buckets,
  bucket: Bucket,
  { key, id: versionId }: Version,
  { marker, reason }: { readonly marker: boolean; readonly reason: 'DeleteObject' | 'Lifecycle Expiration' },
  by: CallContext,
): void {
  const family = reason === 'DeleteObject' ? 's3:ObjectRemoved' : 's3:LifecycleExpiration';
  const happening = {
    name: `${family}:${marker ? 'DeleteMarkerCreated' : 'Delete'}`,
    detailType: 'Object Deleted',
    detail: { reason, 'deletion-type': marker ? 'Delete Marker Created' : 'Permanently Deleted' },
    key,
    versionId,
    ...(marker && { etag: MARKER_ETAG }),
  };
  tell(buckets, bucket, happening, by);
}

/** The tags of an object were replaced or removed. */
export function objectTagged(
  buckets: Buckets,
  bucket: Bucket,
  version: Version,
  change: 'Put' | 'Delete',
  by: CallContext,
): void {
  const happening = {
    name: `s3:ObjectTagging:${change}`,
    detailType: change === 'Put' ? 'Object Tags Added' : 'Object Tags Deleted',
    detail: {},
    key: version.key,
    versionId: version.id,
    etag: plainEtag(version),
  };
  tell(buckets, bucket, happening, by);
}
