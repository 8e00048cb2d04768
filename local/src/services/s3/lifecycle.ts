/** Expiration rules of one bucket, applied once a day at midnight UTC, as S3 does ("Lifecycle configuration elements"). */
import { randomUUID } from 'node:crypto';
import type { LifecycleRule } from '@aws-sdk/client-s3';
import type { Timer } from '../../kernel/clock.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import { objectDeleted } from './object-events.ts';
import type { Version } from './object-store.ts';

const DAY_MS = 86_400_000;

/** "S3 rounds the resulting time up to the next day at midnight UTC." */
function dueAt(time: number, days: number): number {
  return Math.ceil((time + days * DAY_MS) / DAY_MS) * DAY_MS;
}

function applies({ Filter, Prefix }: LifecycleRule, { key, content }: Version): boolean {
  const all = Filter?.And;
  const tags = [...(all?.Tags ?? []), ...(Filter?.Tag ? [Filter.Tag] : [])];
  const size = content?.body.length ?? 0;
  const above = all?.ObjectSizeGreaterThan ?? Filter?.ObjectSizeGreaterThan;
  const below = all?.ObjectSizeLessThan ?? Filter?.ObjectSizeLessThan;
  return (
    key.startsWith(all?.Prefix ?? Filter?.Prefix ?? Prefix ?? '') &&
    tags.every(({ Key, Value }) => content?.tags.get(Key ?? '') === Value) &&
    (above === undefined || size > above) &&
    (below === undefined || size < below)
  );
}

function expires({ Expiration }: LifecycleRule, { lastModified }: Version, now: number): boolean {
  if (Expiration?.Days !== undefined) return dueAt(lastModified, Expiration.Days) <= now;
  return Expiration?.Date !== undefined && new Date(Expiration.Date).getTime() <= now;
}

/** Tells of what was removed for good, or hidden behind a delete marker. */
type Tell = (version: Version, marker: boolean) => void;

function expireKey(bucket: Bucket, key: string, rules: readonly LifecycleRule[], now: number, tell: Tell): void {
  const { objects, settings } = bucket;
  const remove = (version: Version) => {
    objects.remove(key, version.id);
    tell(version, false);
  };
  const newest = objects.find(key);
  if (newest === undefined) return;
  for (const rule of rules) {
    const { NoncurrentDays, NewerNoncurrentVersions = 0 } = rule.NoncurrentVersionExpiration ?? {};
    if (NoncurrentDays === undefined || !applies(rule, newest)) continue;
    const versions = [...objects.versions(key)];
    versions.forEach((version, index) => {
      // A version became noncurrent when the next newer one was written.
      const since = versions[index - 1]?.lastModified;
      const isKept = since === undefined || index <= NewerNoncurrentVersions || dueAt(since, NoncurrentDays) > now;
      if (!isKept) remove(version);
    });
  }
  if (newest.content !== undefined) {
    if (!rules.some((rule) => applies(rule, newest) && expires(rule, newest, now))) return;
    if (settings.versioning === undefined) remove(newest);
    else tell(objects.add(key, undefined, now, settings.versioning), true);
    return;
  }
  const isAlone = objects.versions(key).length === 1;
  const removesMarkers = (rule: LifecycleRule) =>
    applies(rule, newest) && (rule.Expiration?.ExpiredObjectDeleteMarker === true || expires(rule, newest, now));
  if (isAlone && rules.some(removesMarkers)) remove(newest);
}

/** AbortIncompleteMultipartUpload; rules with a filter by tags cannot have it. */
function abortUploads({ uploads }: Bucket, rules: readonly LifecycleRule[], now: number): void {
  for (const { id, key, initiatedAt } of uploads.values()) {
    const aborts = rules.some(({ AbortIncompleteMultipartUpload, Filter, Prefix }) => {
      const days = AbortIncompleteMultipartUpload?.DaysAfterInitiation;
      const prefix = Filter?.And?.Prefix ?? Filter?.Prefix ?? Prefix ?? '';
      return days !== undefined && key.startsWith(prefix) && dueAt(initiatedAt, days) <= now;
    });
    if (aborts) uploads.delete(id);
  }
}

/** Applies the rules of a bucket every midnight for as long as it has any. */
export class Lifecycle {
  readonly #buckets: Buckets;
  readonly #bucket: Bucket;
  #timer: Timer | undefined;

  constructor(buckets: Buckets, bucket: Bucket) {
    this.#buckets = buckets;
    this.#bucket = bucket;
  }

  /** To be called when the rules have changed. */
  schedule(): void {
    this.stop();
    if (this.#enabled().length === 0) return;
    const { clock } = this.#buckets.kernel;
    const midnight = Math.floor(clock.now() / DAY_MS + 1) * DAY_MS;
    this.#timer = clock.at(midnight, () => {
      this.#apply(clock.now());
      this.schedule();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #apply(now: number): void {
    const [buckets, bucket, rules] = [this.#buckets, this.#bucket, this.#enabled()];
    const by = { caller: buckets.kernel.serviceCaller('s3.amazonaws.com', bucket.arn), requestId: randomUUID() };
    const tell: Tell = (version, marker) =>
      objectDeleted(buckets, bucket, version, { marker, reason: 'Lifecycle Expiration' }, by);
    for (const key of [...bucket.objects.keys]) expireKey(bucket, key, rules, now, tell);
    abortUploads(bucket, rules, now);
  }

  #enabled(): readonly LifecycleRule[] {
    return this.#bucket.settings.lifecycle.filter(({ Status }) => Status === 'Enabled');
  }
}
