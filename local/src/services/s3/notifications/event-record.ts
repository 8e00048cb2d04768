import type { Caller } from '../../../kernel/caller.ts';
import type { CallContext } from '../../../kernel/service.ts';
import type { Bucket } from '../bucket.ts';
import { hostIdOf } from '../host-id.ts';
import type { Notification } from './notification.ts';

/** What happened to an object, in the words of notifications. */
export interface ObjectEvent {
  /** `s3:ObjectCreated:Put` */
  readonly name: string;
  readonly key: string;
  /** Without quotes; undefined for a version that is gone. */
  readonly etag: string | undefined;
  readonly size: number | undefined;
  /** Undefined while the bucket has no versions. */
  readonly versionId: string | undefined;
  readonly sequencer: string;
  /** Epoch milliseconds, virtual time. */
  readonly time: number;
}

/** Version 2.1; "It uses version 2.3 for S3 Lifecycle, ... object tagging ... events." */
function versionOf(name: string): string {
  return /^s3:(LifecycleExpiration|ObjectTagging):/.test(name) ? '2.3' : '2.1';
}

/** A key as a form encodes it, except that slashes stay: `red flower.jpg` becomes `red+flower.jpg`. */
export function encodeKey(key: string): string {
  const encoded = new URLSearchParams({ key }).toString().slice('key='.length);
  return encoded.replaceAll('%2F', '/');
}

/** Who did it. Unique ids of principals are their names here. */
function principalId(caller: Caller): string {
  switch (caller.kind) {
    case 'role':
      return `AWS:${caller.roleName}:${caller.sessionName}`;
    case 'user':
      return `AWS:${caller.userName}`;
    case 'service':
      return caller.arn;
    default:
      return `AWS:${caller.accountId}`;
  }
}

/**
 * The message of one event for one rule, as JSON.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function eventMessage(
  event: ObjectEvent,
  bucket: Bucket,
  { id: configurationId }: Notification,
  by: CallContext,
  account: { readonly region: string; readonly accountId: string },
): string {
  const { name, key, size, etag: eTag, versionId, sequencer } = event;
  const record = {
    eventVersion: versionOf(name),
    eventSource: 'aws:s3',
    awsRegion: account.region,
    eventTime: new Date(event.time).toISOString(),
    eventName: name.slice('s3:'.length),
    userIdentity: { principalId: principalId(by.caller) },
    requestParameters: { sourceIPAddress: by.sourceIp ?? (by.caller.kind === 'service' ? by.caller.arn : '127.0.0.1') },
    responseElements: { 'x-amz-request-id': by.requestId, 'x-amz-id-2': hostIdOf(by.requestId) },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: bucket.name, ownerIdentity: { principalId: account.accountId }, arn: bucket.arn },
      object: { key: encodeKey(key), size, eTag, versionId, sequencer },
    },
  };
  return JSON.stringify({ Records: [record] });
}
