/** How buckets are kept: settings, the versions of each key, uploads under way, and each body once. */
import { randomUUID } from 'node:crypto';
import type { KeptRecord, KeptRecords, KeptState } from '../../kernel/kept-state.ts';
import { Bucket, type BucketSettings } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import { MultipartUpload, type Part } from './multipart-upload.ts';
import type { KeptVersions } from './object-store.ts';

interface KeptBucket {
  readonly name: string;
  readonly createdAt: number;
  readonly settings: BucketSettings;
}

type KeptObject = KeptVersions & { readonly bucketName: string };

type KeptUpload = Pick<
  MultipartUpload,
  'id' | 'key' | 'initiatedAt' | 'checksumAlgorithm' | 'checksumType' | 'content'
> & {
  readonly bucketName: string;
  readonly parts: readonly (Omit<Part, 'body'> & { readonly bodyId: string })[];
};

interface Body {
  readonly id: string;
  readonly bytes: Buffer;
}

/** The state of S3. A body never changes, so it is written once, however often versions and tags around it change. */
export function keptBuckets(buckets: Buckets): KeptState {
  const ids = new WeakMap<Buffer, string>();
  const idOf = (body: Buffer): string => {
    const id = ids.get(body) ?? randomUUID();
    ids.set(body, id);
    return id;
  };
  return {
    *save() {
      yield ['events', buckets.events];
      const bodies = new Map<string, Buffer>();
      const keep = (body: Buffer): string => {
        const id = idOf(body);
        bodies.set(id, body);
        return id;
      };
      for (const bucket of buckets.all) yield* saveBucket(bucket, keep);
      for (const [id, bytes] of bodies) yield [`body/${id}`, { id, bytes } satisfies Body, bytes];
    },
    restore(records) {
      const bodies = new Map<string, Buffer>();
      for (const { id, bytes } of records.all<Body>('body/')) {
        bodies.set(id, bytes);
        ids.set(bytes, id);
      }
      restoreBuckets(buckets, records, (id) => {
        const body = bodies.get(id);
        if (!body) throw new Error(`the kept body ${id} of an object is missing`);
        return body;
      });
    },
  };
}

function* saveBucket(bucket: Bucket, keep: (body: Buffer) => string): Generator<KeptRecord> {
  const { name, createdAt, settings } = bucket;
  yield [`bucket/${name}`, { name, createdAt, settings } satisfies KeptBucket];
  for (const versions of bucket.objects.save(keep)) {
    yield [`object/${name}/${versions.key}`, { ...versions, bucketName: name } satisfies KeptObject];
  }
  for (const { id, key, initiatedAt, checksumAlgorithm, checksumType, content, parts } of bucket.uploads.values()) {
    const kept: KeptUpload = {
      ...{ id, key, initiatedAt, checksumAlgorithm, checksumType, content, bucketName: name },
      parts: parts.map(({ body, ...part }) => ({ ...part, bodyId: keep(body) })),
    };
    yield [`upload/${id}`, kept];
  }
}

function restoreBuckets(buckets: Buckets, records: KeptRecords, bodyOf: (id: string) => Buffer): void {
  buckets.events = records.get<number>('events') ?? 0;
  for (const { name, createdAt, settings } of records.all<KeptBucket>('bucket/')) {
    const bucket = new Bucket(name, createdAt);
    Object.assign(bucket.settings, settings);
    buckets.add(bucket);
    buckets.lifecycleOf(bucket).schedule();
  }
  for (const { bucketName, ...versions } of records.all<KeptObject>('object/')) {
    buckets.get(bucketName).objects.restore(versions, bodyOf);
  }
  for (const { bucketName, parts, ...kept } of records.all<KeptUpload>('upload/')) {
    const upload = new MultipartUpload(kept);
    for (const { bodyId, ...part } of parts) upload.restorePart({ ...part, body: bodyOf(bodyId) });
    buckets.get(bucketName).uploads.set(upload.id, upload);
  }
}
