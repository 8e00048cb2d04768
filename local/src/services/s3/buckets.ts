import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { CallContext, Permission } from '../../kernel/service.ts';
import type { Bucket } from './bucket.ts';
import { Lifecycle } from './lifecycle.ts';
import type { ObjectContent, Version } from './object-store.ts';

const MAX_KEY_BYTES = 1024;

/** An object that was found, as opposed to a delete marker. */
export interface FoundObject {
  readonly version: Version;
  readonly content: ObjectContent;
}

/** The buckets of the account. */
export class Buckets {
  readonly kernel: Kernel;
  /** How many events of objects there have been. */
  events = 0;
  readonly #buckets = new Map<string, Bucket>();
  readonly #lifecycles = new WeakMap<Bucket, Lifecycle>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string | undefined): Bucket | undefined {
    return name === undefined ? undefined : this.#buckets.get(name);
  }

  /** @throws AwsError NoSuchBucket */
  get(name: string | undefined): Bucket {
    const bucket = this.find(name);
    if (bucket !== undefined) return bucket;
    throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name });
  }

  /** What applies the lifecycle rules of a bucket. */
  lifecycleOf(bucket: Bucket): Lifecycle {
    const lifecycle = this.#lifecycles.get(bucket) ?? new Lifecycle(this, bucket);
    this.#lifecycles.set(bucket, lifecycle);
    return lifecycle;
  }

  add(bucket: Bucket): void {
    this.#buckets.set(bucket.name, bucket);
  }

  delete(bucket: Bucket): void {
    this.#buckets.delete(bucket.name);
  }

  /** The permission for an action on a bucket, or on one object of it. */
  permission(
    action: string,
    bucket: string | undefined,
    key?: string | undefined,
    context?: Readonly<Record<string, string>>,
  ): Permission {
    const name = bucket ?? '';
    return {
      action: `s3:${action}`,
      resource: `arn:aws:s3:::${name}${key === undefined ? '' : `/${key}`}`,
      resourcePolicy: this.find(name)?.settings.policy?.document,
      ...(context !== undefined && { context }),
    };
  }

  /**
   * The object, or one version of it.
   *
   * @throws AwsError NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker; AccessDenied instead of NoSuchKey for
   *   callers that may not list the bucket, who shall not learn which keys exist
   */
  object(
    name: string | undefined,
    key: string | undefined,
    versionId: string | undefined,
    context: CallContext,
  ): FoundObject {
    const bucket = this.get(name);
    const version = bucket.objects.find(checkKey(key), versionId);
    if (version?.content !== undefined) return { version, content: version.content };
    if (versionId !== undefined && version === undefined) {
      throw new AwsError('NoSuchVersion', 'The specified version does not exist.', 404, {
        Key: key,
        VersionId: versionId,
      });
    }
    if (versionId !== undefined) {
      throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, {
        DeleteMarker: true,
        VersionId: versionId,
      });
    }
    try {
      this.kernel.iam.authorize(context, this.permission('ListBucket', name));
    } catch (cause) {
      if (cause instanceof AwsError) throw new AwsError('AccessDenied', 'Access Denied', 403);
      throw cause;
    }
    throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, {
      Key: key,
      ...(version !== undefined && { DeleteMarker: true, VersionId: version.id }),
    });
  }
}

/** @throws AwsError for an empty key, and KeyTooLongError beyond 1 024 bytes */
export function checkKey(key: string | undefined): string {
  if (key === undefined || key === '') {
    throw new AwsError('InvalidRequest', 'A key must be specified.');
  }
  const bytes = Buffer.byteLength(key, 'utf8');
  if (bytes <= MAX_KEY_BYTES) return key;
  throw new AwsError('KeyTooLongError', 'Your key is too long', 400, { Size: bytes, MaxSizeAllowed: MAX_KEY_BYTES });
}
